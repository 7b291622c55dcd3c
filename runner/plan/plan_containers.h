#pragma once
// `container:` and `services:` of one leg for a dry run: what is known of them, and what the rest hangs on. Internal
// to this room.

#include <vector>

#include "executors/step/job_request.h"
#include "parser/diagnostics/diagnostic.h"
#include "runner/plan/plan.h"
#include "runner/plan/plan_values.h"

namespace drydock::runner {

/// An image that is known to be empty is no container, as in a run.
std::vector<PlannedContainer> planned_containers(const step::JobRequest& request, PlanValues& values);

/// What a run would refuse of what is known: options, ports, volumes.
parser::Diagnostics refused_of(const PlannedContainer& planned);

}  // namespace drydock::runner
