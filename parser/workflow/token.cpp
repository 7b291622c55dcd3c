#include "parser/workflow/token.h"

#include "parser/expression/value.h"

namespace drydock::parser::workflow {

const Token* Token::find(std::string_view key) const {
  for (const auto& entry : entries) {
    if (entry.key.is_string() && entry.key.text == key) return &entry.value;
  }
  for (const auto& entry : entries) {
    if (entry.key.is_string() && expression::equal_ignoring_case(entry.key.text, key)) return &entry.value;
  }
  return nullptr;
}

std::string Token::to_string() const {
  switch (kind) {
    case TokenKind::string: return text;
    case TokenKind::boolean: return boolean ? "true" : "false";
    case TokenKind::number: return number_to_string(number);
    case TokenKind::expression: return quoted_expression(text);
    case TokenKind::insert: return "${{ insert }}";
    case TokenKind::null:
    case TokenKind::sequence:
    case TokenKind::mapping: return {};
  }
  return {};
}

std::string quoted_expression(std::string_view text) { return "${{ " + std::string(text) + " }}"; }

std::string number_to_string(double value) { return expression::format_number(value); }

}  // namespace drydock::parser::workflow
