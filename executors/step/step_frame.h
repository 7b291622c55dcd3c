#pragma once
// One step while it runs: what its handler reads, and what it leaves behind. Internal to this room.

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "executors/step/action_context.h"
#include "executors/step/engine.h"
#include "executors/step/evaluator.h"
#include "executors/step/job_state.h"

namespace drydock::step {

struct StepFrame {
  const JobRequest& request;
  const JobServices& services;
  StepHost& host;
  JobState& state;
  Evaluator& evaluator;
  const StepRequest& step;
  std::string position;
  Layer layer;          // the step's own env
  GithubExtras extras;
  std::stop_token stop;
  std::vector<Annotation>& annotations;
  ActionEffects effects{};

  Context context() const { return state.context(layer, state.status, extras); }
};

/// How a handler ended. A failing step is data; the error is what is known beyond an exit code.
struct Handled {
  bool ok = true;
  int exit_code = 0;
  std::optional<ErrorCode> error;
  std::string message;  // already published
};

/// Publishes an error of the step at a place and gives the failed end.
Handled fail_step(StepFrame& frame, const Error& error, const Place& place);

/// A `run:` step.
Handled run_script(StepFrame& frame);

/// A step whose action has a native form; `inputs` is filled for the post step.
Handled run_native(StepFrame& frame, const NativeAction& action, NoCaseMap<std::string>& inputs);
Handled run_native_post(StepFrame& frame, const NativeAction& action, const NoCaseMap<std::string>& inputs,
                        const std::map<std::string, std::string>& state);

}  // namespace drydock::step
