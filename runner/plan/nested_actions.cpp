#include "runner/plan/nested_actions.h"

#include "executors/base/fs.h"
#include "executors/step/from_model.h"
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

/// Where actions are looked for: "./path" in the workspace, "$/path" in the repository of the file that says so.
struct Trees {
  std::string workspace, own;
};

struct AtHand {
  Action action;
  std::string own;  // the repository that its steps stand in
};

AtHand at_hand(const std::string& uses, const step::JobServices& services, const Trees& trees) {
  if (step::is_image_action(uses)) return {};
  if (step::is_local_action(uses)) return {action_at(trees.workspace, uses.substr(2), uses), trees.own};
  if (step::is_own_action(uses)) return {action_at(trees.own, uses.substr(2), uses), trees.own};
  const auto reference = step::parse_action_reference(uses);
  if (!reference || step::native_form(services, *reference) || !services.source) return {};
  const auto tree = services.source->at_hand(*reference);
  if (!tree || !*tree) return {};
  return {action_at((*tree)->root, reference->path, uses), (*tree)->root};
}

std::vector<PlannedNestedStep> list(const std::string& uses, const std::string& number, const step::JobServices& services,
                                    const Trees& trees, int depth) {
  std::vector<PlannedNestedStep> out;
  if (depth > step::k_deepest_action) return out;
  const AtHand found = at_hand(uses, services, trees);
  if (!found.action) return out;
  for (const auto& each : found.action->steps) {
    PlannedNestedStep nested{.number = number + "." + std::to_string(out.size() + 1), .name = step::unevaluated_name(each),
                             .action = each.is_action() ? each.uses.text : ""};
    if (each.is_action()) nested.steps = list(nested.action, nested.number, services, {trees.workspace, found.own}, depth + 1);
    out.push_back(std::move(nested));
  }
  return out;
}

}  // namespace

std::vector<PlannedNestedStep> nested_steps(const std::string& uses, const std::string& number, const step::JobServices& services,
                                            const std::string& source) {
  return list(uses, number, services, {source, source}, 0);
}

}  // namespace drydock::runner
