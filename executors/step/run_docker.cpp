#include "executors/base/fs.h"
#include "executors/step/action_inputs.h"
#include "executors/step/from_model.h"
#include "executors/step/load_action.h"
#include "executors/step/shell.h"
#include "executors/step/step_process.h"

namespace drydock::step {
namespace {

std::optional<std::string> entrypoint_of(const StepFrame& frame, const Inputs& inputs) {
  const LoadedAction& action = *frame.use.action;
  const auto text = [](const std::optional<parser::workflow::Text>& named) {
    return named && !named->value.empty() ? std::optional(named->value) : std::nullopt;
  };
  if (frame.stage == ActionStage::pre) return text(action.metadata->pre_entrypoint);
  if (frame.stage == ActionStage::post) return text(action.metadata->post_entrypoint);
  if (action.has_metadata() && text(action.metadata->entrypoint)) return text(action.metadata->entrypoint);
  const std::string given = input_of(inputs, "entryPoint");
  return given.empty() ? std::nullopt : std::optional(given);
}

/// Of the metadata, which see the action's own inputs; else `with.args`, as one command line.
Result<std::vector<std::string>> arguments_of(StepFrame& frame, const Inputs& inputs, const Context& context) {
  const LoadedAction& action = *frame.use.action;
  if (!action.has_metadata() || !action.metadata->args) return split_arguments(input_of(inputs, "args"));
  std::vector<std::string> out;
  for (const auto& item : action.metadata->args->items) {
    DRYDOCK_ASSIGN(std::string argument, frame.evaluator.string(text_of(item, action.metadata->file), context));
    out.push_back(std::move(argument));
  }
  return out;
}

Result<Environment> environment_of(StepFrame& frame, const Inputs& inputs, const Context& context) {
  Environment environment = frame.state.container_environment(frame.layer, frame.extras);
  add_action_variables(frame, inputs, environment);
  const LoadedAction& action = *frame.use.action;
  if (action.has_metadata() && action.metadata->env) {
    DRYDOCK_ASSIGN(auto own, frame.evaluator.map(map_of(action.metadata->env, action.metadata->file), context));
    for (auto& [name, value] : own) environment.emplace(std::move(name), std::move(value));
  }
  const std::string home = frame.request.places.temp + "/_github_home";
  DRYDOCK_TRY(make_directories(home));
  environment["HOME"] = home;
  return environment;
}

Result<ActionContainer> container_for(StepFrame& frame, const Inputs& inputs) {
  Scope own = frame.scope;
  own.inputs = inputs_context(inputs);
  const Context context = frame.state.context(own, frame.layer, frame.extras);
  ActionContainer container = container_of(*frame.use.action);
  container.entrypoint = entrypoint_of(frame, inputs);
  DRYDOCK_ASSIGN(container.args, arguments_of(frame, inputs, context));
  DRYDOCK_ASSIGN(container.environment, environment_of(frame, inputs, context));
  container.directory = frame.request.places.workspace;
  return container;
}

}  // namespace

Handled run_docker(StepFrame& frame) {
  auto process = StepProcess::prepare(frame);
  if (!process) return fail_step(frame, process.error(), frame.step.place);
  const auto inputs = evaluate_inputs(frame);
  if (!inputs) return fail_step(frame, inputs.error(), frame.evaluator.place());
  auto container = container_for(frame, *inputs);
  if (!container) return fail_step(frame, container.error(), frame.evaluator.place());
  show_action(frame, *inputs);
  return process->run(StepProcess::Failure::silent, [&](TakeText on_stdout, TakeText on_stderr) {
    container->on_stdout = std::move(on_stdout);
    container->on_stderr = std::move(on_stderr);
    return frame.host.run_container(*container, frame.stop);
  });
}

}  // namespace drydock::step
