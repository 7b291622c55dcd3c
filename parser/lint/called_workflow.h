#pragma once
// CalledWorkflow: what a local reusable workflow takes and gives. Internal to this room.

#include "parser/lint/context.h"
#include "parser/lint/type.h"

#include <string>
#include <string_view>
#include <vector>

namespace drydock::parser::lint {

struct CalledWorkflow {
  struct Item {
    std::string name;  // as written
    bool required = false;
    TypePtr type;
  };
  std::vector<Item> inputs, secrets;
  std::vector<std::string> outputs;
  bool found = false;
  std::string problem;  // why it cannot be called; empty when it can

  static const Item* find(const std::vector<Item>& list, std::string_view name);
};

/// `uses` as written: "./path/to/workflow.yml".
CalledWorkflow called_workflow(const LintContext& context, std::string_view uses);

}  // namespace drydock::parser::lint
