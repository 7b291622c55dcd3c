#include "runner/plan/concurrency_group.h"

namespace drydock::runner {
using parser::expression::Value;

std::optional<GroupSettings> group_of(const parser::workflow::Concurrency& written, TokenValues& values,
                                      const parser::expression::Context& context) {
  const auto value = values.evaluate(written.value, context);
  if (!value || value->has_unknown()) return std::nullopt;
  GroupSettings settings;
  if (value->kind() == parser::expression::Kind::object) {
    settings.name = value->member("group").to_string();
    settings.cancel_in_progress = value->member("cancel-in-progress").truthy();
    const std::string queue = value->member("queue").to_string();
    if (queue != "" && queue != "single" && queue != "max") {
      values.problem(written.value.range, "concurrency queue is '" + queue + "'", "give single or max");
      return std::nullopt;
    }
    if (queue == "max" && settings.cancel_in_progress) {
      values.problem(written.value.range, "'queue: max' is not allowed with 'cancel-in-progress: true'", "leave one of them out");
      return std::nullopt;
    }
    settings.queue = queue == "max" ? GroupQueue::many : GroupQueue::one;
  } else {
    settings.name = value->to_string();
  }
  if (settings.name.empty()) return std::nullopt;
  return settings;
}

}  // namespace drydock::runner
