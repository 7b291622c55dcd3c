#include "executors/step/step_output.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "executors/base/fs.h"
#include "executors/base/text.h"

namespace drydock::step {
namespace {

constexpr std::size_t k_longest_line = 1024 * 1024;

int to_int(const std::string& text) {
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// Lines and columns as the runner takes them: an end without a beginning is one, columns mean one line alone, and
/// what runs backwards is dropped.
Place place_in(const WorkflowCommand& command) {
  Place place{command.property("file"), to_int(command.property("line")), to_int(command.property("col"))};
  const int end_line = to_int(command.property("endLine")), end_column = to_int(command.property("endColumn"));
  if (!place.line) place.line = end_line;
  if (!place.column) place.column = end_column;
  if (!place.line || (end_line && end_line != place.line) || (end_column && end_column < place.column)) place.column = 0;
  if (end_line && end_line < place.line) place.line = 0;
  return place;
}

}  // namespace

StepOutput::StepOutput(Bus& bus, std::string job, std::string step, Sinks sinks, Rules rules)
    : bus_(bus), job_(std::move(job)), step_(std::move(step)), sinks_(sinks), rules_(rules),
      out_(bus.masker()), err_(bus.masker()) {}

void StepOutput::feed(Stream stream, std::string_view piece) {
  std::lock_guard lock(mutex_);
  Pipe& pipe = stream == Stream::out ? out_ : err_;
  while (!piece.empty()) {
    const auto end = piece.find('\n');
    pipe.line += piece.substr(0, end);
    if (end == std::string_view::npos) {
      if (pipe.line.size() > k_longest_line) {
        publish_log(stream, pipe.mask.feed(pipe.line));
        pipe.line.clear();
        pipe.overlong = true;
      }
      return;
    }
    piece.remove_prefix(end + 1);
    if (pipe.overlong) {
      publish_log(stream, pipe.mask.feed(pipe.line) + pipe.mask.flush() + "\n");
      pipe.overlong = false;
    } else {
      line(stream, std::move(pipe.line));
    }
    pipe.line.clear();
  }
}

void StepOutput::finish() {
  std::lock_guard lock(mutex_);
  for (const Stream stream : {Stream::out, Stream::err}) {
    Pipe& pipe = stream == Stream::out ? out_ : err_;
    if (pipe.overlong) publish_log(stream, pipe.mask.feed(pipe.line) + pipe.mask.flush() + "\n");
    else if (!pipe.line.empty()) line(stream, std::move(pipe.line));
    pipe.line.clear();
    pipe.overlong = false;
  }
}

void StepOutput::publish_log(Stream stream, std::string text) {
  Event event{.kind = EventKind::log, .job = job_, .step = step_};
  event.stream = stream;
  event.text = std::move(text);
  bus_.publish(std::move(event));
}

void StepOutput::message(Level level, std::string text, std::string title, Place place) {
  if (sinks_.annotations && level != Level::debug) {
    sinks_.annotations->push_back({level, bus_.masker().mask(text), bus_.masker().mask(title), place});
  }
  Event event{.kind = EventKind::message, .job = job_, .step = step_, .name = std::move(title)};
  event.level = level;
  event.text = std::move(text);
  event.place = std::move(place);
  bus_.publish(std::move(event));
}

void StepOutput::error(std::string text, Place place) { message(Level::error, std::move(text), "", std::move(place)); }
void StepOutput::warning(std::string text, Place place) {
  message(Level::warning, std::move(text), "", std::move(place));
}

void StepOutput::line(Stream stream, std::string text) {
  if (text.ends_with('\r')) text.pop_back();
  const auto known = [this](std::string_view name) {
    return is_known_command(name) || (!stop_token_.empty() && name == lower(stop_token_));
  };
  if (text.find("::") != std::string::npos || text.find("##[") != std::string::npos) {
    const auto command = parse_workflow_command(text, known);
    if (command && obey(*command, text, stream)) return;
  }
  if (find_problem(stream, text)) return;
  publish_log(stream, text + "\n");
}

bool StepOutput::obey(const WorkflowCommand& command, const std::string& text, Stream stream) {
  if (!stop_token_.empty()) {
    if (command.name != lower(stop_token_)) return false;
    stop_token_.clear();
    publish_log(stream, text + "\n");
    return true;
  }
  failure_.clear();
  const bool silent = command.name == "add-mask" || command.name == "debug" || command.name == "error" ||
                      command.name == "warning" || command.name == "notice";
  if (echo_ && !silent && command.name != "stop-commands") publish_log(stream, text + "\n");
  obey_known(command, stream);
  if (command.name == "stop-commands" && failure_.empty()) publish_log(stream, text + "\n");
  if (!failure_.empty()) {
    error("Unable to process command '" + (silent ? command.name : text) + "' successfully.");
    error(failure_);
    command_failed_ = true;
  }
  return true;
}

void StepOutput::obey_known(const WorkflowCommand& command, Stream stream) {
  const std::string& name = command.name;
  if (name == "error" || name == "warning" || name == "notice") return obey_issue(command);
  if (name == "debug") return debug(command.data);
  if (name == "group") return bus_.publish({.kind = EventKind::group_started, .job = job_, .step = step_, .name = command.data});
  if (name == "endgroup") return bus_.publish({.kind = EventKind::group_finished, .job = job_, .step = step_});
  if (name == "add-mask") return add_masks(command, stream);
  if (name == "echo") return obey_echo(command);
  if (name == "stop-commands") return stop_commands(command.data);
  if (name == "add-matcher") return add_matcher(command.data);
  if (name == "remove-matcher") return remove_matcher(command);
  obey_environment(command);
}

/// The older commands for what steps leave behind; files have taken their place.
void StepOutput::obey_environment(const WorkflowCommand& command) {
  const std::string& name = command.name;
  const std::string key = command.property("name");
  ActionEffects& effects = *sinks_.effects;
  if ((name == "set-env" || name == "add-path") && rules_.old_commands == OldCommands::refused) return refuse_unsecure(name);
  if ((name == "set-output" || name == "save-state") && warned_.insert(name).second) {
    warning("The `" + name + "` command is deprecated and will be disabled soon. Please upgrade to using Environment Files.");
  }
  if (name == "add-path") {
    if (command.data.empty()) failure_ = "Value cannot be empty. (Parameter 'path')";
    else effects.path.push_back(command.data);
    return;
  }
  if (name != "set-output" && name != "save-state" && name != "set-env") return;
  if (key.empty()) {
    failure_ = "Required field 'name' is missing in ##[" + name + "] command.";
  } else if (name == "set-output") {
    effects.outputs[key] = command.data;
  } else if (name == "save-state") {
    effects.state[key] = command.data;
  } else if (lower(key) == "node_options") {
    error("Can't update NODE_OPTIONS environment variable using ::set-env:: command.");
  } else {
    effects.environment.emplace_back(key, command.data);
  }
}

void StepOutput::obey_issue(const WorkflowCommand& command) {
  const std::string& name = command.name;
  Place place = place_in(command);
  if (sinks_.matchers && !place.file.empty()) {
    const std::filesystem::path workspace = sinks_.matchers->workspace();
    const auto relative = std::filesystem::path(place.file).lexically_relative(workspace);
    if (!relative.empty() && *relative.begin() != "..") place.file = relative.string();
  }
  const Level level = name == "error" ? Level::error : name == "warning" ? Level::warning : Level::notice;
  message(level, command.data, command.property("title"), std::move(place));
}

void StepOutput::obey_echo(const WorkflowCommand& command) {
  const std::string state = lower(command.data);
  if (state == "on" || state == "off") echo_ = state == "on";
  else failure_ = "Invalid echo command value. Possible values can be: 'on', 'off'. Current value is: '" + command.data + "'.";
}

void StepOutput::debug(std::string text) {
  if (rules_.debug) message(Level::debug, std::move(text), "", {});
}

void StepOutput::add_masks(const WorkflowCommand& command, Stream stream) {
  if (command.data.find_first_not_of(" \t\r\n") == std::string::npos) {
    warning("Can't add secret mask for empty string in ##[add-mask] command.");
    return;
  }
  if (echo_) publish_log(stream, "::add-mask::***\n");
  const bool known = bus_.masker().mask(command.data) != command.data;
  bus_.masker().add(command.data);
  // What is too short to be masked is no loss.
  if (!known && sinks_.effects && bus_.masker().mask(command.data) != command.data) sinks_.effects->masks = true;
}

void StepOutput::stop_commands(const std::string& token) {
  const bool unsafe = token.empty() || is_known_command(lower(token)) || lower(token) == "pause-logging";
  if (unsafe && rules_.stop_tokens == StopTokens::unique) {
    failure_ = "Invoking ::stop-commands:: with the token '" + token + "' is not allowed: choose a unique one.";
    return;
  }
  stop_token_ = token;
  // Who reads the log must not learn how to switch commands on again.
  constexpr std::size_t k_longest_shown = 6;
  if (token.size() > k_longest_shown) bus_.masker().add(token);
}

void StepOutput::refuse_unsecure(const std::string& name) {
  failure_ = "The `" + name + "` command is disabled. Please upgrade to using Environment Files (" +
             (name == "set-env" ? "GITHUB_ENV" : "GITHUB_PATH") +
             ") or opt into unsecure command execution by setting the `ACTIONS_ALLOW_UNSECURE_COMMANDS` environment "
             "variable to `true`.";
}

std::optional<Matchers> StepOutput::read_matchers(const std::string& file, std::string* source) {
  const std::string path = (std::filesystem::path(sinks_.matchers->workspace()) / file).string();
  const auto text = read_file(path);
  auto matchers = text ? parse_matchers(*text, path) : Result<Matchers>(text.error());
  if (matchers && source) *source = *text;
  if (matchers) return std::move(*matchers);
  failure_ = matchers.error().to_string();
  return std::nullopt;
}

void StepOutput::add_matcher(const std::string& file) {
  if (!sinks_.matchers) return;
  if (file.empty()) return warning("File path must be specified.");
  std::string text;
  const auto matchers = read_matchers(file, &text);
  if (!matchers || matchers->empty()) return;
  sinks_.matchers->add(*matchers);
  if (sinks_.effects) sinks_.effects->matchers.push_back({file, std::move(text)});
  std::string owners;
  for (const auto& matcher : *matchers) owners += (owners.empty() ? "'" : ", '") + matcher->owner + "'";
  debug("Added matchers: " + owners + ". MatchedProblem matchers scan action output for known warning or error strings and report these inline.");
}

void StepOutput::remove_matcher(const WorkflowCommand& command) {
  if (!sinks_.matchers) return;
  const std::string owner = command.property("owner");
  if (!owner.empty() && !command.data.empty()) {
    return warning("Either specify an owner name or a file path in ##[remove-matcher] command. Both values cannot be set.");
  }
  if (owner.empty() && command.data.empty()) {
    return warning("Either an owner name or a file path must be specified in ##[remove-matcher] command.");
  }
  std::vector<std::string> owners;
  if (!owner.empty()) {
    owners.push_back(owner);
  } else {
    const auto matchers = read_matchers(command.data);
    if (!matchers) return;
    for (const auto& matcher : *matchers) owners.push_back(matcher->owner);
  }
  sinks_.matchers->remove(owners);
  if (!sinks_.effects) return;
  for (const auto& each : owners) sinks_.effects->matchers.push_back({"", each});
}

/// True when the line is a problem, which an annotation tells from now on.
bool StepOutput::find_problem(Stream stream, const std::string& text) {
  if (!sinks_.matchers) return false;
  Pipe& pipe = stream == Stream::out ? out_ : err_;
  sinks_.matchers->update(pipe.matchers, pipe.matchers_seen);
  if (pipe.matchers.empty()) return false;
  const std::string plain = without_colours(text);
  for (auto& state : pipe.matchers) {
    const auto problem = state.feed(plain);
    if (!problem) {
      warning("Removing issue matcher '" + state.matcher()->owner + "'. It failed: " + problem.error().message);
      sinks_.matchers->remove(state.matcher());
      continue;
    }
    if (!*problem) continue;
    for (auto& other : pipe.matchers) {
      if (&other != &state) other.reset();
    }
    if (report_problem(**problem, stream, plain)) return true;
  }
  return false;
}

/// The line stays in the log; the annotation says what and where.
bool StepOutput::report_problem(const MatchedProblem& problem, Stream stream, const std::string& line) {
  const std::string text = problem.message.value_or("");
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) return false;
  const std::string severity = lower(problem.severity.value_or(""));
  if (!severity.empty() && severity != "error" && severity != "warning" && severity != "notice") return false;
  const Level level = severity == "warning" ? Level::warning : severity == "notice" ? Level::notice : Level::error;
  publish_log(stream, line + "\n");
  message(level, text, "",
          {sinks_.matchers->file_of(problem).value_or(""), to_int(problem.line.value_or("")), to_int(problem.column.value_or(""))});
  return true;
}

}  // namespace drydock::step
