#pragma once
// The event by which a workflow follows another one (`on: workflow_run`): the payload that GitHub would send about a
// run of this machine. Pure.

#include "executors/base/events.h"
#include "executors/base/time.h"
#include "runner/plan/event.h"

namespace drydock::runner {

/// Workflows that follow each other: this many after the one that another event triggered, as on GitHub.
inline constexpr int k_max_followers = 3;

enum class RunActivity { requested, in_progress, completed };
std::string_view name_of(RunActivity activity);

/// A run that others may follow.
struct FollowedRun {
  const parser::workflow::Workflow* workflow = nullptr;
  const TriggerEvent* event = nullptr;  // that triggered it
  std::string title;                    // run-name, else the workflow's name
  std::string id;
  Outcome conclusion = Outcome::none;
  Time started{}, finished{};
};

/// `on_default` are the facts of the default branch, whose workflows follow. An Error where they make no event.
Result<TriggerEvent> follow_event(const FollowedRun& run, RunActivity activity, const GitFacts& on_default);

}  // namespace drydock::runner
