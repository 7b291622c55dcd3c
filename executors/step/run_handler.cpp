#include "executors/step/load_action.h"
#include "executors/step/step_frame.h"

#include <algorithm>

namespace drydock::step {
namespace {

/// Wherever the action comes from, unlike ActionUse::has_pre.
bool has_pre_stage(const ActionUse& use) {
  if (!use.action) return false;
  if (use.action->kind == LoadedAction::Kind::composite) return std::any_of(use.nested.begin(), use.nested.end(), has_pre_stage);
  return use.action->has_metadata() && (use.action->metadata->pre || use.action->metadata->pre_entrypoint);
}

/// A local action is known only now: the job's own steps have made it.
std::optional<Problem> load_when_reached(StepFrame& frame) {
  if (frame.use.action) return std::nullopt;
  if (auto problem = frame.loader.load_local(frame.step, frame.use, frame.depth, frame.stop)) return problem;
  if (has_pre_stage(frame.use)) {
    warn(frame, "`pre` execution is not supported for local action from '" + frame.step.uses.text + "'", frame.step.uses.place);
  }
  return std::nullopt;
}

}  // namespace

Handled run_handler(StepFrame& frame) {
  if (!frame.step.is_action()) return run_script(frame);
  if (const auto problem = load_when_reached(frame)) {
    return frame.stop.stop_requested() ? stopped_step(1) : fail_step(frame, problem->error, problem->place);
  }
  switch (frame.use.action->kind) {
    case LoadedAction::Kind::native: return run_native(frame);
    case LoadedAction::Kind::javascript: return run_javascript(frame);
    case LoadedAction::Kind::docker: return run_docker(frame);
    case LoadedAction::Kind::composite: return run_composite(frame);
  }
  return {};
}

}  // namespace drydock::step
