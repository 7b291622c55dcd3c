#include "executors/step/action_inputs.h"
#include "executors/step/step_process.h"

#include <filesystem>

namespace drydock::step {
namespace {

const std::string& script_of(const StepFrame& frame) {
  const auto& metadata = *frame.use.action->metadata;
  switch (frame.stage) {
    case ActionStage::pre: return metadata.pre->value;
    case ActionStage::post: return metadata.post->value;
    default: return metadata.main->value;
  }
}

Result<std::string> program_of(StepFrame& frame) {
  const int wanted = node_major(frame.use.action->metadata->using_.value);
  DRYDOCK_ASSIGN(const Node node, find_node(frame.services.node, wanted, frame.host.environment()));
  return frame.host.node_program(node.program);
}

}  // namespace

Handled run_javascript(StepFrame& frame) {
  auto process = StepProcess::prepare(frame);
  if (!process) return fail_step(frame, process.error(), frame.step.place);
  const auto inputs = evaluate_inputs(frame);
  if (!inputs) return fail_step(frame, inputs.error(), frame.evaluator.place());
  const auto program = program_of(frame);
  if (!program) return fail_step(frame, program.error(), frame.step.uses.place);
  add_action_variables(frame, *inputs, process->environment());
  process->environment().erase("NODE_ICU_DATA");  // of the machine's own Node, not of this one
  show_action(frame, *inputs);
  return process->run(StepProcess::Failure::silent, [&](TakeText on_stdout, TakeText on_stderr) {
    ProcessSpec spec;
    spec.argv = {*program, (std::filesystem::path(frame.use.action->directory) / script_of(frame)).lexically_normal()};
    spec.environment = process->environment();
    spec.directory = frame.request.places.workspace;
    spec.on_stdout = std::move(on_stdout);
    spec.on_stderr = std::move(on_stderr);
    return frame.host.run(spec, frame.stop);
  });
}

}  // namespace drydock::step
