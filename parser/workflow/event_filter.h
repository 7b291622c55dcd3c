#pragma once
// Decides whether a workflow's `on:` is triggered by an event, and if not, why. Pure.

#include "parser/workflow/model.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::parser::workflow {

struct Trigger {
  std::string event;     // "push", "pull_request", …
  std::string activity;  // the payload's `action`: "opened"; empty when the event has none
  /// push: the pushed ref, "refs/heads/main" or "refs/tags/v1". pull_request: the base branch's ref.
  std::string ref;
  std::optional<std::vector<std::string>> changed_paths;  // unknown: paths filters are taken as matching
  std::string workflow_name;  // workflow_run: the name of the run that ended
  std::string schedule;       // schedule: the cron line that fired; empty means any
};

struct Verdict {
  bool runs = false;
  std::string reason;  // why not; or what was assumed ("paths not known")
};

Verdict triggered_by(const Workflow& workflow, const Trigger& trigger);

/// The activity types an event runs for when `types:` is not written; empty means every type.
std::vector<std::string_view> default_types(std::string_view event);

}  // namespace drydock::parser::workflow
