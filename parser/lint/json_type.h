#pragma once
// The type of a JSON text, for fromJSON of a literal. Pure.

#include "parser/lint/type.h"

#include <string_view>

namespace drydock::parser::lint {

/// Null when the text is no JSON.
TypePtr type_of_json(std::string_view text);

}  // namespace drydock::parser::lint
