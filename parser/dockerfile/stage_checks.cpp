#include "parser/dockerfile/stage_checks.h"

#include <algorithm>
#include <map>
#include <utility>

#include "parser/dockerfile/ports.h"
#include "parser/dockerfile/text.h"

namespace drydock::parser::dockerfile {

namespace {

struct StageState {
  Variables env;
  VariableNames declared;  // ARGs, with a value or without
  bool env_known = true;   // false below an image whose variables nobody told us
  bool has_shell = false;
  bool has_workdir = false;
};

bool names_a_secret(std::string_view key) {
  static const VariableNames secret{"apikey", "auth",   "credential", "credentials", "key",
                                    "password", "pword", "passwd",     "secret",      "token"};
  static const VariableNames harmless{"public", "file", "version"};
  bool found = false;
  for (const auto& word : split(lower(key), '_')) {
    if (harmless.count(word) > 0) return false;
    found = found || secret.count(word) > 0;
  }
  return found;
}

class StageChecker {
 public:
  StageChecker(const Dockerfile& file, const CheckRequest& request, const Scope& globals, CheckReport& report)
      : file_(file), request_(request), globals_(globals), report_(report) {}

  StageState run(const Stage& stage, StageState state) {
    state_ = std::move(state);
    for (const auto& command : stage.commands) {
      command_ = &command;
      std::visit(*this, command.body);
    }
    return std::move(state_);
  }

  void operator()(const Env&) {
    const auto expanded = expanded_command();
    for (const auto& pair : std::get<Env>(expanded.body).pairs) {
      check_pair(pair);
      check_secret(pair.key);
      state_.env[pair.key] = pair.value;
    }
  }
  void operator()(const Label& label) {
    (void)expanded_command();
    for (const auto& pair : label.pairs) check_pair(pair);
  }
  void operator()(const Arg& arg) {
    for (const auto& definition : arg.definitions) check_secret(definition.key);
    auto bound = bind_args(file_, *command_, lookup_in(state_.env), globals_, request_.build_args);
    check_variables(bound.unmatched);
    if (state_.env_known) report_.add(std::move(bound.diagnostics));
    for (const auto& binding : bound.bindings) {
      if (binding.value) state_.env[binding.name] = *binding.value;
      state_.declared.insert(binding.name);
    }
  }
  void operator()(const Copy& copy) {
    const auto expanded = expanded_command();
    if (copy.from.empty()) check_ignored(std::get<Copy>(expanded.body).sources);
  }
  void operator()(const Add&) {
    const auto expanded = expanded_command();
    check_ignored(std::get<Add>(expanded.body).sources);
  }
  void operator()(const Workdir&) {
    const auto expanded = expanded_command();
    const auto& path = std::get<Workdir>(expanded.body).path;
    if (!state_.has_workdir && !path.starts_with('/')) {
      find("WorkdirRelativePath", "the relative folder \"" + path + "\" depends on the base image",
           "begin it with /, or set an absolute WORKDIR before it");
    }
    state_.has_workdir = true;
  }
  void operator()(const Cmd& cmd) { check_start(cmd.line); }
  void operator()(const Entrypoint& entrypoint) { check_start(entrypoint.line); }
  void operator()(const Healthcheck&) { check_once(); }
  void operator()(const Shell&) { state_.has_shell = true; }
  void operator()(const Maintainer&) {
    find("MaintainerDeprecated", "MAINTAINER is deprecated",
         "write LABEL org.opencontainers.image.authors=\"…\" instead");
  }
  void operator()(const Expose& expose) {
    const auto expanded = expanded_command();
    WordOptions options;
    options.escape = file_.ast.escape;
    for (const auto& text : expose.ports) {
      for (const auto& word : expand_word(text, lookup_in(state_.env), options).words) check_port(word);
    }
  }
  template <class Other>
  void operator()(const Other&) {
    (void)expanded_command();
  }

 private:
  void find(std::string_view rule, std::string message, std::string mend) {
    report_.find(rule, command_->range, command_->comments, std::move(message), std::move(mend));
  }

  Command expanded_command() {
    auto expanded = expand(file_, *command_, lookup_in(state_.env));
    check_variables(expanded.unmatched);
    // What an unknown variable makes of a command says nothing.
    if (state_.env_known || expanded.unmatched.empty()) report_.add(std::move(expanded.diagnostics));
    return std::move(expanded.command);
  }

  void check_variables(const VariableNames& unmatched) {
    for (const auto& name : unmatched) {
      if (state_.declared.count(name) > 0) continue;
      std::vector<std::string> names;
      for (const auto& [known, value] : state_.env) names.push_back(known);
      const auto near = near_miss(name, names, Case::sensitive);
      find("UndefinedVar", "the variable $" + name + " is not defined",
           !near.empty()      ? "did you mean $" + near + "?"
           : state_.env_known ? "declare it with ARG or ENV before this line"
                              : "declare it with ARG or ENV before this line, unless the base image sets it");
    }
  }

  void check_pair(const KeyValue& pair) {
    if (!pair.legacy) return;
    find("LegacyKeyValueFormat", "\"" + command_->keyword + " key value\" is the old form",
         "write " + command_->keyword + " key=value");
  }

  void check_secret(std::string_view key) {
    if (!names_a_secret(key)) return;
    find("SecretsUsedInArgOrEnv",
         "\"" + std::string(key) + "\" looks like a secret, and " + command_->name + " keeps it in the image",
         "use RUN --mount=type=secret");
  }

  void check_start(const CommandLine& line) {
    check_once();
    if (line.form == CommandLine::Form::exec || state_.has_shell) return;
    find("JSONArgsRecommended", command_->keyword + " in shell form: signals reach the shell, not the program",
         "write it as a JSON array, or set SHELL if a shell is wanted");
  }

  void check_once() {
    const auto [previous, first] = once_.try_emplace(command_->name, command_);
    if (first) return;
    report_.find("MultipleInstructionsDisallowed", previous->second->range, previous->second->comments,
                 "this " + previous->second->keyword + " has no effect: the stage has a later one", "remove it");
    previous->second = command_;
  }

  void check_port(std::string_view word) {
    const auto port = parse_port(word);
    if (!port.error.empty()) return;
    if (port.upper_case_protocol) {
      find("ExposeProtoCasing", "the protocol in \"" + std::string(word) + "\" should be lower case",
           "write " + lower(word));
    }
    if (port.host_part) {
      find("ExposeInvalidFormat", "\"" + std::string(word) + "\" names an address or host port, which has no effect",
           "write the container's port alone");
    }
  }

  void check_ignored(const std::vector<std::string>& sources) {
    const auto* ignore = request_.ignore;
    if (ignore == nullptr || ignore->has_exceptions()) return;
    for (const auto& source : sources) {
      if (source.find("://") != std::string::npos || source.starts_with("git@")) continue;
      std::string path = source;
      while (path.starts_with("/") || path.starts_with("./")) path.erase(0, path[0] == '/' ? 1 : 2);
      while (path.ends_with('/')) path.pop_back();
      const bool root = path.empty() || path == ".";
      if (root ? !ignore->ignores_all_roots() : !ignore->matches(path)) continue;
      find("CopyIgnoredFile", command_->name + " of \"" + source + "\", which .dockerignore leaves out",
           "remove its pattern from .dockerignore, or this source");
    }
  }

  const Dockerfile& file_;
  const CheckRequest& request_;
  const Scope& globals_;
  CheckReport& report_;
  StageState state_;
  const Command* command_ = nullptr;
  std::map<std::string, const Command*> once_;
};

StageState state_below(const StageInput& from, const std::string& platform, const CheckRequest& request) {
  StageState state;
  state.env["PATH"] = "";
  if (from.image == "scratch") return state;
  const auto names = request.image_env ? request.image_env(from.image, platform) : std::nullopt;
  state.env_known = names.has_value();
  if (names) {
    for (const auto& name : *names) state.env[name] = "";
  }
  return state;
}

}  // namespace

void check_stages(const Dockerfile& dockerfile, const CheckRequest& request, const Scope& globals,
                  const StageGraph& graph, const std::vector<char>& wanted, CheckReport& report) {
  std::vector<StageState> states(dockerfile.stages.size());
  for (std::size_t i = 0; i < dockerfile.stages.size() && i < graph.nodes.size(); ++i) {
    if (graph.nodes[i].inputs.empty()) continue;
    const auto& from = graph.nodes[i].inputs.front();
    const auto& stage = dockerfile.stages[i];
    auto state = from.stage ? states[*from.stage]
                            : state_below(from, resolve_base(dockerfile, stage, globals).platform, request);
    CheckConfig silent;
    silent.skip_all = true;
    CheckReport unheard(dockerfile.ast, silent);
    StageChecker checker(dockerfile, request, globals, wanted[i] != 0 ? report : unheard);
    states[i] = checker.run(stage, std::move(state));
  }
}

}  // namespace drydock::parser::dockerfile
