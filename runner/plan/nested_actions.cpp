#include "runner/plan/nested_actions.h"

#include "executors/base/fs.h"
#include "executors/base/text.h"
#include "executors/step/load_action.h"

namespace drydock::runner {
namespace {

using Action = std::shared_ptr<const step::LoadedAction>;

Action action_at(const std::string& root, const std::string& path, const std::string& uses) {
  const auto directory = join_inside(root, path);
  if (!directory || !is_directory(*directory)) return nullptr;
  const auto action = step::read_action_directory(*directory, uses, uses);
  return action ? *action : nullptr;
}

Action at_hand(const std::string& uses, const step::JobServices& services, const std::string& source) {
  if (step::is_image_action(uses)) return nullptr;
  if (step::is_local_action(uses)) return action_at(source, uses.substr(2), uses);
  const auto reference = step::parse_action_reference(uses);
  if (!reference || step::native_form(services, *reference) || !services.source) return nullptr;
  const auto tree = services.source->at_hand(*reference);
  return tree && *tree ? action_at((*tree)->root, reference->path, uses) : nullptr;
}

std::string name_of_nested(const step::StepRequest& each) {
  if (!each.name.empty()) return each.name.shown();
  return "Run " + (each.is_action() ? each.uses.text : first_line(each.run.shown()));
}

std::vector<PlannedNestedStep> list(const std::string& uses, const std::string& number, const step::JobServices& services,
                                    const std::string& source, int depth) {
  std::vector<PlannedNestedStep> out;
  if (depth > step::k_deepest_action) return out;
  const Action action = at_hand(uses, services, source);
  if (!action) return out;
  for (const auto& each : action->steps) {
    PlannedNestedStep nested{.number = number + "." + std::to_string(out.size() + 1), .name = name_of_nested(each),
                             .action = each.is_action() ? each.uses.text : ""};
    if (each.is_action()) nested.steps = list(nested.action, nested.number, services, source, depth + 1);
    out.push_back(std::move(nested));
  }
  return out;
}

}  // namespace

std::vector<PlannedNestedStep> nested_steps(const std::string& uses, const std::string& number, const step::JobServices& services,
                                            const std::string& source) {
  return list(uses, number, services, source, 0);
}

}  // namespace drydock::runner
