#pragma once
// GitHub's table of which contexts and special functions each workflow key may use.
// Keys are written as in GitHub's documentation: "jobs.<job_id>.steps.run". Constant data.

#include <span>
#include <string_view>

#include "parser/expression/expression.h"

namespace drydock::parser::expression {

struct Availability {
  std::string_view key;                         // "jobs.<job_id>.steps.if"
  std::span<const std::string_view> contexts;   // "github", "needs", …
  std::span<const std::string_view> functions;  // "always", "cancelled", "success", "failure", "hashFiles"
};

/// The whole table, in the order of the documentation.
std::span<const Availability> availability_table();

/// Entry for a key as documented, or with real ids; of a key that is not listed, the nearest listed key above
/// it
/// ("jobs.<job_id>.env.NAME" → "jobs.<job_id>.env"); null when expressions are not allowed there.
const Availability* availability_of(std::string_view key);

/// Names and functions known below that key; an empty Scope when expressions are not allowed there.
const Scope& scope_of(std::string_view key);

}  // namespace drydock::parser::expression
