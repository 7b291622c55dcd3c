#include "executors/step/loaded_action.h"

#include <algorithm>

namespace drydock::step {

bool ActionUse::has_pre() const {
  if (!action || action->origin == LoadedAction::Origin::workspace) return false;
  switch (action->kind) {
    case LoadedAction::Kind::native: return false;
    case LoadedAction::Kind::javascript: return action->metadata->pre.has_value();
    case LoadedAction::Kind::docker: return action->has_metadata() && action->metadata->pre_entrypoint.has_value();
    case LoadedAction::Kind::composite:
      return std::any_of(nested.begin(), nested.end(), [](const ActionUse& use) { return use.has_pre(); });
  }
  return false;
}

bool ActionUse::has_post() const {
  if (!action) return false;
  switch (action->kind) {
    case LoadedAction::Kind::native: return action->native->post_step() != PostStep::none;
    case LoadedAction::Kind::javascript: return action->metadata->post.has_value();
    case LoadedAction::Kind::docker: return action->has_metadata() && action->metadata->post_entrypoint.has_value();
    case LoadedAction::Kind::composite:
      return std::any_of(nested.begin(), nested.end(), [](const ActionUse& use) { return use.has_post(); });
  }
  return false;
}

}  // namespace drydock::step
