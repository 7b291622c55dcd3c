// The built-in functions, all but format().

#include "parser/expression/evaluator.h"
#include "parser/expression/json_reader.h"

namespace drydock::parser::expression {

Value Evaluator::case_(NodeId id, int level) {
  const std::size_t count = ast_.children(id).size();
  std::vector<Value> unknown;
  for (std::size_t i = 0; i + 1 < count; i += 2) {
    const Value predicate = argument(id, i, level);
    if (failed() && unknown.empty()) return {};
    if (failed()) break;
    if (predicate.is_unknown()) {
      unknown.push_back(predicate);
      continue;
    }
    if (predicate.kind() != Kind::boolean) {
      if (!unknown.empty()) break;  // GitHub may never come here
      return fail(id, "case predicate must evaluate to a boolean value");
    }
    if (!predicate.boolean()) continue;
    if (unknown.empty()) return argument(id, i + 1, level);
    break;
  }
  if (unknown.empty()) return argument(id, count - 1, level);
  error_.reset();
  return Value::unknown_from(unknown);
}

Value Evaluator::contains(NodeId id, int level) {
  const Value left = argument(id, 0, level);
  if (failed()) return {};
  if (left.kind() == Kind::object || (left.kind() == Kind::array && left.items().empty())) return false;
  const Value right = argument(id, 1, level);
  if (failed()) return {};
  if (left.is_unknown() || right.is_unknown()) return Value::unknown_from({left, right});
  if (left.is_primitive()) {
    if (!right.is_primitive()) return false;
    return fold_case(left.to_string()).find(fold_case(right.to_string())) != std::string::npos;
  }
  std::vector<Value> unknown;
  for (const auto& item : left.items()) {
    if (item.is_unknown()) {
      unknown.push_back(item);
    } else if (equal(right, item)) {
      return true;
    }
  }
  return unknown.empty() ? Value(false) : Value::unknown_from(unknown);
}

Value Evaluator::affix(NodeId id, int level, bool (*has)(std::string_view, std::string_view)) {
  const Value left = argument(id, 0, level);
  if (failed()) return {};
  if (!left.is_primitive() && !left.is_unknown()) return false;
  const Value right = argument(id, 1, level);
  if (failed()) return {};
  if (!right.is_primitive() && !right.is_unknown()) return false;
  if (left.is_unknown() || right.is_unknown()) return Value::unknown_from({left, right});
  return has(fold_case(left.to_string()), fold_case(right.to_string()));
}

Value Evaluator::from_json(NodeId id, int level) {
  const Value text = argument(id, 0, level);
  if (failed()) return {};
  if (text.is_unknown()) return Value::unknown_from({text});
  auto read = text.is_string() ? read_json_text(text.string()) : read_json_text(text.to_string());
  if (auto* value = std::get_if<Value>(&read)) return std::move(*value);
  const auto& problem = std::get<JsonProblem>(read);
  return fail(id,
              "Error parsing fromJson: " + problem.what + " at byte " + std::to_string(problem.offset + 1));
}

Value Evaluator::join(NodeId id, int level) {
  const Value items = argument(id, 0, level);
  if (failed()) return {};
  if (items.is_unknown()) return Value::unknown_from({items});
  if (items.is_primitive()) return items.to_string();
  if (items.kind() != Kind::array || items.items().empty()) return "";

  std::vector<Value> unknown;
  for (const auto& item : items.items()) {
    if (item.is_unknown()) unknown.push_back(item);
  }
  std::string separator = ",";
  if (items.items().size() > 1 && ast_.children(id).size() > 1) {
    const Value given = argument(id, 1, level);
    if (failed()) return {};
    if (given.is_unknown()) unknown.push_back(given);
    if (given.is_primitive()) separator = given.to_string();
  }
  if (!unknown.empty()) return Value::unknown_from(unknown);

  std::string joined;
  std::size_t bytes = 0;
  for (const auto& item : items.items()) {
    const std::string text = item.to_string();
    bytes += memory_of(separator) + memory_of(text);
    if (memory_.would_exceed(bytes)) return exceeded();
    if (&item != &items.items().front()) joined += separator;
    joined += text;
  }
  return joined;
}

Value Evaluator::to_json(NodeId id, int level) {
  const Value value = argument(id, 0, level);
  if (failed()) return {};
  if (value.has_unknown()) return Value::unknown_from({value});
  return value.to_json_text();
}

}  // namespace drydock::parser::expression
