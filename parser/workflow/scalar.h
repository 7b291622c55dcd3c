#pragma once
// Types a YAML scalar by YAML 1.2's core schema as GitHub's reader does, tags included. Pure.

#include "parser/workflow/token.h"
#include "parser/yaml/document.h"

#include <string>
#include <variant>

namespace drydock::parser::workflow {

/// A literal token, or why the whole file is refused (GitHub's text, without a place).
std::variant<Token, std::string> type_scalar(const yaml::Node& node);

}  // namespace drydock::parser::workflow
