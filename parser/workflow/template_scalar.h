#pragma once
// Turns a string with ${{ }} into an expression token as GitHub does: one expression alone stays as it is, text
// around it becomes format('…', …), a lone string literal becomes that string. Internal to this room; pure.

#include "parser/expression/expression.h"
#include "parser/workflow/token.h"

#include <cstddef>
#include <optional>
#include <string>

namespace drydock::parser::workflow {

struct ScalarProblem {
  std::string message;      // GitHub's text
  std::size_t offset = 0;   // bytes into the string
};

/// Changes `token` in place. On a problem the token stays a string, as GitHub's reader leaves it.
std::optional<ScalarProblem> parse_expressions(Token& token, const expression::Scope& scope);

}  // namespace drydock::parser::workflow
