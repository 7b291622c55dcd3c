#pragma once
// Loads a workflow and the workflows it calls, with the rules between caller and called. Internal to this room.

#include "parser/workflow/issue.h"
#include "parser/workflow/reader.h"

#include <optional>

namespace drydock::parser::workflow {

struct Loaded {
  std::optional<Workflow> workflow;
  Issues issues;  // in GitHub's order
};

Loaded load_workflow(std::string_view text, std::string file_name, const Options& options);

}  // namespace drydock::parser::workflow
