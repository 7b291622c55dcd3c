#include "parser/dockerfile/commands.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <map>
#include <utility>

#include "parser/dockerfile/duration.h"
#include "parser/dockerfile/text.h"
#include "parser/dockerfile/words.h"

namespace drydock::parser::dockerfile {

namespace {

void at_least_one(const Node& node, std::string_view what) {
  if (!node.arguments.empty()) return;
  throw Wrong{upper(node.keyword) + " needs at least one argument", "add " + std::string(what), ""};
}

const std::string& exactly_one(const Node& node, std::string_view what) {
  if (node.arguments.size() == 1) return node.arguments[0];
  throw Wrong{upper(node.keyword) + " needs exactly one argument", "add " + std::string(what), ""};
}

void no_flags(const Node& node) { Flags(node.flags, upper(node.keyword), {}); }

std::vector<KeyValue> pairs_of(const Node& node) {
  no_flags(node);
  at_least_one(node, "name=value");
  std::vector<KeyValue> pairs;
  for (std::size_t i = 0; i + 2 < node.arguments.size(); i += 3) {
    if (node.arguments[i].empty()) {
      throw Wrong{"a name of " + upper(node.keyword) + " is blank", "write name=value without a blank before =", "="};
    }
    pairs.push_back({node.arguments[i], node.arguments[i + 1], node.arguments[i + 2].empty()});
  }
  return pairs;
}

CommandLine line_of(const Node& node, std::size_t first = 0) {
  CommandLine line;
  line.form = node.form == ArgumentForm::json ? CommandLine::Form::exec : CommandLine::Form::shell;
  line.words.assign(node.arguments.begin() + static_cast<std::ptrdiff_t>(first), node.arguments.end());
  return line;
}

Body env_of(const Ast&, const Node& node) { return Env{pairs_of(node)}; }
Body label_of(const Ast&, const Node& node) { return Label{pairs_of(node)}; }

Body arg_of(const Ast&, const Node& node) {
  at_least_one(node, "a name, or name=default");
  Arg arg;
  for (const auto& word : node.arguments) {
    const auto equals = word.find('=');
    ArgDefinition definition{word.substr(0, equals), std::nullopt, {}};
    if (equals != std::string::npos) definition.value = word.substr(equals + 1);
    if (definition.key.empty()) throw Wrong{"a name of ARG is blank", "write ARG name=default", word};
    definition.description = description_of(node.comments, definition.key);
    arg.definitions.push_back(std::move(definition));
  }
  return arg;
}

NetworkMode network_of(const std::string& text) {
  if (text.empty() || text == "default") return NetworkMode::default_;
  if (text == "none") return NetworkMode::none;
  if (text == "host") return NetworkMode::host;
  throw Wrong{"invalid network mode \"" + text + "\"", "use default, none or host", "--network"};
}

SecurityMode security_of(const std::string& text) {
  if (text.empty() || text == "sandbox") return SecurityMode::sandbox;
  if (text == "insecure") return SecurityMode::insecure;
  throw Wrong{"invalid security mode \"" + text + "\"", "use sandbox or insecure", "--security"};
}

Body run_of(const Ast&, const Node& node) {
  const Flags flags(node.flags, "RUN",
                    {{"mount", FlagKind::list}, {"network"}, {"security"}, {"device", FlagKind::list}});
  if (flags.given("device")) {
    throw Wrong{"RUN --device is not supported", "leave it out, or build this step where the device is not needed",
                "--device"};
  }
  Run run;
  run.line = line_of(node);
  run.heredocs = node.heredocs;
  run.mount_texts = flags.list("mount");
  run.network = network_of(flags.text("network"));
  run.network_given = flags.given("network");
  run.security = security_of(flags.text("security"));
  for (const auto& text : run.mount_texts) {
    auto parsed = parse_mount_unexpanded(text);
    if (!parsed.ok()) throw Wrong{parsed.error, parsed.mend, parsed.fragment};
    run.mounts.push_back(std::move(parsed.mount));
  }
  return run;
}

void fill_transfer(const Node& node, const Flags& flags, Transfer& transfer) {
  const auto& words = node.arguments;
  const bool heredocs = node.form == ArgumentForm::words;
  transfer.chown = flags.text("chown");
  transfer.chmod = flags.text("chmod");
  transfer.link = flags.boolean("link").value_or(false);
  transfer.exclude = flags.list("exclude");
  transfer.destination = words.back();
  if (heredocs && !parse_heredoc_word(words.back()).name.empty()) {
    throw Wrong{upper(node.keyword) + " cannot take a heredoc as its destination", "add a path after it",
                words.back()};
  }
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const auto start = heredocs ? parse_heredoc_word(words[i]) : Heredoc{};
    if (start.name.empty()) {
      transfer.sources.push_back(words[i]);
      continue;
    }
    InlineFile file{start.name, {}, start.expand};
    for (const auto& heredoc : node.heredocs) {
      if (heredoc.name == start.name) file.content = start.chomp ? chomp_tabs(heredoc.content) : heredoc.content;
    }
    transfer.files.push_back(std::move(file));
  }
}

void need_destination(const Node& node) {
  if (node.arguments.size() >= 2) return;
  throw Wrong{upper(node.keyword) + " needs a source and a destination, but has " +
                  (node.arguments.empty() ? "no argument" : "only \"" + node.arguments[0] + "\""),
              "add the destination, for example .", node.arguments.empty() ? "" : node.arguments[0]};
}

Body copy_of(const Ast& ast, const Node& node) {
  need_destination(node);
  const Flags flags(node.flags, "COPY",
                    {{"chown"}, {"from"}, {"chmod"}, {"link", FlagKind::boolean}, {"exclude", FlagKind::list},
                     {"parents", FlagKind::boolean}});
  Copy copy;
  fill_transfer(node, flags, copy);
  copy.from = flags.text("from");
  copy.parents = flags.boolean("parents").value_or(false);
  WordOptions options;
  options.escape = ast.escape;
  if (const auto expanded = expand_word(copy.from, {}, options); !expanded.ok() || expanded.text != copy.from) {
    throw Wrong{"--from of COPY takes no variables", "name a stage with FROM …${ARG}… AS name, and copy from it",
                "--from"};
  }
  return copy;
}

Body add_of(const Ast&, const Node& node) {
  need_destination(node);
  const Flags flags(node.flags, "ADD",
                    {{"chown"}, {"chmod"}, {"link", FlagKind::boolean}, {"keep-git-dir", FlagKind::boolean},
                     {"checksum"}, {"unpack", FlagKind::boolean}, {"exclude", FlagKind::list}});
  Add add;
  fill_transfer(node, flags, add);
  add.keep_git_dir = flags.boolean("keep-git-dir");
  add.checksum = flags.text("checksum");
  add.unpack = flags.boolean("unpack");
  return add;
}

Body workdir_of(const Ast&, const Node& node) {
  no_flags(node);
  return Workdir{exactly_one(node, "a folder")};
}
Body user_of(const Ast&, const Node& node) {
  no_flags(node);
  return User{exactly_one(node, "a user name or number")};
}
Body cmd_of(const Ast&, const Node& node) {
  no_flags(node);
  return Cmd{line_of(node)};
}
Body entrypoint_of(const Ast&, const Node& node) {
  no_flags(node);
  return Entrypoint{line_of(node)};
}
Body stop_signal_of(const Ast&, const Node& node) { return StopSignal{exactly_one(node, "a signal")}; }
Body maintainer_of(const Ast&, const Node& node) {
  no_flags(node);
  return Maintainer{exactly_one(node, "a name")};
}

Body shell_of(const Ast&, const Node& node) {
  no_flags(node);
  at_least_one(node, R"(a JSON array such as ["/bin/bash", "-c"])");
  if (node.form != ArgumentForm::json) {
    throw Wrong{"SHELL takes a JSON array", R"(write SHELL ["/bin/bash", "-c"])", node.arguments[0]};
  }
  return Shell{node.arguments};
}

Body expose_of(const Ast&, const Node& node) {
  no_flags(node);
  at_least_one(node, "a port");
  Expose expose{node.arguments};
  std::sort(expose.ports.begin(), expose.ports.end());
  return expose;
}

Body volume_of(const Ast&, const Node& node) {
  no_flags(node);
  at_least_one(node, "a folder");
  Volume volume;
  for (const auto& path : node.arguments) {
    if (trim(path).empty()) throw Wrong{"a path of VOLUME is empty", "give each volume a folder", ""};
    volume.paths.emplace_back(trim(path));
  }
  return volume;
}

std::chrono::nanoseconds interval_of(const Flags& flags, std::string_view name) {
  const auto text = flags.text(name);
  const auto flag = "--" + std::string(name);
  if (text.empty()) return {};
  const auto parsed = parse_duration(text);
  if (!parsed) throw Wrong{"\"" + text + "\" is no duration for " + flag, "write it like 30s or 1m30s", flag};
  if (parsed->count() != 0 && *parsed < std::chrono::milliseconds(1)) {
    throw Wrong{flag + " cannot be less than 1ms", "use 0 to inherit the value", flag};
  }
  return *parsed;
}

int retries_of(const Flags& flags) {
  const auto text = flags.text("retries");
  if (text.empty()) return 0;
  int retries = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), retries);
  if (code != std::errc{} || end != text.data() + text.size() || retries < 0) {
    throw Wrong{"--retries takes a number from 0, not \"" + text + "\"", "write --retries=3", "--retries"};
  }
  return retries;
}

Body healthcheck_of(const Ast&, const Node& node) {
  at_least_one(node, "CMD and a command, or NONE");
  const auto type = upper(node.arguments[0]);
  Healthcheck check;
  if (type == "NONE") {
    if (node.arguments.size() > 1) {
      throw Wrong{"HEALTHCHECK NONE takes no arguments", "leave out what follows NONE", node.arguments[1]};
    }
    check.test = {type};
    return check;
  }
  const Flags flags(node.flags, "HEALTHCHECK",
                    {{"interval"}, {"timeout"}, {"start-period"}, {"start-interval"}, {"retries"}});
  if (type != "CMD") {
    throw Wrong{"unknown type \"" + node.arguments[0] + "\" in HEALTHCHECK", "put CMD before the command",
                node.arguments[0]};
  }
  const auto line = line_of(node, 1);
  if (line.words.empty()) throw Wrong{"HEALTHCHECK CMD has no command", "add a command after CMD", ""};
  check.test = line.words;
  check.test.insert(check.test.begin(), line.form == CommandLine::Form::exec ? "CMD" : "CMD-SHELL");
  check.interval = interval_of(flags, "interval");
  check.timeout = interval_of(flags, "timeout");
  check.start_period = interval_of(flags, "start-period");
  check.start_interval = interval_of(flags, "start-interval");
  check.retries = retries_of(flags);
  return check;
}

Wrong unknown_instruction(const std::string& keyword) {
  const auto near = near_miss(upper(keyword), instruction_names(), Case::sensitive);
  const auto shown = keyword == lower(keyword) ? lower(near) : near;
  return {"unknown instruction " + keyword,
          near.empty() ? "a line that goes on needs the escape character at the end of the line before"
                       : "did you mean " + shown + "?",
          keyword};
}

Body onbuild_of(const Ast& ast, const Node& node) {
  no_flags(node);
  if (node.trigger.empty()) throw Wrong{"ONBUILD needs an instruction", "add one after ONBUILD", ""};
  const Node& trigger = node.trigger.front();
  const auto name = upper(trigger.keyword);
  if (name == "ONBUILD" || name == "FROM" || name == "MAINTAINER") {
    throw Wrong{name + " cannot be a trigger of ONBUILD", "put the instruction itself here", trigger.keyword};
  }
  Node inner = trigger;
  inner.heredocs = node.heredocs;
  inner.start_line = node.start_line;
  inner.end_line = node.end_line;
  (void)command_of(ast, inner);  // a wrong trigger would only show in another build
  auto expression = std::string(trim_left(trim_left(node.original).substr(node.keyword.size())));
  for (const auto& heredoc : node.heredocs) expression += "\n" + heredoc.content + heredoc.name;
  return Onbuild{std::move(expression)};
}

using Maker = Body (*)(const Ast&, const Node&);

const std::map<std::string, Maker>& makers() {
  static const std::map<std::string, Maker> table{
      {"ADD", add_of},         {"ARG", arg_of},           {"CMD", cmd_of},
      {"COPY", copy_of},       {"ENTRYPOINT", entrypoint_of}, {"ENV", env_of},
      {"EXPOSE", expose_of},   {"HEALTHCHECK", healthcheck_of}, {"LABEL", label_of},
      {"MAINTAINER", maintainer_of}, {"ONBUILD", onbuild_of}, {"RUN", run_of},
      {"SHELL", shell_of},     {"STOPSIGNAL", stop_signal_of}, {"USER", user_of},
      {"VOLUME", volume_of},   {"WORKDIR", workdir_of}};
  return table;
}

bool is_stage_name(std::string_view name) {
  const auto letter = [](char c) { return c >= 'a' && c <= 'z'; };
  return !name.empty() && letter(name[0]) && std::all_of(name.begin(), name.end(), [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
}

}  // namespace

const std::vector<std::string>& instruction_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all{"FROM"};
    for (const auto& [name, maker] : makers()) all.push_back(name);
    return all;
  }();
  return names;
}

std::string description_of(const std::vector<std::string>& comments, std::string_view name) {
  for (const auto& comment : comments) {
    if (comment.size() > name.size() && comment.starts_with(name) && comment[name.size()] == ' ') {
      return comment.substr(name.size() + 1);
    }
  }
  return {};
}

Command command_of(const Ast& ast, const Node& node) {
  const auto maker = makers().find(upper(node.keyword));
  if (maker == makers().end()) throw unknown_instruction(node.keyword);
  return {maker->first,   node.keyword, std::string(trim(node.original)), ast.extent_of(node),
          node.comments, false,        maker->second(ast, node)};
}

Stage stage_of(const Ast& ast, const Node& node) {
  const auto& words = node.arguments;
  const bool named = words.size() == 3 && equal_ignoring_case(words[1], "as");
  if (!named && words.size() != 1) {
    throw Wrong{"FROM takes an image, or an image, AS and a name", "write FROM image AS name",
                words.size() > 1 ? words[1] : ""};
  }
  const Flags flags(node.flags, "FROM", {{"platform"}});
  Stage stage;
  stage.base_name = words[0];
  if (named) {
    stage.as_keyword = words[1];
    stage.written_name = words[2];
    stage.name = lower(words[2]);
    if (!is_stage_name(stage.name)) {
      throw Wrong{"invalid stage name \"" + words[2] + "\"",
                  "a name starts with a letter and has letters, digits, '-', '_' and '.' only", words[2]};
    }
    stage.description = description_of(node.comments, stage.name);
  }
  stage.platform = flags.text("platform");
  stage.keyword = node.keyword;
  stage.source = trim(node.original);
  stage.range = ast.extent_of(node);
  stage.comments = node.comments;
  return stage;
}

}  // namespace drydock::parser::dockerfile
