#pragma once
// The workflows of a repository that may follow others by `on: workflow_run`, and the events that they follow by. The
// files are looked at when the first run has begun, and only then. Used by one thread.

#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "executors/base/events.h"
#include "runner/cli/workflow_arguments.h"
#include "runner/plan/workflow_run_event.h"

namespace drydock::runner {

struct Follower {
  const parser::workflow::Workflow* workflow;
  TriggerEvent event;
};

class Followers {
 public:
  /// Both outlive this object. What cannot be read is a warning.
  Followers(const WorkflowArguments& arguments, const PreparedWorkflows& prepared, Bus& bus)
      : arguments_(arguments), prepared_(prepared), bus_(bus) {}

  /// Those that wait for this to become of a run, in the order of their files.
  std::vector<Follower> of(const FollowedRun& run, std::initializer_list<RunActivity> activities);

 private:
  void look();
  const GitFacts& default_branch();

  const WorkflowArguments& arguments_;
  const PreparedWorkflows& prepared_;
  Bus& bus_;
  std::optional<std::vector<parser::workflow::Workflow>> workflows_;
  std::optional<GitFacts> default_;
};

}  // namespace drydock::runner
