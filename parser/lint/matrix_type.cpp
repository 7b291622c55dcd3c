#include "parser/lint/matrix_type.h"

#include "parser/lint/context.h"

namespace drydock::parser::lint {

using workflow::Token;
using workflow::TokenKind;

namespace {

bool has_expression(const Token& token) {
  return token.source.find("${{") != std::string::npos;
}

TypePtr value_type(const Token& token, const ExpressionType& type_of) {
  if (has_expression(token)) return type_of(token);
  switch (token.kind) {
    case TokenKind::string:
    case TokenKind::insert:
      return string_type();
    case TokenKind::expression:
      return type_of(token);
    case TokenKind::boolean:
      return boolean_type();
    case TokenKind::number:
      return number_type();
    case TokenKind::null:
      return null_type();
    case TokenKind::sequence: {
      TypePtr element;
      for (const auto& item : token.items) {
        auto type = value_type(item, type_of);
        element = element ? merge(element, type) : std::move(type);
      }
      return array_type(element ? element : any_type());
    }
    case TokenKind::mapping:
      break;
  }
  Properties properties;
  for (const auto& [key, value] : token.entries) {
    if (!key.is_string() || has_expression(key)) return loose_object();
    properties[lower(key.source)] = value_type(value, type_of);
  }
  return object_type(std::move(properties));
}

TypePtr row_type(const Token& row, const ExpressionType& type_of) {
  const auto type = value_type(row, type_of);
  return type->kind == Kind::array ? type->element : any_type();
}

}  // namespace

TypePtr matrix_type(const workflow::Strategy& strategy, const ExpressionType& type_of) {
  if (!strategy.matrix || !strategy.matrix->is_mapping()) {
    const bool unknown =
        strategy.value.is_expression() || (strategy.matrix && has_expression(*strategy.matrix));
    return unknown ? loose_object() : object_type({});
  }
  Properties properties;
  bool open = false;
  const auto add = [&](std::string_view name, const TypePtr& type) {
    const auto [place, is_new] = properties.emplace(lower(name), type);
    if (!is_new) place->second = merge(place->second, type);
  };
  for (const auto& [key, value] : strategy.matrix->entries) {
    if (!key.is_string()) {
      open = true;
    } else if (key.text != "include" && key.text != "exclude") {
      add(key.source, row_type(value, type_of));
    }
  }
  if (const auto* include = strategy.matrix->find("include")) {
    open |= include->is_expression() || has_expression(*include);
    for (const auto& item : include->items) {
      open |= !item.is_mapping();
      for (const auto& [key, value] : item.entries) add(key.source, value_type(value, type_of));
    }
  }
  return open ? loose_object(std::move(properties)) : object_type(std::move(properties));
}

}  // namespace drydock::parser::lint
