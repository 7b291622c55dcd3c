#pragma once
// Reads from this machine what plan_view needs. Internal to the sandbox.

#include "executors/base/result.h"
#include "executors/sandbox/view.h"
#include "executors/sandbox/view_plan.h"

namespace drydock::sandbox {

Result<ViewFacts> gather_view_facts(const ViewSpec& spec);

}  // namespace drydock::sandbox
