#pragma once
// The functions that every expression may call. Constant data.

#include <cstdint>
#include <string_view>

#include "parser/expression/expression.h"

namespace drydock::parser::expression {

enum class BuiltIn : std::uint8_t {
  none,
  case_,
  contains,
  ends_with,
  format,
  from_json,
  join,
  starts_with,
  to_json
};

/// By name, any case; none when there is no such built-in.
BuiltIn built_in_of(std::string_view name);
Arity arity_of(BuiltIn function);

}  // namespace drydock::parser::expression
