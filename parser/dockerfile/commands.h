#pragma once
// A Node to a Command, and FROM to a Stage. Internal to this room; failures are thrown as Wrong.
// Pure; thread-safe.

#include <string>
#include <string_view>
#include <vector>

#include "parser/dockerfile/ast.h"
#include "parser/dockerfile/flags.h"
#include "parser/dockerfile/instructions.h"

namespace drydock::parser::dockerfile {

const std::vector<std::string>& instruction_names();

/// Any instruction but FROM.
Command command_of(const Ast& ast, const Node& node);

/// FROM, without commands.
Stage stage_of(const Ast& ast, const Node& node);

/// Text after "name " in the first comment that starts so.
std::string description_of(const std::vector<std::string>& comments, std::string_view name);

}  // namespace drydock::parser::dockerfile
