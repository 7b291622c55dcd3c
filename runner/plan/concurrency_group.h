#pragma once
// `concurrency:` of a workflow or job, evaluated: which group, and what a newcomer does to those before it. Values.

#include <optional>
#include <string>

#include "executors/base/json.h"
#include "parser/expression/expression.h"
#include "parser/workflow/model.h"
#include "runner/plan/token_values.h"

namespace drydock::runner {

/// one: a newcomer takes the place of those that wait. many: they wait one after the other.
enum class GroupQueue { one, many };

struct GroupSettings {
  std::string name;  // compared without case
  bool cancel_in_progress = false;
  GroupQueue queue = GroupQueue::one;
};

/// Nothing for an empty name, for one that is unknown in a dry run, and where an expression fails (a problem then).
std::optional<GroupSettings> group_of(const parser::workflow::Concurrency& written, TokenValues& values,
                                      const parser::expression::Context& context);

}  // namespace drydock::runner
