#pragma once
// The steps of composite actions, for a dry run: as they are written, since their inputs are known only when they run.
// Reads what is at hand and fetches nothing.

#include <string>
#include <vector>

#include "executors/step/engine.h"
#include "runner/plan/plan.h"

namespace drydock::runner {

/// Of the action that `uses` names; empty when it is none, is not composite, or is not at hand. `source` is the tree that
/// local actions are looked for in.
std::vector<PlannedNestedStep> nested_steps(const std::string& uses, const std::string& number, const step::JobServices& services,
                                            const std::string& source);

}  // namespace drydock::runner
