#include "executors/step/step_output.h"

#include <algorithm>
#include <charconv>
#include <sstream>

namespace drydock::step {
namespace {

constexpr std::size_t k_longest_line = 1024 * 1024;

int to_int(const std::string& text) {
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

Place place_in(const WorkflowCommand& command) {
  return {command.property("file"), to_int(command.property("line")), to_int(command.property("col"))};
}

}  // namespace

StepOutput::StepOutput(Bus& bus, std::string job, std::string step, Sinks sinks, OldCommands old_commands, bool debug)
    : bus_(bus), job_(std::move(job)), step_(std::move(step)), sinks_(sinks), old_commands_(old_commands),
      debug_(debug), out_(bus.masker()), err_(bus.masker()) {}

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
  if (command.name == "stop-commands") publish_log(stream, text + "\n");
  else if (echo_ && command.name != "add-mask") publish_log(stream, text + "\n");
  obey_known(command);
  if (!failure_.empty()) {
    error("Unable to process command '" + text + "' successfully.");
    error(failure_);
    command_failed_ = true;
  }
  return true;
}

void StepOutput::obey_known(const WorkflowCommand& command) {
  const std::string& name = command.name;
  ActionEffects& effects = *sinks_.effects;
  const auto deprecated = [&] {
    if (!warned_.insert(name).second) return;
    warning("The `" + name + "` command is deprecated and will be disabled soon. Please upgrade to using Environment Files.");
  };
  const std::string key = command.property("name");
  if ((name == "set-output" || name == "save-state" || name == "set-env") && key.empty()) {
    failure_ = "Required field 'name' is missing in ##[" + name + "] command.";
  } else if (name == "error" || name == "warning" || name == "notice") {
    const Level level = name == "error" ? Level::error : name == "warning" ? Level::warning : Level::notice;
    message(level, command.data, command.property("title"), place_in(command));
  } else if (name == "debug") {
    if (debug_) message(Level::debug, command.data, "", {});
  } else if (name == "group") {
    bus_.publish({.kind = EventKind::group_started, .job = job_, .step = step_, .name = command.data});
  } else if (name == "endgroup") {
    bus_.publish({.kind = EventKind::group_finished, .job = job_, .step = step_});
  } else if (name == "add-mask") {
    add_masks(command);
  } else if (name == "echo") {
    const std::string state = lower(command.data);
    if (state == "on" || state == "off") echo_ = state == "on";
    else failure_ = "Invalid echo command value. Possible values can be: 'on', 'off'. Current value is: '" + command.data + "'.";
  } else if (name == "stop-commands") {
    stop_commands(command.data);
  } else if (name == "set-output") {
    deprecated();
    effects.outputs[key] = command.data;
  } else if (name == "save-state") {
    deprecated();
    effects.state[key] = command.data;
  } else if (name == "set-env") {
    if (old_commands_ == OldCommands::allowed) effects.environment.emplace_back(key, command.data);
    else refuse_unsecure(name, "GITHUB_ENV");
  } else if (name == "add-path") {
    if (old_commands_ == OldCommands::allowed) effects.path.push_back(command.data);
    else refuse_unsecure(name, "GITHUB_PATH");
  } else if (name == "add-matcher" && warned_.insert(name).second) {
    message(Level::notice, "problem matchers are not applied yet: " + command.data, "", {});
  }
}

void StepOutput::add_masks(const WorkflowCommand& command) {
  if (command.data.find_first_not_of(" \t\r\n") == std::string::npos) {
    warning("Can't add secret mask for empty string in ##[add-mask] command.");
    return;
  }
  bus_.masker().add(command.data);
}

void StepOutput::stop_commands(const std::string& token) {
  if (token.empty() || is_known_command(lower(token)) || lower(token) == "pause-logging") {
    failure_ = "Invoking ::stop-commands:: with the token '" + token + "' is not allowed: choose a unique one.";
    return;
  }
  stop_token_ = token;
}

void StepOutput::refuse_unsecure(const std::string& name, const char* file) {
  failure_ = "The `" + name + "` command is disabled. Write to the file named by $" + file +
             " instead, or opt into unsecure command execution by setting the environment variable "
             "`ACTIONS_ALLOW_UNSECURE_COMMANDS` to `true`.";
}

}  // namespace drydock::step
