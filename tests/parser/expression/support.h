#pragma once
// Shortcuts of the expression tests: evaluate a text against contexts written as JSON.

#include <string>

#include "parser/expression/expression.h"

namespace expression_test {

using namespace drydock::parser::expression;

inline Scope scope_for(const nlohmann::ordered_json& contexts) {
  Scope scope;
  for (const auto& [name, value] : contexts.items()) scope.add_name(name);
  return scope;
}

inline Context context_for(const nlohmann::ordered_json& contexts) {
  Context context;
  for (const auto& [name, value] : contexts.items()) context.set(name, Value::from_json(value));
  return context;
}

/// "Kind value" of the result, or "phase: message".
inline std::string result_of(std::string_view text, const Scope& scope, const Context& context) {
  const auto ast = parse(text, scope);
  if (!ast) return std::string(name_of(ast.error().phase)) + ": " + ast.error().message;
  const auto value = evaluate(*ast, context);
  if (!value) return std::string(name_of(value.error().phase)) + ": " + value.error().message;
  return std::string(name_of(value->kind())) + " " + value->to_json().dump();
}

inline std::string result_of(std::string_view text, const std::string& contexts = "{}") {
  const auto json = nlohmann::ordered_json::parse(contexts);
  return result_of(text, scope_for(json), context_for(json));
}

}  // namespace expression_test
