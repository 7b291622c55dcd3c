#include "executors/step/file_commands.h"
#include "executors/step/shell.h"
#include "executors/step/step_frame.h"
#include "executors/step/step_output.h"

#include <cerrno>
#include <filesystem>
#include <fstream>

namespace drydock::step {
namespace {

namespace fs = std::filesystem;

struct Script {
  std::string run;
  Shell shell;
  std::string directory;
  std::string file;
};

std::string first_line(const std::string& text) {
  const auto start = text.find_first_not_of(" \t\r\n");
  if (start == std::string::npos) return "";
  const auto end = text.find_first_of("\r\n", start);
  return text.substr(start, end == std::string::npos ? end : end - start);
}

/// The step's text, its own or the default shell, and where it runs.
Result<Script> prepare(StepFrame& frame, const Environment& environment) {
  const Context context = frame.context();
  const auto own_or_default = [&](const Text& own, const Text& fallback) {
    return frame.evaluator.string(own.empty() ? fallback : own, context);
  };
  Script script;
  DRYDOCK_ASSIGN(script.directory,
                 own_or_default(frame.step.working_directory, frame.request.default_working_directory));
  DRYDOCK_ASSIGN(const std::string shell, own_or_default(frame.step.shell, frame.request.default_shell));
  const auto lookup = [&](std::string_view name) { return frame.host.find_program(name, environment); };
  DRYDOCK_ASSIGN(script.shell, resolve_shell(shell, lookup));
  DRYDOCK_ASSIGN(script.run, frame.evaluator.string(frame.step.run, context));

  script.directory = (fs::path(frame.request.places.workspace) / script.directory).lexically_normal();
  script.file = frame.request.places.temp + "/step_" + frame.position + script.shell.extension;
  std::ofstream out(script.file, std::ios::binary | std::ios::trunc);
  out << script.shell.script(script.run);
  out.close();
  if (!out) return errno_error("writing " + script.file, errno);
  return script;
}

/// What GitHub shows before the output: the script, the shell and the step's environment.
void show(StepFrame& frame, const Script& script, const ShellCommand& command) {
  Bus& bus = *frame.services.bus;
  const std::string &job = frame.request.key, &step = frame.position;
  bus.publish({.kind = EventKind::group_started, .job = job, .step = step, .name = "Run " + first_line(script.run)});
  std::string text;
  for (std::size_t start = 0; start < script.run.size();) {
    const auto end = std::min(script.run.find('\n', start), script.run.size());
    text += "\x1b[36;1m" + script.run.substr(start, end - start) + "\x1b[0m\n";
    start = end + 1;
  }
  text += "shell: " + command.display + "\n";
  if (!frame.layer.empty()) text += "env:\n";
  for (const auto& [name, value] : frame.layer) text += "  " + name + ": " + value + "\n";
  bus.publish({.kind = EventKind::log, .job = job, .step = step, .text = std::move(text)});
  bus.publish({.kind = EventKind::group_finished, .job = job, .step = step});
}

/// Takes over what the step wrote to its files, in the runner's order; a wrong file fails the step.
bool take_files(StepFrame& frame, const FileCommands& files, StepOutput& output) {
  bool ok = true;
  const auto take = [&](const char* name, auto read, auto use) {
    auto result = (files.*read)();
    if (result) return use(*result);
    output.error("Unable to process file command '" + std::string(name) + "' successfully.", frame.step.place);
    output.error(result.error().message, frame.step.place);
    ok = false;
  };
  ActionEffects& effects = frame.effects;
  take("path", &FileCommands::path, [&](const std::vector<std::string>& directories) {
    effects.path.insert(effects.path.end(), directories.begin(), directories.end());
  });
  take("env", &FileCommands::environment, [&](const KeyValues& pairs) {
    for (const auto& [name, value] : pairs) {
      if (parser::expression::equal_ignoring_case(name, "NODE_OPTIONS")) {
        output.error("Can't store NODE_OPTIONS output parameter using '$GITHUB_ENV' command.", frame.step.place);
      } else {
        effects.environment.emplace_back(name, value);
      }
    }
  });
  take("summary", &FileCommands::summary, [&](const std::string& text) { effects.summary += text; });
  take("state", &FileCommands::state, [&](const KeyValues& pairs) {
    for (const auto& [name, value] : pairs) effects.state[name] = value;
  });
  take("output", &FileCommands::outputs, [&](const KeyValues& pairs) {
    for (const auto& [name, value] : pairs) effects.outputs[name] = value;
  });
  return ok;
}

bool is_true(const Environment& environment, const char* name) {
  const auto found = environment.find(name);
  return found != environment.end() && parser::expression::equal_ignoring_case(found->second, "true");
}

}  // namespace

Handled fail_step(StepFrame& frame, const Error& error, const Place& place) {
  const std::string text = error.to_string();
  frame.annotations.push_back({Level::error, frame.services.bus->masker().mask(text), "", place});
  Event event{.kind = EventKind::message, .job = frame.request.key, .step = frame.position};
  event.level = Level::error;
  event.text = text;
  event.place = place;
  frame.services.bus->publish(std::move(event));
  return {.ok = false, .exit_code = 1, .error = error.code, .message = text};
}

Handled run_script(StepFrame& frame) {
  auto files = FileCommands::create(frame.request.places.temp + "/_runner_file_commands", frame.position);
  if (!files) return fail_step(frame, files.error(), frame.step.place);
  frame.extras.insert(frame.extras.end(), {{"env", files->env_file()}, {"path", files->path_file()},
                                           {"output", files->output_file()}, {"state", files->state_file()},
                                           {"step_summary", files->summary_file()}});
  Environment environment = frame.state.process_environment(frame.layer, frame.extras);
  auto script = prepare(frame, environment);
  if (!script) return fail_step(frame, script.error(), frame.evaluator.place());

  const ShellCommand command = script->shell.command(script->file);
  show(frame, *script, command);
  StepOutput output(*frame.services.bus, frame.request.key, frame.position, {&frame.effects, &frame.annotations},
                    is_true(environment, "ACTIONS_ALLOW_UNSECURE_COMMANDS") ? StepOutput::OldCommands::allowed
                                                                           : StepOutput::OldCommands::refused,
                    frame.request.runner.debug);
  if (std::error_code none; !fs::is_directory(script->directory, none)) {
    return fail_step(frame, make_error(ErrorCode::not_found, "working directory " + script->directory + " does not exist"),
                     frame.step.working_directory.empty() ? frame.step.place : frame.step.working_directory.place);
  }
  ProcessSpec spec;
  spec.argv = command.argv;
  spec.environment = std::move(environment);
  spec.directory = script->directory;
  spec.on_stdout = [&](std::string_view piece) { output.feed(Stream::out, piece); };
  spec.on_stderr = [&](std::string_view piece) { output.feed(Stream::err, piece); };
  const auto ended = frame.host.run(spec, frame.stop);
  output.finish();
  const bool files_ok = take_files(frame, *files, output);
  files->remove();
  if (!ended) return fail_step(frame, ended.error(), frame.step.place);
  if (ended->exit_code != 0 || ended->stopped) {
    // A step that was told to stop is explained by whoever stopped it.
    if (ended->stopped) return {.ok = false, .exit_code = ended->exit_code, .error = ErrorCode::cancelled};
    const std::string why = "Process completed with exit code " + std::to_string(ended->exit_code) + ".";
    auto handled = fail_step(frame, make_error(ErrorCode::failed, why), frame.step.place);
    handled.exit_code = ended->exit_code;
    return handled;
  }
  if (files_ok && !output.command_failed()) return {};
  return {.ok = false, .exit_code = 0, .error = ErrorCode::invalid_input, .message = "a workflow command was wrong"};
}

}  // namespace drydock::step
