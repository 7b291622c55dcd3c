#include "parser/lint/json_type.h"

#include "parser/lint/context.h"

#include <nlohmann/json.hpp>

namespace drydock::parser::lint {

namespace {

using nlohmann::json;

TypePtr type_of(const json& value) {
  if (value.is_null()) return null_type();
  if (value.is_boolean()) return boolean_type();
  if (value.is_number()) return number_type();
  if (value.is_string()) return string_type();
  if (value.is_array()) {
    TypePtr element;
    for (const auto& item : value) element = element ? merge(element, type_of(item)) : type_of(item);
    return array_type(element ? element : any_type());
  }
  Properties properties;
  for (const auto& [name, item] : value.items()) properties[lower(name)] = type_of(item);
  return object_type(std::move(properties));
}

}  // namespace

TypePtr type_of_json(std::string_view text) {
  const auto value = json::parse(text.begin(), text.end(), nullptr, false);
  return value.is_discarded() ? nullptr : type_of(value);
}

}  // namespace drydock::parser::lint
