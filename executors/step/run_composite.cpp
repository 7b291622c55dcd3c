#include "executors/step/action_inputs.h"
#include "executors/step/from_model.h"
#include "executors/step/run_step.h"

#include <algorithm>

namespace drydock::step {
namespace {

/// A composite action's steps in one of its stages.
class Composite {
 public:
  Composite(StepFrame& frame, const Inputs& inputs) : frame_(frame), action_(*frame.use.action) {
    scope_.inputs = inputs_context(inputs);
    scope_.steps = frame.use.steps;
    scope_.env = frame.layer;
    scope_.github = frame.extras;
    scope_.github.emplace_back("action_path", action_.directory);
    if (frame.stage == ActionStage::main) scope_.action_status = Outcome::success;
  }

  Handled run() {
    for (const std::size_t index : order()) run_nested(index);
    if (frame_.stage == ActionStage::main) {
      frame_.use.steps = scope_.steps;
      set_outputs();
    }
    return std::move(handled_);
  }

 private:
  std::vector<std::size_t> order() const {
    std::vector<std::size_t> out;
    if (frame_.stage == ActionStage::post) return {frame_.use.posts.rbegin(), frame_.use.posts.rend()};
    for (std::size_t i = 0; i < action_.steps.size(); ++i) {
      if (frame_.stage == ActionStage::main || frame_.use.nested[i].has_pre()) out.push_back(i);
    }
    return out;
  }

  void run_nested(std::size_t index) {
    ActionUse& use = frame_.use.nested[index];
    StepTask task{.step = action_.steps[index], .use = use, .stage = frame_.stage, .position = frame_.position,
                  .file_tag = frame_.file_tag + "." + std::to_string(index + 1), .depth = frame_.depth + 1,
                  .outer_stop = frame_.stop};
    if (frame_.job_stop.stop_requested()) frame_.state.status = Outcome::cancelled;
    StepExecution execution(frame_, scope_, task);
    if (execution.begin()) {
      execution.run();
      register_post(index);
      take(execution);
    }
    if (frame_.stage == ActionStage::main) scope_.set_step(execution.result());
  }

  void register_post(std::size_t index) {
    ActionUse& use = frame_.use.nested[index];
    if (use.post_registered || !use.has_post()) return;
    use.post_registered = true;
    frame_.use.posts.push_back(index);
  }

  /// Its effects are in force already; here they are kept for whoever wants to know what the whole action did.
  void take(const StepExecution& execution) {
    const ActionEffects& effects = execution.effects();
    ActionEffects& all = frame_.effects;
    all.environment.insert(all.environment.end(), effects.environment.begin(), effects.environment.end());
    all.path.insert(all.path.end(), effects.path.begin(), effects.path.end());
    all.summary += effects.summary;
    all.matchers.insert(all.matchers.end(), effects.matchers.begin(), effects.matchers.end());
    all.masks = all.masks || effects.masks;
    if (!effects.artifacts.empty()) all.artifacts = effects.artifacts;
    const StepResult& result = execution.result();
    if (result.conclusion != Outcome::failure && result.conclusion != Outcome::cancelled) return;
    const bool cancelled = result.conclusion == Outcome::cancelled;
    if (handled_.ok || (cancelled && handled_.error != ErrorCode::cancelled)) {
      handled_ = {.ok = false, .exit_code = result.exit_code, .error = result.error, .message = result.message};
      if (cancelled) handled_.error = ErrorCode::cancelled;
    }
    if (scope_.action_status && scope_.action_status != Outcome::cancelled) scope_.action_status = result.conclusion;
  }

  void set_outputs() {
    const Context context = frame_.state.context(scope_, frame_.layer, frame_.extras);
    for (const auto& output : action_.metadata->outputs) {
      if (!output.value) continue;
      const auto value = frame_.evaluator.string(text_of(*output.value, action_.metadata->file), context);
      if (!value) {
        handled_ = fail_step(frame_, value.error(), frame_.evaluator.place());
        return;
      }
      frame_.effects.outputs[output.id] = *value;
    }
  }

  StepFrame& frame_;
  const LoadedAction& action_;
  Scope scope_;
  Handled handled_;
};

}  // namespace

Handled run_composite(StepFrame& frame) {
  const auto inputs = evaluate_inputs(frame);
  if (!inputs) return fail_step(frame, inputs.error(), frame.evaluator.place());
  show_action(frame, *inputs);
  return Composite(frame, *inputs).run();
}

}  // namespace drydock::step
