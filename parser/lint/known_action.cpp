#include "parser/lint/known_action.h"

#include "parser/lint/popular_actions.h"

#include <algorithm>

namespace drydock::parser::lint {

namespace {

/// A table's list: names separated by blanks; '*' after a name: required, '!': deprecated.
void read_inputs(std::string_view list, KnownAction& action) {
  for (std::size_t begin = 0; begin < list.size();) {
    const auto end = std::min(list.find(' ', begin), list.size());
    auto name = list.substr(begin, end - begin);
    ActionInputFacts input;
    while (!name.empty() && (name.back() == '*' || name.back() == '!')) {
      (name.back() == '*' ? input.required : input.deprecated) = true;
      name.remove_suffix(1);
    }
    input.name = name;
    if (!name.empty()) action.inputs.push_back(std::move(input));
    begin = end + 1;
  }
}

void read_outputs(std::string_view list, KnownAction& action) {
  for (std::size_t begin = 0; begin < list.size();) {
    const auto end = std::min(list.find(' ', begin), list.size());
    if (end > begin) action.outputs.emplace_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
}

}  // namespace

const ActionInputFacts* KnownAction::find_input(std::string_view id) const {
  const auto wanted = lower(id);
  const auto found = std::find_if(inputs.begin(), inputs.end(),
                                  [&](const auto& input) { return lower(input.name) == wanted; });
  return found == inputs.end() ? nullptr : &*found;
}

std::shared_ptr<const KnownAction> popular_action(std::string_view uses) {
  const auto* row = find_popular_action(uses);
  if (row == nullptr) return nullptr;
  auto action = std::make_shared<KnownAction>();
  action->name = uses;
  read_inputs(row->inputs, *action);
  read_outputs(row->outputs, *action);
  action->any_input = row->traits.find('i') != std::string_view::npos;
  action->any_output = row->traits.find('o') != std::string_view::npos;
  action->outdated = row->traits.find('x') != std::string_view::npos;
  action->is_docker = row->traits.find('d') != std::string_view::npos;
  return action;
}

bool is_in_this_repository(std::string_view uses) { return uses.starts_with("./") || uses.starts_with("$/"); }

std::shared_ptr<const KnownAction> known_action(const LintContext& context, std::string_view uses) {
  if (!is_in_this_repository(uses)) return popular_action(uses);
  if (!context.options.read_file) return nullptr;
  auto directory = std::string(uses.substr(2));
  while (directory.ends_with('/')) directory.pop_back();
  const auto prefix = directory.empty() ? std::string{} : directory + "/";
  for (const auto* name : {"action.yml", "action.yaml"}) {
    if (const auto text = context.options.read_file(prefix + name)) {
      return std::make_shared<KnownAction>(read_local_action(context.options, *text, directory));
    }
  }
  return nullptr;
}

}  // namespace drydock::parser::lint
