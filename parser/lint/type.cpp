#include "parser/lint/type.h"

#include <utility>

namespace drydock::parser::lint {

namespace {

TypePtr make(Kind kind) {
  auto type = std::make_shared<Type>();
  type->kind = kind;
  return type;
}

TypePtr make_object(Properties properties, TypePtr others) {
  auto type = std::make_shared<Type>();
  type->kind = Kind::object;
  type->properties = std::move(properties);
  type->others = std::move(others);
  return type;
}

TypePtr merge_others(const TypePtr& a, const TypePtr& b) {
  if (!a) return b;
  return b ? merge(a, b) : a;
}

}  // namespace

const TypePtr& any_type() {
  static const TypePtr type = make(Kind::any);
  return type;
}
const TypePtr& null_type() {
  static const TypePtr type = make(Kind::null);
  return type;
}
const TypePtr& number_type() {
  static const TypePtr type = make(Kind::number);
  return type;
}
const TypePtr& boolean_type() {
  static const TypePtr type = make(Kind::boolean);
  return type;
}
const TypePtr& string_type() {
  static const TypePtr type = make(Kind::string);
  return type;
}

TypePtr object_type(Properties properties) {
  return make_object(std::move(properties), nullptr);
}
TypePtr loose_object(Properties properties) {
  return make_object(std::move(properties), any_type());
}
TypePtr map_type(TypePtr values) {
  return make_object({}, std::move(values));
}

TypePtr array_type(TypePtr element) {
  auto type = std::make_shared<Type>();
  type->kind = Kind::array;
  type->element = std::move(element);
  return type;
}

TypePtr merge(const TypePtr& a, const TypePtr& b) {
  if (a == b) return a;
  if (a->kind == Kind::any || b->kind == Kind::any) return any_type();
  const auto is_text = [](Kind kind) {
    return kind == Kind::string || kind == Kind::number || kind == Kind::boolean;
  };
  if (a->kind != b->kind) {
    // A string and a number are a string in every place that takes text; a number and a boolean are nothing
    // certain.
    const bool one_string = a->kind == Kind::string || b->kind == Kind::string;
    return one_string && is_text(a->kind) && is_text(b->kind) ? string_type() : any_type();
  }
  if (a->kind == Kind::array) return array_type(merge(a->element, b->element));
  if (a->kind != Kind::object) return a;
  auto properties = a->properties;
  for (const auto& [name, type] : b->properties) {
    const auto [place, is_new] = properties.emplace(name, type);
    if (!is_new) place->second = merge(place->second, type);
  }
  return make_object(std::move(properties), merge_others(a->others, b->others));
}

bool is_assignable(const Type& to, const Type& from) {
  if (to.kind == Kind::any || from.kind == Kind::any || to.kind == Kind::boolean) return true;
  if (to.kind == Kind::string) return from.kind == Kind::string || from.kind == Kind::number;
  if (to.kind != from.kind) return false;
  if (to.kind == Kind::array) return is_assignable(*to.element, *from.element);
  if (to.kind != Kind::object) return true;
  for (const auto& [name, type] : from.properties) {
    const auto found = to.properties.find(name);
    const auto& wanted = found == to.properties.end() ? to.others : found->second;
    if (!wanted || !is_assignable(*wanted, *type)) return false;
  }
  return true;
}

std::string to_text(const Type& type) {
  switch (type.kind) {
    case Kind::any:
      return "any";
    case Kind::null:
      return "null";
    case Kind::number:
      return "number";
    case Kind::boolean:
      return "bool";
    case Kind::string:
      return "string";
    case Kind::array:
      return "array<" + to_text(*type.element) + ">";
    case Kind::object:
      break;
  }
  if (type.properties.empty() && type.others) {
    return type.others->kind == Kind::any ? "object" : "{string => " + to_text(*type.others) + "}";
  }
  std::string text = "{";
  for (const auto& [name, property] : type.properties) {
    text += (text.size() > 1 ? "; " : "") + name + ": " + to_text(*property);
  }
  return text + "}";
}

}  // namespace drydock::parser::lint
