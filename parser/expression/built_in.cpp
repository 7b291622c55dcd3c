#include "parser/expression/built_in.h"

namespace drydock::parser::expression {

namespace {

constexpr int k_max_parameters = 255;

struct Entry {
  std::string_view name;
  BuiltIn function;
  Arity arity;
};

constexpr Entry k_entries[] = {
    {"case", BuiltIn::case_, {3, k_max_parameters}}, {"contains", BuiltIn::contains, {2, 2}},
    {"endsWith", BuiltIn::ends_with, {2, 2}},        {"format", BuiltIn::format, {1, k_max_parameters}},
    {"fromJSON", BuiltIn::from_json, {1, 1}},        {"join", BuiltIn::join, {1, 2}},
    {"startsWith", BuiltIn::starts_with, {2, 2}},    {"toJSON", BuiltIn::to_json, {1, 1}},
};

}  // namespace

BuiltIn built_in_of(std::string_view name) {
  for (const auto& entry : k_entries) {
    if (entry.name.size() == name.size() && equal_ignoring_case(entry.name, name)) return entry.function;
  }
  return BuiltIn::none;
}

Arity arity_of(BuiltIn function) {
  for (const auto& entry : k_entries) {
    if (entry.function == function) return entry.arity;
  }
  return {};
}

}  // namespace drydock::parser::expression
