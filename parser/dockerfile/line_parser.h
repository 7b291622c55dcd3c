#pragma once
// One logical line to a Node: keyword, flags, and arguments in the form its instruction uses. Internal to ast.cpp.
// Pure; thread-safe.

#include <optional>
#include <string>
#include <string_view>

#include "parser/dockerfile/ast.h"

namespace drydock::parser::dockerfile {

struct LineError {
  std::string message;
  std::string mend;
  std::string fragment;  // text at fault
};

/// Fills keyword, flags, arguments, form, trigger and original.
std::optional<LineError> parse_line(std::string_view line, char escape, Node& node);

}  // namespace drydock::parser::dockerfile
