#include "executors/step/native_action.h"

#include "executors/base/text.h"

#include <algorithm>
#include <cctype>

namespace drydock::step {
namespace {

}  // namespace

std::optional<ActionReference> parse_action_reference(std::string_view uses) {
  if (uses.starts_with("./") || uses.starts_with("$/") || uses.starts_with(".\\") || uses.starts_with("docker://")) return std::nullopt;
  const auto at = uses.rfind('@');
  if (at == std::string_view::npos || at + 1 == uses.size()) return std::nullopt;
  const std::string_view name = uses.substr(0, at);
  const auto owner_end = name.find('/');
  if (owner_end == std::string_view::npos || owner_end == 0) return std::nullopt;
  const auto repository_end = std::min(name.find('/', owner_end + 1), name.size());
  if (repository_end == owner_end + 1) return std::nullopt;

  // They become names of directories.
  const auto is_dots = [](std::string_view part) { return part == "." || part == ".."; };
  if (is_dots(name.substr(0, owner_end)) || is_dots(name.substr(owner_end + 1, repository_end - owner_end - 1))) return std::nullopt;

  ActionReference reference;
  reference.repository = name.substr(0, repository_end);
  if (repository_end < name.size()) reference.path = name.substr(repository_end + 1);
  reference.version = uses.substr(at + 1);
  return reference;
}

Status NativeAction::serves(std::string_view) const { return {}; }

Status NativeAction::post(ActionContext&) const { return {}; }

void NativeActions::add(std::shared_ptr<const NativeAction> action) {
  std::string key = lower(action->name());
  by_name_[std::move(key)] = std::move(action);
}

const NativeAction* NativeActions::find(const ActionReference& reference) const {
  const auto found = by_name_.find(lower(reference.name()));
  return found == by_name_.end() ? nullptr : found->second.get();
}

std::vector<std::string> NativeActions::names() const {
  std::vector<std::string> out;
  for (const auto& [key, action] : by_name_) out.emplace_back(action->name());
  return out;
}

}  // namespace drydock::step
