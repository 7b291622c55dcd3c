#include "runner/plan/token_values.h"

#include "executors/step/evaluator.h"

namespace drydock::runner {
namespace model = parser::workflow;
namespace expression = parser::expression;
using expression::Value;

void TokenValues::problem(const parser::Range& range, std::string message, std::string mend) {
  parser::Diagnostic found;
  found.file = file_;
  found.range = range;
  found.rule = "expression";
  found.message = std::move(message);
  found.mend = std::move(mend);
  problems_.push_back(std::move(found));
}

std::optional<Value> TokenValues::evaluate(const model::Token& token, const expression::Context& context) {
  if (token.kind == model::TokenKind::null) return Value();
  if (token.kind == model::TokenKind::boolean) return Value(token.boolean);
  if (token.kind == model::TokenKind::number) return Value(token.number);
  if (token.is_string()) return Value(token.text);
  if (token.is_sequence()) return sequence(token, context);
  if (token.is_mapping()) return mapping(token, context);
  const auto ast = expression::parse(token.text, step::job_scope());
  auto value = ast ? expression::evaluate(*ast, context) : expression::Checked<Value>(ast.error());
  if (!value) {
    problem(token.range, value.error().message);
    return std::nullopt;
  }
  return std::move(*value);
}

std::optional<Value> TokenValues::sequence(const model::Token& token, const expression::Context& context) {
  expression::Items items;
  for (const auto& item : token.items) {
    auto value = evaluate(item, context);
    if (!value) return std::nullopt;
    items.push_back(std::move(*value));
  }
  return Value(std::move(items));
}

std::optional<Value> TokenValues::mapping(const model::Token& token, const expression::Context& context) {
  expression::Object object;
  for (const auto& [key, item] : token.entries) {
    const auto name = key.kind == model::TokenKind::insert ? std::optional<Value>("") : evaluate(key, context);
    auto value = evaluate(item, context);
    if (!name || !value) return std::nullopt;
    if (key.kind != model::TokenKind::insert) {
      object.set(name->to_string(), std::move(*value));
    } else if (value->kind() == expression::Kind::object) {
      for (const auto& member : value->object()) object.set(member.name, member.value);
    }
  }
  return Value(std::move(object));
}

}  // namespace drydock::runner
