#pragma once
// The contexts of a running job and how its steps change them. Owned by the engine, used by one thread.

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "executors/base/process.h"
#include "executors/step/action_context.h"
#include "executors/step/evaluator.h"
#include "executors/step/job_request.h"

namespace drydock::step {

/// Names and values in order; a later one replaces an equal name in place.
using Layer = std::vector<std::pair<std::string, std::string>>;

/// What a step adds to the github context while it runs: action, action_repository, action_ref, env, output, …
using GithubExtras = std::vector<std::pair<std::string, std::string>>;

class JobState {
 public:
  /// `secrets` are resolved; `base` is what steps inherit from their machine; `job` holds the members of the job
  /// context that do not change.
  JobState(const JobRequest& request, std::map<std::string, std::string> secrets, Environment base, Object job = {});

  /// For evaluating: global environment with `layer` over it, job status `status`.
  Context context(const Layer& layer, Outcome status, const GithubExtras& extras = {}) const;
  /// Without env, steps, job and runner: what a job's own `env:` may see.
  Context job_env_context() const;

  /// What a step's process gets: machine, global, `layer`, then the names nobody overrides.
  Environment process_environment(const Layer& layer, const GithubExtras& extras) const;

  void set_environment(const std::string& name, const std::string& value) { global_[name] = value; }
  void prepend_path(const std::string& directory) { path_.insert(path_.begin(), directory); }
  /// steps.<id>; generated ids ("__run") are kept out, as on GitHub.
  void set_step(const StepResult& result);

  Outcome status = Outcome::success;

 private:
  Value github_value(const GithubExtras& extras) const;
  Value runner_value() const;
  parser::expression::Checked<Value> hash(std::span<const Value> arguments) const;

  const JobRequest& request_;
  Environment base_;
  Environment global_;
  std::vector<std::string> path_;
  Object github_;
  Value vars_, inputs_, needs_, strategy_, matrix_, secrets_, runner_;
  Object steps_;
  Object job_;
};

}  // namespace drydock::step
