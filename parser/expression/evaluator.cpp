#include "parser/expression/evaluator.h"

#include <cmath>

#include "parser/expression/built_in.h"
#include "parser/expression/text.h"

namespace drydock::parser::expression {

namespace {

constexpr std::size_t k_object_bytes = 24;
constexpr std::size_t k_string_bytes = 26;
constexpr std::size_t k_pointer_bytes = 8;
constexpr double k_largest_index = 2147483647.0;

// An index as a position, or nothing: it must be a number from 0 to what 32 bits hold.
std::optional<std::size_t> position_of(const Value& index) {
  const double number = index.to_number();
  if (std::isnan(number) || number < 0 || std::floor(number) > k_largest_index) return std::nullopt;
  return static_cast<std::size_t>(std::floor(number));
}

const Value* access(const Value& collection, const Value& index) {
  if (collection.kind() == Kind::object) {
    if (!index.is_primitive()) return nullptr;
    return index.is_string() ? collection.object().find(index.string())
                             : collection.object().find(index.to_string());
  }
  if (collection.kind() != Kind::array) return nullptr;
  const auto position = position_of(index);
  return position && *position < collection.items().size() ? &collection.items()[*position] : nullptr;
}

void append_all(Items& out, const Value& collection) {
  if (collection.kind() == Kind::array) {
    out.insert(out.end(), collection.items().begin(), collection.items().end());
  } else if (collection.kind() == Kind::object) {
    for (const auto& member : collection.object()) out.push_back(member.value);
  }
}

Value unknown_items(const Value& array) {
  std::vector<Value> unknown;
  for (const auto& item : array.items()) {
    if (item.is_unknown()) unknown.push_back(item);
  }
  return unknown.empty() ? Value() : Value::unknown_from(unknown);
}

// What `.name`, `[index]` or `.*` of an unknown thing reads.
Value unknown_access(const Value& object, const Value* index) {
  const bool named = !index || (index->is_primitive() && !index->is_unknown());
  if (object.unknown().form != Unknown::Form::path || !named) {
    return index ? Value::unknown_from({object, *index}) : Value::unknown_from({object});
  }
  return Value::unknown(object.unknown().depends_on.front() + "." + (index ? index->to_string() : "*"));
}

}  // namespace

std::size_t memory_of(std::string_view text) {
  return k_string_bytes + 2 * utf16_length(text);
}

bool MemoryAccount::add(int level, std::size_t bytes, Deeper deeper) {
  if (deeper == Deeper::freed) {
    for (; deepest_ > level; --deepest_) {
      total_ -= levels_[static_cast<std::size_t>(deepest_)];
      levels_[static_cast<std::size_t>(deepest_)] = 0;
    }
  }
  deepest_ = std::max(deepest_, level);
  levels_[static_cast<std::size_t>(level)] += bytes;
  total_ += bytes;
  return total_ <= limit_;
}

Value Evaluator::fail(NodeId id, std::string message) {
  if (error_) return {};
  error_ = evaluation_error(std::move(message));
  error_->offset = ast_.node(id).offset;
  error_->length = ast_.node(id).length;
  return {};
}

Value Evaluator::exceeded() {
  return fail(ast_.root(),
              "The maximum allowed memory size was exceeded while evaluating the following expression: " +
                  ast_.text());
}

Checked<Value> Evaluator::run() {
  if (ast_.empty()) return Value();
  Value value = evaluate(ast_.root(), 0);
  if (error_) return *std::move(error_);
  return value;
}

Value Evaluator::evaluate(NodeId id, int level) {
  if (failed()) return {};
  Value value = compute(id, level);
  if (failed()) return {};
  const auto deeper = value.is_primitive() ? MemoryAccount::Deeper::freed : MemoryAccount::Deeper::kept;
  std::size_t bytes = value.is_string() ? memory_of(value.string()) : k_object_bytes;
  if (value.is_filtered()) bytes += k_pointer_bytes * value.items().size();
  if (!memory_.add(level, bytes, deeper)) return exceeded();
  return value;
}

Value Evaluator::compute(NodeId id, int level) {
  switch (ast_.node(id).kind) {
    case NodeKind::literal:
      return ast_.literal(id);
    case NodeKind::name:
      return context_.value(ast_.spelling(id));
    case NodeKind::index:
      return index(id, level);
    case NodeKind::star:
      return "*";
    case NodeKind::call:
      return call(id, level);
    case NodeKind::binary:
      return binary(id, level);
    case NodeKind::logical:
      return logical(id, level);
    case NodeKind::negation:
      break;
  }
  const Value operand = argument(id, 0, level);
  if (operand.truth() == Truth::undecided) return Value::unknown_from({operand});
  return !operand.truthy();
}

// An operand that is not decided neither ends the row nor is lost: what follows it may still decide.
Value Evaluator::logical(NodeId id, int level) {
  const auto ending = ast_.node(id).op == Operator::logical_and ? Truth::no : Truth::yes;
  std::vector<Value> undecided;
  Value value;
  for (const NodeId child : ast_.children(id)) {
    value = evaluate(child, level + 1);
    if (failed()) {
      if (undecided.empty()) return {};
      error_.reset();  // GitHub may never come here
      return Value::unknown_from(undecided);
    }
    const Truth truth = value.truth();
    if (truth == ending) {
      if (undecided.empty()) return value;
      undecided.push_back(std::move(value));
      return Value::unknown_from(undecided, ending);
    }
    if (truth == Truth::undecided) undecided.push_back(value);
  }
  if (undecided.empty() || (undecided.size() == 1 && value.truth() == Truth::undecided)) return value;
  if (value.is_unknown()) undecided.push_back(value);
  return Value::unknown_from(undecided);
}

Value Evaluator::binary(NodeId id, int level) {
  const Value left = argument(id, 0, level);
  const Value right = argument(id, 1, level);
  if (failed()) return {};
  if (left.is_unknown() || right.is_unknown()) return Value::unknown_from({left, right});
  switch (ast_.node(id).op) {
    case Operator::equal:
      return equal(left, right);
    case Operator::not_equal:
      return !equal(left, right);
    case Operator::less:
      return less(left, right);
    case Operator::greater:
      return less(right, left);
    case Operator::less_equal:
      return equal(left, right) || less(left, right);
    default:
      return equal(left, right) || less(right, left);
  }
}

Value Evaluator::index(NodeId id, int level) {
  const Value object = argument(id, 0, level);
  if (failed()) return {};
  const NodeId index_id = ast_.children(id)[1];
  const bool star = ast_.node(index_id).kind == NodeKind::star;
  if (!object.is_unknown() && object.is_primitive()) return star ? Value::filtered({}) : Value();
  const Value index = star ? Value() : evaluate(index_id, level + 1);
  if (failed()) return {};
  if (object.is_unknown()) return unknown_access(object, star ? nullptr : &index);
  if (index.is_unknown()) return Value::unknown_from({index});

  if (!object.is_filtered()) {
    if (!star) {
      const Value* found = access(object, index);
      return found ? *found : Value();
    }
    Items items;
    append_all(items, object);
    return Value::filtered(std::move(items));
  }
  if (Value unknown = unknown_items(object); unknown.is_unknown()) return unknown;
  Items items;
  for (const auto& item : object.items()) {
    if (star) {
      append_all(items, item);
    } else if (const Value* found = access(item, index)) {
      items.push_back(*found);
    }
  }
  return Value::filtered(std::move(items));
}

Value Evaluator::call(NodeId id, int level) {
  if (const auto* given = context_.function(ast_.spelling(id))) return call_given(*given, id, level);
  switch (static_cast<BuiltIn>(ast_.node(id).detail)) {
    case BuiltIn::case_:
      return case_(id, level);
    case BuiltIn::contains:
      return contains(id, level);
    case BuiltIn::ends_with:
      return affix(id, level,
                   [](std::string_view text, std::string_view end) { return text.ends_with(end); });
    case BuiltIn::format:
      return format(id, level);
    case BuiltIn::from_json:
      return from_json(id, level);
    case BuiltIn::join:
      return join(id, level);
    case BuiltIn::starts_with:
      return affix(id, level,
                   [](std::string_view text, std::string_view begin) { return text.starts_with(begin); });
    case BuiltIn::to_json:
      return to_json(id, level);
    case BuiltIn::none:
      break;
  }
  return fail(id, "The function '" + std::string(ast_.spelling(id)) + "' is not available here");
}

Value Evaluator::call_given(const Function& function, NodeId id, int level) {
  std::vector<Value> arguments;
  bool unknown = false;
  for (const NodeId child : ast_.children(id)) {
    arguments.push_back(evaluate(child, level + 1));
    if (failed()) return {};
    unknown = unknown || arguments.back().has_unknown();
  }
  if (unknown) return Value::unknown_from(arguments);
  auto result = function(arguments);
  if (result) return std::move(result).value();
  error_ = std::move(result).error();
  error_->phase = Phase::evaluation;
  error_->offset = ast_.node(id).offset;
  error_->length = ast_.node(id).length;
  return {};
}

Checked<Value> evaluate(const Ast& ast, const Context& context) {
  return Evaluator(ast, context).run();
}

}  // namespace drydock::parser::expression
