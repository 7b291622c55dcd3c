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
#include "executors/step/loaded_action.h"

namespace drydock::step {

class ActionLoader;

/// What the steps of one thread have in common: those of the job, or one background step with all that it calls.
struct Lane {
  const JobRequest& request;
  const JobServices& services;
  StepHost& host;
  ActionLoader& loader;  // thread-safe
  JobState& state;
  Evaluator& evaluator;
  std::vector<Annotation>& annotations;
  std::stop_token job_stop;   // the job is cancelled: what need not run any more ends
  std::stop_token kill_stop;  // all ends
};

struct StepFrame : Lane {
  Scope& scope;
  const StepRequest& step;
  ActionUse& use;
  ActionStage stage;
  std::string position;   // of the job's step, as in events
  std::string file_tag;   // unique in the job: names of its files
  int depth;              // 0 for the job's own steps
  Layer layer;            // env of the step, over that of the composite steps around it
  GithubExtras extras;
  std::stop_token stop;
  ActionEffects effects{};

  Context context() const { return state.context(scope, layer, extras); }
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
void warn(StepFrame& frame, std::string text, const Place& place);
/// The step was told to stop: whoever stopped it explains it.
Handled stopped_step(int exit_code);

// One handler for each kind of step. Effects are left in the frame; a composite's steps have had theirs already.
Handled run_script(StepFrame& frame);
Handled run_native(StepFrame& frame);
Handled run_javascript(StepFrame& frame);
Handled run_docker(StepFrame& frame);
Handled run_composite(StepFrame& frame);

/// A step by whatever it is; a local action is loaded first.
Handled run_handler(StepFrame& frame);

}  // namespace drydock::step
