#include "executors/step/action_inputs.h"
#include "executors/step/step_frame.h"

namespace drydock::step {
namespace {

ActionContext context_for(StepFrame& frame, const Inputs& inputs) {
  ActionSetup setup;
  setup.job = frame.request.key;
  setup.step = frame.position;
  setup.uses = frame.step.uses.text;
  setup.inputs.insert(inputs.begin(), inputs.end());
  setup.environment = frame.state.process_environment(frame.layer, frame.extras);
  add_action_variables(frame, inputs, setup.environment);
  setup.in_place = [&host = frame.host](const ProcessSpec& spec, std::stop_token stop) { return host.run(spec, stop); };
  setup.github = frame.context().value("github").to_json();
  setup.state = frame.use.state;
  setup.places = frame.request.places;
  setup.runner = frame.request.runner;
  // `container:` puts the job's steps into one, whatever isolation was asked for.
  if (!frame.context().value("job").member("container").is_null()) setup.runner.isolation = Isolation::container;
  setup.annotations = &frame.annotations;
  setup.bus = frame.services.bus;
  setup.builder = frame.services.builder;
  setup.stop = frame.stop;
  return ActionContext(std::move(setup));
}

Handled ended(StepFrame& frame, const Status& status) {
  if (status) return {};
  if (frame.stop.stop_requested()) return stopped_step(1);
  return fail_step(frame, Status(status).error(), frame.step.uses.place);
}

}  // namespace

Handled run_native(StepFrame& frame) {
  const auto inputs = evaluate_inputs(frame);
  if (!inputs) return fail_step(frame, inputs.error(), frame.evaluator.place());
  show_action(frame, *inputs);
  ActionContext context = context_for(frame, *inputs);
  const NativeAction& action = *frame.use.action->native;
  const Status status = frame.stage == ActionStage::post ? action.post(context) : action.main(context);
  frame.effects = context.effects();
  return ended(frame, status);
}

}  // namespace drydock::step
