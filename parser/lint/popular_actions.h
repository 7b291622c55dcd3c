#pragma once
// PopularActions: inputs and outputs of actions that many workflows use, by name and version. The table is generated
// by parser/lint/generate_popular_actions from the actions' own metadata. Constant data.

#include <string_view>

namespace drydock::parser::lint {

struct PopularAction {
  std::string_view uses;     // "actions/checkout@v4"
  std::string_view inputs;   // blanks between; '*': required, '!': deprecated
  std::string_view outputs;
  std::string_view traits;   // 'x' outdated runner, 'i' takes any input, 'o' sets any output, 'd' runs a container
};

/// Null when the table has none. Full versions ("v4.1.2") are looked up as their major one.
const PopularAction* find_popular_action(std::string_view uses);

}  // namespace drydock::parser::lint
