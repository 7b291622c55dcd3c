#pragma once
// The syntax of workflow and action files as text in the notation that schema.cpp explains. Constant data.

#include <string_view>

namespace drydock::parser::workflow {

extern const std::string_view k_workflow_table;
extern const std::string_view k_action_table;

}  // namespace drydock::parser::workflow
