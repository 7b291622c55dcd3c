#pragma once
// The contexts of a running job and how its steps change them, but for what belongs to a scope. A value: a background
// step works on a copy of its own. Used by one thread.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "executors/base/process.h"
#include "executors/step/action_context.h"
#include "executors/step/artifact_subjects.h"
#include "executors/step/evaluator.h"
#include "executors/step/job_request.h"
#include "executors/step/problem_matcher.h"
#include "executors/step/scope.h"

namespace drydock::step {

class JobState {
 public:
  /// `secrets` are resolved; `base` is what steps inherit from their machine; `job` holds the members of the job
  /// context that do not change.
  JobState(const JobRequest& request, std::map<std::string, std::string> secrets, Environment base, Object job = {});

  /// The scope of the job's own steps, as the job begins.
  Scope scope() const;
  /// For evaluating: global environment with `layer` over it. `as_if`: this status instead of the job's and the
  /// composite action's.
  Context context(const Scope& scope, const Layer& layer, const GithubExtras& extras = {},
                  std::optional<Outcome> as_if = {}) const;
  /// Without env, steps, job and runner: what a job's own `env:` may see.
  Context job_env_context() const;

  /// What a step's process gets: machine, global, `layer`, then the names nobody overrides.
  Environment process_environment(const Layer& layer, const GithubExtras& extras) const;
  /// The same for a container, which has a machine of its own.
  Environment container_environment(const Layer& layer, const GithubExtras& extras) const;

  void set_environment(const std::string& name, const std::string& value) { global_[name] = value; }
  /// One that is there already moves to the front.
  void prepend_path(const std::string& directory) {
    std::erase(path_, directory);
    path_.insert(path_.begin(), directory);
  }
  /// What a step did to the steps after it.
  void apply(const ActionEffects& effects);
  /// The same of a step of an earlier run, whose problem matchers are not in force yet.
  void restore(const ActionEffects& effects);

  ProblemMatchers& matchers() { return *matchers_; }
  ArtifactSubjects& artifacts() { return *artifacts_; }

  Outcome status = Outcome::success;

 private:
  void add_variables(const Layer& layer, const GithubExtras& extras, Environment& to) const;
  Value github_value(const GithubExtras& extras) const;
  Value runner_value() const;
  parser::expression::Checked<Value> hash(std::span<const Value> arguments) const;

  const JobRequest* request_;
  Environment base_;
  Environment global_;
  std::vector<std::string> path_;
  Object github_;
  Value vars_, inputs_, needs_, strategy_, matrix_, secrets_, runner_;
  Object job_;
  std::shared_ptr<ProblemMatchers> matchers_;  // the same for all steps, those that run side by side too
  std::shared_ptr<ArtifactSubjects> artifacts_ = std::make_shared<ArtifactSubjects>();  // as well
};

}  // namespace drydock::step
