#include "executors/step/step_process.h"

#include "executors/base/masker.h"
#include "executors/step/step_output.h"

namespace drydock::step {
namespace {

/// What a step may name by an absolute path: on this machine all; otherwise what lies at one place inside and outside,
/// and for a container action GitHub's places.
ArtifactPlaces artifact_places(const StepFrame& frame) {
  const JobPlaces& places = frame.request.places;
  ArtifactPlaces out{.workspace = places.workspace, .shared = {}};
  if (frame.use.action && frame.use.action->kind == LoadedAction::Kind::docker) {
    out.shared = {{"/github/workspace", places.workspace}, {"/github/home", places.temp + "/_github_home"}, {"/github/runner_temp", places.temp}};
  } else if (frame.request.runner.isolation != Isolation::host || !frame.request.container.empty()) {
    for (const auto* place : {&places.workspace, &places.temp, &places.tool_cache}) out.shared.emplace_back(*place, *place);
  }
  return out;
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
  // A summary that is too large is an error to read, and fails nothing.
  if (const auto summary = files.summary()) effects.summary += *summary;
  else output.error(summary.error().message, frame.step.place);
  take("state", &FileCommands::state, [&](const KeyValues& pairs) {
    for (const auto& [name, value] : pairs) effects.state[name] = value;
  });
  take("output", &FileCommands::outputs, [&](const KeyValues& pairs) {
    for (const auto& [name, value] : pairs) effects.outputs[name] = value;
  });
  take("artifacts", &FileCommands::artifacts, [&](const std::string& text) {
    auto& subjects = frame.state.artifacts();
    const auto added = subjects.declare(text, artifact_places(frame));
    if (!added) {
      output.error("Unable to process file command 'artifacts' successfully.", frame.step.place);
      output.error(added.error().message, frame.step.place);
      ok = false;
    } else if (*added > 0) {
      effects.artifacts = subjects.list();
      output.feed(Stream::out, "Captured " + std::to_string(*added) + " artifact subject(s) from this step (job total: " +
                                   std::to_string(subjects.size()) + ").\n");
    }
  });
  return ok;
}

bool is_true(const Environment& environment, const char* name) {
  const auto found = environment.find(name);
  return found != environment.end() && parser::expression::equal_ignoring_case(found->second, "true");
}

StepOutput::Rules rules_for(const StepFrame& frame, const Environment& environment) {
  StepOutput::Rules rules{.debug = frame.request.runner.debug};
  if (is_true(environment, "ACTIONS_ALLOW_UNSECURE_COMMANDS")) rules.old_commands = StepOutput::OldCommands::allowed;
  if (is_true(environment, "ACTIONS_ALLOW_UNSECURE_STOPCOMMAND_TOKENS")) rules.stop_tokens = StepOutput::StopTokens::any;
  return rules;
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

void warn(StepFrame& frame, std::string text, const Place& place) {
  frame.annotations.push_back({Level::warning, frame.services.bus->masker().mask(text), "", place});
  Event event{.kind = EventKind::message, .job = frame.request.key, .step = frame.position};
  event.level = Level::warning;
  event.text = std::move(text);
  event.place = place;
  frame.services.bus->publish(std::move(event));
}

Handled stopped_step(int exit_code) { return {.ok = false, .exit_code = exit_code, .error = ErrorCode::cancelled}; }

StepProcess::StepProcess(StepFrame& frame, FileCommands files)
    : frame_(&frame), files_(std::move(files)), environment_(frame.state.process_environment(frame.layer, frame.extras)) {}

Result<StepProcess> StepProcess::prepare(StepFrame& frame) {
  auto files = FileCommands::create(frame.request.places.temp + "/_runner_file_commands", frame.file_tag,
                                    frame.state.artifacts().list());
  if (!files) return std::move(files).error();
  frame.extras.insert(frame.extras.end(), {{"env", files->env_file()}, {"path", files->path_file()},
                                           {"output", files->output_file()}, {"state", files->state_file()},
                                           {"step_summary", files->summary_file()}, {"artifacts", files->artifacts_file()},
                                           {"artifacts_list", files->artifacts_list_file()}});
  return StepProcess(frame, std::move(*files));
}

Handled StepProcess::run(Failure failure, const StartProgram& start) {
  StepFrame& frame = *frame_;
  StepOutput output(*frame.services.bus, frame.request.key, frame.position, {&frame.effects, &frame.annotations, &frame.state.matchers()},
                    rules_for(frame, environment_));
  const auto ended = start([&](std::string_view piece) { output.feed(Stream::out, piece); },
                           [&](std::string_view piece) { output.feed(Stream::err, piece); });
  output.finish();
  const bool files_ok = take_files(frame, files_, output);
  files_.remove();
  if (!ended) {
    if (frame.stop.stop_requested()) return stopped_step(1);
    return fail_step(frame, ended.error(), frame.step.place);
  }
  if (ended->stopped) return stopped_step(ended->exit_code);
  if (ended->exit_code != 0) {
    const std::string why = "Process completed with exit code " + std::to_string(ended->exit_code) + ".";
    Handled handled{.ok = false, .error = ErrorCode::failed, .message = why};
    if (failure == Failure::told) handled = fail_step(frame, make_error(ErrorCode::failed, why), frame.step.place);
    handled.exit_code = ended->exit_code;
    return handled;
  }
  if (files_ok && !output.command_failed()) return {};
  return {.ok = false, .exit_code = 0, .error = ErrorCode::invalid_input, .message = "a workflow command was wrong"};
}

}  // namespace drydock::step
