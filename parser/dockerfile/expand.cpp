#include "parser/dockerfile/expand.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "parser/dockerfile/flags.h"
#include "parser/dockerfile/ports.h"
#include "parser/dockerfile/text.h"

namespace drydock::parser::dockerfile {

namespace {

Diagnostic error_at(const Ast& ast, Range range, std::string message, std::string mend = {}) {
  return {Severity::error, ast.file, range, "syntax", std::move(message), std::move(mend)};
}

// Expands one text after the other and gathers which variables they took.
class Words {
 public:
  Words(WordOptions options, const EnvLookup& env) : options_(options), env_(env) {}

  std::string one(std::string_view text) { return take(text, options_).text; }
  std::vector<std::string> many(std::string_view text) { return take(text, options_).words; }
  std::string content(std::string_view text) {
    WordOptions options;  // file content: always the backslash, and quotes mean nothing
    options.quotes = Quotes::literal;
    return take(text, options).text;
  }
  void in_place(std::string& text) { text = one(text); }
  void in_place(std::vector<std::string>& texts) {
    for (auto& text : texts) in_place(text);
  }

  VariableNames used, unmatched;

 private:
  Expansion take(std::string_view text, const WordOptions& options) {
    auto expansion = expand_word(text, env_, options);
    used.insert(expansion.used.begin(), expansion.used.end());
    unmatched.insert(expansion.unmatched.begin(), expansion.unmatched.end());
    if (!expansion.ok()) {
      throw Wrong{"cannot expand \"" + std::string(text.substr(0, 200)) + "\": " + expansion.error,
                  "escape a $ or a quote that is meant literally", ""};
    }
    return expansion;
  }

  WordOptions options_;
  const EnvLookup& env_;
};

void check_mode(const std::string& chmod) {
  if (chmod.empty() || chmod.find_first_not_of("0123456789") != std::string::npos) return;
  const auto digits = chmod.substr(std::min(chmod.find_first_not_of('0'), chmod.size()));
  if (digits.size() > 4 || digits.find_first_of("89") != std::string::npos) {
    throw Wrong{"invalid --chmod \"" + chmod + "\"", "use an octal number from 0 to 07777", "--chmod"};
  }
}

// What each kind of command expands. Overloads for the rest do nothing.
class CommandExpander {
 public:
  explicit CommandExpander(Words& words) : words_(words) {}

  void operator()(Env& env) { pairs(env.pairs); }
  void operator()(Label& label) { pairs(label.pairs); }
  void operator()(Run& run) {
    run.mounts.clear();
    for (const auto& text : run.mount_texts) {
      auto parsed = parse_mount(text, [this](std::string_view value) -> ExpandedField {
        try {
          return {words_.one(value), {}};
        } catch (const Wrong& wrong) {
          return {{}, wrong.message};
        }
      });
      if (!parsed.ok()) throw Wrong{parsed.error, parsed.mend, parsed.fragment};
      run.mounts.push_back(std::move(parsed.mount));
    }
  }
  void operator()(Copy& copy) { transfer(copy); }
  void operator()(Add& add) {
    words_.in_place(add.checksum);
    transfer(add);
  }
  void operator()(Workdir& workdir) { words_.in_place(workdir.path); }
  void operator()(User& user) { words_.in_place(user.user); }
  void operator()(StopSignal& stop) { words_.in_place(stop.signal); }
  void operator()(Volume& volume) {
    words_.in_place(volume.paths);
    for (const auto& path : volume.paths) {
      if (path.empty()) throw Wrong{"a path of VOLUME is empty", "give each volume a folder", ""};
    }
  }
  void operator()(Expose& expose) {
    std::vector<std::string> ports;
    std::map<std::string, std::vector<bool>> seen;  // a port named often, as by many wide ranges, is listed once
    for (const auto& text : expose.ports) {
      for (const auto& port : words_.many(text)) {
        auto parsed = parse_port(port);
        if (!parsed.error.empty()) throw Wrong{parsed.error, parsed.mend, port};
        auto& of_protocol = seen.try_emplace(parsed.protocol, 65536).first->second;
        for (int number = parsed.first; number <= parsed.last; ++number) {
          if (of_protocol[number]) continue;
          of_protocol[number] = true;
          ports.push_back(std::to_string(number) + "/" + parsed.protocol);
        }
      }
    }
    expose.ports = std::move(ports);
  }
  template <class Other>
  void operator()(Other&) {}

 private:
  void pairs(std::vector<KeyValue>& pairs) {
    for (auto& pair : pairs) {
      words_.in_place(pair.key);
      words_.in_place(pair.value);
    }
  }
  void transfer(Transfer& transfer) {
    words_.in_place(transfer.chown);
    words_.in_place(transfer.chmod);
    check_mode(transfer.chmod);
    words_.in_place(transfer.sources);
    words_.in_place(transfer.destination);
    for (auto& file : transfer.files) {
      if (file.expand) file.content = words_.content(file.content);
    }
  }

  Words& words_;
};

WordOptions options_of(const Dockerfile& dockerfile) {
  WordOptions options;
  options.escape = dockerfile.ast.escape;
  return options;
}

constexpr std::array<std::string_view, 5> k_proxies{"HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY",
                                                    "ALL_PROXY"};

}  // namespace

Variables automatic_args(const PlatformFacts& build, const PlatformFacts& target_platform, std::string_view target,
                         const Variables& build_args) {
  Variables values;
  const auto add = [&values](const std::string& prefix, const PlatformFacts& facts) {
    values[prefix + "PLATFORM"] = facts.text;
    values[prefix + "OS"] = facts.os;
    values[prefix + "OSVERSION"] = facts.os_version;
    values[prefix + "ARCH"] = facts.architecture;
    values[prefix + "VARIANT"] = facts.variant;
  };
  add("BUILD", build);
  add("TARGET", target_platform);
  values["TARGETSTAGE"] = target.empty() ? "default" : target;
  for (auto& [name, value] : values) {
    if (const auto given = build_args.find(name); given != build_args.end()) value = given->second;
  }
  return values;
}

Scope global_scope(const Dockerfile& dockerfile, const Variables& automatic, const Variables& build_args) {
  Scope scope;
  scope.values = automatic;
  for (const auto& command : dockerfile.global_args) {
    for (const auto& definition : std::get<Arg>(command.body).definitions) {
      scope.declared.insert(definition.key);
      if (const auto given = build_args.find(definition.key); given != build_args.end()) {
        scope.values[definition.key] = given->second;
      } else if (definition.value) {
        auto expansion = expand_word(*definition.value, lookup_in(scope.values), options_of(dockerfile));
        if (expansion.ok()) {
          scope.values[definition.key] = std::move(expansion.text);
        } else {
          scope.diagnostics.push_back(error_at(dockerfile.ast, command.range,
                                               "cannot expand the default of ARG " + definition.key + ": " +
                                                   expansion.error));
        }
      }
    }
  }
  return scope;
}

ResolvedBase resolve_base(const Dockerfile& dockerfile, const Stage& stage, const Scope& globals) {
  ResolvedBase result;
  const auto env = lookup_in(globals.values);
  Words words(options_of(dockerfile), env);
  const auto suggest_for = [&](std::string mend) {
    std::vector<std::string> names;
    for (const auto& [name, value] : globals.values) names.push_back(name);
    for (const auto& name : words.unmatched) {
      const auto near = near_miss(name, names, Case::sensitive);
      if (!near.empty()) return "did you mean $" + near + "?";
    }
    return mend;
  };
  try {
    result.base_name = words.one(stage.base_name);
    if (result.base_name.empty()) {
      throw Wrong{"the base name " + stage.base_name + " is empty once its variables are put in",
                  suggest_for("give its ARG a default above the first FROM, or pass --build-arg"), stage.base_name};
    }
    if (!stage.platform.empty()) {
      result.platform = words.one(stage.platform);
      if (result.platform.empty()) {
        throw Wrong{"the platform " + stage.platform + " is empty once its variables are put in",
                    suggest_for("give its ARG a default above the first FROM, or pass --build-arg"), stage.platform};
      }
    }
  } catch (Wrong& wrong) {
    result.diagnostics.push_back(
        error_at(dockerfile.ast, stage.range, std::move(wrong.message), std::move(wrong.mend)));
  }
  result.used = std::move(words.used);
  result.unmatched = std::move(words.unmatched);
  return result;
}

std::vector<std::string_view> expanded_fields(const Command& command) {
  static const std::map<std::string_view, std::vector<std::string_view>> table{
      {"ENV", {"pairs"}},
      {"LABEL", {"pairs"}},
      {"ARG", {"definitions"}},
      {"RUN", {"mounts"}},
      {"COPY", {"chown", "chmod", "sources", "destination", "files"}},
      {"ADD", {"chown", "chmod", "checksum", "sources", "destination", "files"}},
      {"WORKDIR", {"path"}},
      {"USER", {"user"}},
      {"VOLUME", {"paths"}},
      {"STOPSIGNAL", {"signal"}},
      {"EXPOSE", {"ports"}}};
  const auto found = table.find(command.name);
  return found == table.end() ? std::vector<std::string_view>{} : found->second;
}

ExpandedCommand expand(const Dockerfile& dockerfile, const Command& command, const EnvLookup& env) {
  ExpandedCommand result{command, {}, {}, {}};
  Words words(options_of(dockerfile), env);
  try {
    std::visit(CommandExpander(words), result.command.body);
  } catch (Wrong& wrong) {
    result.diagnostics.push_back(error_at(dockerfile.ast, command.range,
                                          command.name + ": " + std::move(wrong.message), std::move(wrong.mend)));
  }
  result.used = std::move(words.used);
  result.unmatched = std::move(words.unmatched);
  return result;
}

BoundArgs bind_args(const Dockerfile& dockerfile, const Command& command, const EnvLookup& env,
                    const Scope& globals, const Variables& build_args) {
  BoundArgs result;
  Variables own;
  const EnvLookup both = [&](std::string_view name) -> std::optional<std::string> {
    if (const auto found = own.find(name); found != own.end()) return found->second;
    return env ? env(name) : std::nullopt;
  };
  for (const auto& definition : std::get<Arg>(command.body).definitions) {
    ArgBinding binding{definition.key, std::nullopt};
    if (const auto given = build_args.find(definition.key); given != build_args.end()) {
      binding.value = given->second;
    } else if (definition.value) {
      auto expansion = expand_word(*definition.value, both, options_of(dockerfile));
      result.unmatched.insert(expansion.unmatched.begin(), expansion.unmatched.end());
      if (!expansion.ok()) {
        result.diagnostics.push_back(error_at(
            dockerfile.ast, command.range, "cannot expand the default of ARG " + definition.key + ": " +
                                               expansion.error));
        continue;
      }
      binding.value = std::move(expansion.text);
    } else if (const auto global = globals.values.find(definition.key); global != globals.values.end()) {
      binding.value = global->second;
    }
    if (binding.value) own[binding.name] = *binding.value;
    result.bindings.push_back(std::move(binding));
  }
  return result;
}

bool is_proxy_arg(std::string_view name) {
  return std::any_of(k_proxies.begin(), k_proxies.end(),
                     [name](std::string_view proxy) { return equal_ignoring_case(proxy, name); });
}

std::vector<std::pair<std::string, std::string>> proxy_environment(const Variables& build_args) {
  std::vector<std::pair<std::string, std::string>> environment;
  for (const auto proxy : k_proxies) {
    std::optional<std::string> value;
    // Of two spellings the lower-case one, which sorts last, wins.
    for (const auto& [name, given] : build_args) {
      if (equal_ignoring_case(name, proxy)) value = given;
    }
    if (!value || value->empty()) continue;
    environment.emplace_back(proxy, *value);
    environment.emplace_back(lower(proxy), *value);
  }
  return environment;
}

std::string progress_text(const Dockerfile& dockerfile, const Command& command, const EnvLookup& env) {
  auto text = command.source;
  auto options = options_of(dockerfile);
  if (const auto* run = std::get_if<Run>(&command.body)) {
    options.quotes = Quotes::keep;
    options.unset = Unset::keep;
    const bool single = !run->heredocs.empty() && run->line.words.size() == 1 &&
                        !parse_heredoc_word(run->line.words[0]).name.empty();
    if (single) {
      const auto content = trim(run->heredocs[0].content);
      const auto end = content.find('\n');
      const auto summary = std::string(trim(content.substr(0, end))) + (end == std::string_view::npos ? "" : "...");
      text += " (" + summary + ")";
    }
  }
  if (auto expansion = expand_word(text, env, options); expansion.ok()) text = std::move(expansion.text);
  const auto blank = text.find(' ');
  return upper(text.substr(0, blank)) + (blank == std::string::npos ? std::string() : text.substr(blank));
}

}  // namespace drydock::parser::dockerfile
