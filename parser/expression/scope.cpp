// Scope and Context: what is known by name, at parsing and at evaluation.

#include <algorithm>

#include "parser/expression/built_in.h"
#include "parser/expression/expression.h"
#include "parser/expression/text.h"

namespace drydock::parser::expression {

namespace {

constexpr int k_most_parameters = 255;

template <class Pairs>
auto find_named(Pairs& pairs, std::string_view name) {
  return std::find_if(pairs.begin(), pairs.end(),
                      [&](const auto& pair) { return equal_ignoring_case(pair.first, name); });
}

}  // namespace

std::string_view name_of(Phase phase) {
  switch (phase) {
    case Phase::lexing:
      return "lexing";
    case Phase::parsing:
      return "parsing";
    case Phase::evaluation:
      return "evaluation";
  }
  return "evaluation";
}

ExpressionError evaluation_error(std::string message) {
  ExpressionError error;
  error.phase = Phase::evaluation;
  error.reason = message;
  error.message = std::move(message);
  return error;
}

Scope::Scope(std::initializer_list<std::string_view> names) {
  for (const auto name : names) add_name(name);
}

Scope Scope::any() {
  Scope scope;
  scope.accepts_all_ = true;
  return scope;
}

Scope& Scope::add_name(std::string_view name) {
  if (!knows_name(name)) names_.push_back(ascii_lower(name));
  return *this;
}

Scope& Scope::add_function(std::string_view name, Arity arity) {
  if (const auto known = find_named(functions_, name); known != functions_.end()) {
    known->second = arity;
  } else {
    functions_.emplace_back(ascii_lower(name), arity);
  }
  return *this;
}

Scope& Scope::add_hash_files() {
  return add_function("hashFiles", {1, k_most_parameters});
}

Scope& Scope::add_status_functions() {
  for (const auto* name : {"always", "cancelled", "success", "failure"}) add_function(name, {0, 0});
  return *this;
}

bool Scope::knows_name(std::string_view name) const {
  if (accepts_all_) return true;
  return std::any_of(names_.begin(), names_.end(),
                     [&](const auto& known) { return equal_ignoring_case(known, name); });
}

bool Scope::knows_function(std::string_view name) const {
  return accepts_all_ || arity(name).has_value();
}

std::optional<Arity> Scope::arity(std::string_view function) const {
  if (const auto built_in = built_in_of(function); built_in != BuiltIn::none) return arity_of(built_in);
  const auto known = find_named(functions_, function);
  return known == functions_.end() ? std::nullopt : std::optional(known->second);
}

Context& Context::set(std::string_view name, Value value) {
  if (const auto known = find_named(values_, name); known != values_.end()) {
    known->second = std::move(value);
  } else {
    values_.emplace_back(ascii_lower(name), std::move(value));
  }
  return *this;
}

Context& Context::set_lookup(std::function<std::optional<Value>(std::string_view)> lookup) {
  lookup_ = std::move(lookup);
  return *this;
}

Context& Context::set_function(std::string_view name, Function function) {
  if (const auto known = find_named(functions_, name); known != functions_.end()) {
    known->second = std::move(function);
  } else {
    functions_.emplace_back(ascii_lower(name), std::move(function));
  }
  return *this;
}

Context& Context::set_memory_limit(std::size_t bytes) {
  memory_limit_ = bytes;
  return *this;
}

Value Context::value(std::string_view name) const {
  const auto known = find_named(values_, name);
  if (known != values_.end()) return known->second;
  if (!lookup_) return {};
  return lookup_(name).value_or(Value());
}

const Function* Context::function(std::string_view name) const {
  const auto known = find_named(functions_, name);
  return known == functions_.end() ? nullptr : &known->second;
}

}  // namespace drydock::parser::expression
