#include "executors/base/text.h"
#include "executors/step/shell.h"
#include "executors/step/step_process.h"

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

/// The step's text, its own or the default shell, and where it runs.
Result<Script> prepare(StepFrame& frame, const Environment& environment) {
  const Context context = frame.context();
  const auto own_or_default = [&](const Text& own, const Text& fallback) {
    return frame.evaluator.string(own.empty() ? fallback : own, context);
  };
  // A job's defaults hold for its own steps, not for those of an action.
  const Text none;
  const bool own = !frame.scope.in_action();
  Script script;
  DRYDOCK_ASSIGN(script.directory, own_or_default(frame.step.working_directory,
                                                  own ? frame.request.default_working_directory : none));
  DRYDOCK_ASSIGN(const std::string shell, own_or_default(frame.step.shell, own ? frame.request.default_shell : none));
  const auto lookup = [&](std::string_view name) { return frame.host.find_program(name, environment); };
  DRYDOCK_ASSIGN(script.shell, resolve_shell(shell, lookup));
  DRYDOCK_ASSIGN(script.run, frame.evaluator.string(frame.step.run, context));

  script.directory = (fs::path(frame.request.places.workspace) / script.directory).lexically_normal();
  script.file = frame.request.places.temp + "/step_" + frame.file_tag + script.shell.extension;
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

}  // namespace

Handled run_script(StepFrame& frame) {
  // What a composite action is called by is not what its scripts are: GitHub tells them of no repository.
  if (frame.scope.in_action()) frame.extras.insert(frame.extras.end(), {{"action_repository", ""}, {"action_ref", ""}});
  auto process = StepProcess::prepare(frame);
  if (!process) return fail_step(frame, process.error(), frame.step.place);
  auto script = prepare(frame, process->environment());
  if (!script) return fail_step(frame, script.error(), frame.evaluator.place());

  const ShellCommand command = script->shell.command(script->file);
  show(frame, *script, command);
  if (!frame.host.has_directory(script->directory)) {
    return fail_step(frame, make_error(ErrorCode::not_found, "working directory " + script->directory + " does not exist"),
                     frame.step.working_directory.empty() ? frame.step.place : frame.step.working_directory.place);
  }
  return process->run(StepProcess::Failure::told, [&](TakeText on_stdout, TakeText on_stderr) {
    ProcessSpec spec;
    spec.argv = command.argv;
    spec.environment = process->environment();
    spec.directory = script->directory;
    spec.on_stdout = std::move(on_stdout);
    spec.on_stderr = std::move(on_stderr);
    return frame.host.run(spec, frame.stop);
  });
}

}  // namespace drydock::step
