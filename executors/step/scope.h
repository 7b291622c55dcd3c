#pragma once
// Where a step stands: in the job itself, or in a composite action, whose steps have inputs, results and a status of
// their own. A value; used by one thread.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "executors/base/events.h"
#include "executors/step/job_request.h"
#include "parser/expression/value.h"

namespace drydock::step {

/// Names and values in order; a later one replaces an equal name in place.
using Layer = std::vector<std::pair<std::string, std::string>>;

/// What a step adds to the github context while it runs: action, action_repository, action_ref, env, output, …
using GithubExtras = std::vector<std::pair<std::string, std::string>>;

/// `over` on top of `below`.
Layer merged(Layer below, const Layer& over);

struct Scope {
  parser::expression::Value inputs;
  parser::expression::Object steps;  // results by id
  Layer env;                         // of the composite steps around; nothing in the job's own scope
  GithubExtras github;               // of the composite action: action, action_path, …
  /// How a composite action's main steps have gone so far, which its success() and failure() ask. Nothing where
  /// these ask the job: in its own scope, and in pre and post stages.
  std::optional<Outcome> action_status;

  bool in_action() const { return !github.empty(); }

  /// steps.<id>; generated ids ("__run") are kept out, as on GitHub.
  void set_step(const StepResult& result);
};

}  // namespace drydock::step
