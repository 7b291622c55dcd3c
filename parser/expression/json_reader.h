#pragma once
// fromJSON(): JSON text straight into a Value. Strict JSON; duplicate names: the last value stays, in the
// first one's place; nesting is bounded. Pure.

#include <string>
#include <string_view>
#include <variant>

#include "parser/expression/value.h"

namespace drydock::parser::expression {

struct JsonProblem {
  std::string what;        // "expected ',' or '}'"
  std::size_t offset = 0;  // bytes
};

std::variant<Value, JsonProblem> read_json_text(std::string_view text);

}  // namespace drydock::parser::expression
