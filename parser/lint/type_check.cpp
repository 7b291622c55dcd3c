#include "parser/lint/type_check.h"

#include "parser/lint/context.h"
#include "parser/lint/json_type.h"
#include "parser/lint/known_contexts.h"

#include <algorithm>
#include <set>

namespace drydock::parser::lint {

using expression::NodeId;
using expression::NodeKind;
using expression::Operator;

namespace {

constexpr std::string_view k_special_functions[] = {"always", "cancelled", "success", "failure", "hashfiles"};

template <class List>
bool holds(const List& list, std::string_view name) {
  return std::any_of(std::begin(list), std::end(list),
                     [&](std::string_view item) { return lower(item) == name; });
}

std::vector<std::string> names(const auto& list) {
  std::vector<std::string> result;
  for (const auto& item : list) result.emplace_back(item);
  std::sort(result.begin(), result.end());
  return result;
}

TypePtr filtered_array(TypePtr element) {
  auto type = std::make_shared<Type>(*array_type(std::move(element)));
  type->filtered = true;
  return type;
}

}  // namespace

std::size_t TypeCheck::begin_of(const expression::Ast& ast, NodeId id) {
  const auto& node = ast.node(id);
  const bool infix =
      node.kind == NodeKind::binary || node.kind == NodeKind::logical || node.kind == NodeKind::index;
  return infix && node.child_count > 0 ? begin_of(ast, ast.children(id)[0]) : node.offset;
}

void TypeCheck::problem(NodeId at, std::string message, std::string mend) {
  problems_.push_back({begin_of(ast_, at), std::move(message), std::move(mend)});
}

TypePtr TypeCheck::run() {
  return ast_.empty() ? null_type() : check(ast_.root());
}

TypePtr TypeCheck::check(NodeId id) {
  const auto& node = ast_.node(id);
  switch (node.kind) {
    case NodeKind::literal:
      return literal(id);
    case NodeKind::name:
      return name(id);
    case NodeKind::index:
      return index(id);
    case NodeKind::star:
      return any_type();
    case NodeKind::call:
      return call(id);
    case NodeKind::negation:
      check(ast_.children(id)[0]);
      return boolean_type();
    case NodeKind::binary:
      return compare(id);
    case NodeKind::logical:
      break;
  }
  TypePtr type;
  for (const auto child : ast_.children(id)) {
    auto next = check(child);
    type = type ? merge(type, next) : std::move(next);
  }
  return type ? type : any_type();
}

TypePtr TypeCheck::literal(NodeId id) const {
  const auto& value = ast_.literal(id);
  if (value.is_null()) return null_type();
  if (value.kind() == expression::Kind::boolean) return boolean_type();
  if (value.kind() == expression::Kind::number) return number_type();
  return string_type();
}

TypePtr TypeCheck::name(NodeId id) {
  const auto spelling = ast_.spelling(id);
  const auto context = lower(spelling);
  const auto found = contexts_.find(context);
  if (found == contexts_.end()) {
    std::vector<std::string> known;
    if (place_ != nullptr) known = names(place_->contexts);
    problem(id, "there is no context \"" + std::string(spelling) + "\"",
            known.empty() ? "" : "contexts here are " + quoted_list(known));
    return any_type();
  }
  if (place_ == nullptr || place_->contexts.empty()) {
    problem(id, "context \"" + std::string(spelling) + "\" is not allowed here; no context is");
  } else if (!holds(place_->contexts, context)) {
    problem(id, "context \"" + std::string(spelling) + "\" is not allowed here",
            "contexts here are " + quoted_list(names(place_->contexts)));
  }
  return found->second;
}

TypePtr TypeCheck::index(NodeId id) {
  const auto children = ast_.children(id);
  const auto object = check(children[0]);
  const auto key = children[1];
  const auto& key_node = ast_.node(key);
  if (key_node.kind == NodeKind::star) return star(id, object);
  const bool is_text = key_node.kind == NodeKind::literal && ast_.literal(key).is_string();
  if (is_text && (ast_.node(id).dotted || object->kind == Kind::object))
    return property(id, object, ast_.literal(key).string());
  return indexed(id, object, key);
}

TypePtr TypeCheck::property(NodeId id, const TypePtr& object, std::string_view written) {
  const auto name = lower(written);
  if (object->kind == Kind::any) return any_type();
  if (object->kind == Kind::object) {
    const auto found = object->properties.find(name);
    if (found != object->properties.end()) return found->second;
    if (object->others) return object->others;
    std::vector<std::string> known;
    for (const auto& property : object->properties) known.push_back(property.first);
    problem(id, "there is no property \"" + std::string(written) + "\" here",
            known.empty() ? "the object has no properties at this point"
                          : "properties are " + quoted_list(known));
    return any_type();
  }
  if (object->kind == Kind::array && object->filtered) {
    const auto& element = object->element;
    if (element->kind == Kind::any) return object;
    if (element->kind == Kind::object) {
      const auto found = element->properties.find(name);
      if (found != element->properties.end()) return filtered_array(found->second);
      if (element->others) return filtered_array(element->others);
      problem(id, "there is no property \"" + std::string(written) + "\" in the elements filtered by .*");
      return any_type();
    }
    problem(id,
            "property \"" + std::string(written) + "\" is asked of elements of type " + to_text(*element));
    return any_type();
  }
  problem(id, "property \"" + std::string(written) + "\" is asked of a value of type " + to_text(*object) +
                  ", which is no object");
  return any_type();
}

TypePtr TypeCheck::star(NodeId id, const TypePtr& object) {
  if (object->kind == Kind::any) return filtered_array(any_type());
  if (object->kind == Kind::array) return filtered_array(object->element);
  if (object->kind != Kind::object) {
    problem(id, ".* is applied to a value of type " + to_text(*object) + ", which is no object and no array");
    return any_type();
  }
  if (object->others)
    return filtered_array(object->others->kind == Kind::string ? string_type() : object->others);
  TypePtr element;
  for (const auto& [name, type] : object->properties) {
    element = element ? merge(element, type) : type;
  }
  return filtered_array(element ? element : any_type());
}

TypePtr TypeCheck::indexed(NodeId id, const TypePtr& object, NodeId key) {
  const auto key_type = check(key);
  const auto wrong_key = [&](std::string_view wanted) {
    problem(key, "a value of type " + to_text(*object) + " is indexed by a " + std::string(wanted) +
                     ", but this is a " + to_text(*key_type));
    return any_type();
  };
  switch (object->kind) {
    case Kind::any:
      return any_type();
    case Kind::array:
      if (key_type->kind != Kind::number && key_type->kind != Kind::any) return wrong_key("number");
      return object->element;
    case Kind::object: {
      if (key_type->kind != Kind::string && key_type->kind != Kind::any) return wrong_key("string");
      if (object->others) return object->properties.empty() ? object->others : any_type();
      return any_type();
    }
    default:
      break;
  }
  problem(id, "a value of type " + to_text(*object) + " cannot be indexed");
  return any_type();
}

void TypeCheck::check_call_allowed(NodeId id, std::string_view function) {
  const auto name = lower(function);
  if (!holds(k_special_functions, name)) return;
  if (place_ != nullptr && holds(place_->functions, name)) return;
  std::vector<std::string> places;
  for (const auto& entry : expression::availability_table()) {
    if (holds(entry.functions, name)) places.emplace_back(entry.key);
  }
  problem(id, "function \"" + std::string(function) + "\" cannot be called here",
          "it is allowed in " + quoted_list(places));
}

TypePtr TypeCheck::call(NodeId id) {
  const auto function = ast_.spelling(id);
  std::vector<TypePtr> types;
  for (const auto argument : ast_.children(id)) types.push_back(check(argument));
  const auto forms = signatures_of(function);
  if (forms.empty()) {
    problem(id, "there is no function \"" + std::string(function) + "\"");
    return any_type();
  }
  check_call_allowed(id, function);
  std::vector<TypeProblem> problems;
  for (const auto* form : forms) {
    if (!check_arguments(id, *form, types, problems)) continue;
    if (form->name == "format") check_format(id);
    return form->name == "fromjson" ? from_json(id) : form->result;
  }
  problems_.insert(problems_.end(), problems.begin(), problems.end());
  return forms.front()->result;
}

bool TypeCheck::check_arguments(NodeId id, const Signature& form, const std::vector<TypePtr>& types,
                                std::vector<TypeProblem>& out) const {
  const auto least = form.parameters.size();
  if (types.size() < least || (!form.variadic && types.size() > least)) {
    out.push_back({begin_of(ast_, id),
                   "function \"" + std::string(ast_.spelling(id)) + "\" takes " + std::to_string(least) +
                       (form.variadic ? " or more" : "") + " arguments, but " + std::to_string(types.size()) +
                       " are given",
                   {}});
    return false;
  }
  for (std::size_t i = 0; i < types.size(); ++i) {
    const auto& wanted = form.parameters[std::min(i, least - 1)];
    if (is_assignable(*wanted, *types[i])) continue;
    out.push_back({begin_of(ast_, ast_.children(id)[i]),
                   "argument " + std::to_string(i + 1) + " of " + std::string(ast_.spelling(id)) +
                       " must be a " + to_text(*wanted) + ", but this is a " + to_text(*types[i]),
                   {}});
    return false;
  }
  return true;
}

void TypeCheck::check_format(NodeId id) {
  const auto arguments = ast_.children(id);
  const auto& first = ast_.node(arguments[0]);
  if (first.kind != NodeKind::literal || !ast_.literal(arguments[0]).is_string()) return;
  const std::string_view text = ast_.literal(arguments[0]).string();
  std::set<std::size_t> used;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '{') continue;
    if (i + 1 < text.size() && text[i + 1] == '{') {
      ++i;
      continue;
    }
    std::size_t number = 0;
    auto end = i + 1;
    for (; end < text.size() && text[end] >= '0' && text[end] <= '9' && end < i + 6; ++end)
      number = number * 10 + static_cast<std::size_t>(text[end] - '0');
    if (end > i + 1 && end < text.size() && text[end] == '}') used.insert(number);
  }
  const auto given = arguments.size() - 1;
  for (std::size_t i = 0; i < given; ++i) {
    if (used.erase(i) == 0)
      problem(id, "the format string has no place {" + std::to_string(i) + "} for its argument");
  }
  for (const auto number : used) {
    problem(id, "the format string asks for {" + std::to_string(number) + "}, but only " +
                    std::to_string(given) + " arguments follow it");
  }
}

TypePtr TypeCheck::from_json(NodeId id) {
  const auto argument = ast_.children(id)[0];
  if (ast_.node(argument).kind != NodeKind::literal || !ast_.literal(argument).is_string()) return any_type();
  const auto read = type_of_json(ast_.literal(argument).string());
  if (read) return read;
  problem(argument, "fromJSON is given text that is no JSON");
  return any_type();
}

bool TypeCheck::is_comparable(const Type& a, const Type& b) {
  if (a.kind == Kind::any || b.kind == Kind::any || a.kind == Kind::null || b.kind == Kind::null) return true;
  if (a.kind == Kind::object || b.kind == Kind::object) return a.kind == b.kind;
  if (a.kind != Kind::array && b.kind != Kind::array) return true;
  return a.kind == b.kind && is_comparable(*a.element, *b.element);
}

TypePtr TypeCheck::compare(NodeId id) {
  const auto children = ast_.children(id);
  const auto left = check(children[0]);
  const auto right = check(children[1]);
  const auto op = ast_.node(id).op;
  const bool by_equality = op == Operator::equal || op == Operator::not_equal;
  const auto ordered = [](const Type& type) {
    return type.kind == Kind::any || type.kind == Kind::string || type.kind == Kind::number;
  };
  const bool works = by_equality ? is_comparable(*left, *right) : ordered(*left) && ordered(*right);
  if (!works) {
    problem(id, "a value of type " + to_text(*left) + " cannot be compared with one of type " +
                    to_text(*right) + " by " + std::string(ast_.spelling(id)));
  }
  return boolean_type();
}

}  // namespace drydock::parser::lint
