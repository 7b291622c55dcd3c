#include <cmath>
#include <cstdio>
#include <limits>

#include "executors/actions/handlebars_tree.h"
#include "executors/actions/text.h"

namespace drydock::actions::handlebars {
namespace {

std::string number_text(double value) {
  if (std::isfinite(value) && std::abs(value) < 1e15 && std::trunc(value) == value) {
    return std::to_string(static_cast<long long>(value));
  }
  char text[40];
  for (int digits = 1; digits <= std::numeric_limits<double>::max_digits10; ++digits) {
    std::snprintf(text, sizeof text, "%.*g", digits, value);
    if (std::strtod(text, nullptr) == value) break;
  }
  return text;
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#x27;"; break;
      case '`': out += "&#x60;"; break;
      case '=': out += "&#x3D;"; break;
      default: out += c;
    }
  }
  return out;
}

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

class Renderer {
 public:
  explicit Renderer(const Object& root) { scopes_.emplace_back(root); }

  Result<std::string> program(const std::vector<Node>& nodes) {
    std::string out;
    for (const auto& node : nodes) {
      if (node.kind == Node::Kind::text) {
        out += node.text;
      } else if (node.kind == Node::Kind::output) {
        DRYDOCK_ASSIGN(const auto value, call(node.expression));
        const auto text = value.text();
        out += node.escaped ? escaped(text) : text;
      } else {
        DRYDOCK_ASSIGN(const auto text, block(node));
        out += text;
      }
    }
    return out;
  }

 private:
  Value lookup(const Expression& path) const {
    if (static_cast<std::size_t>(path.parents) >= scopes_.size()) return {};
    Value value = scopes_[scopes_.size() - 1 - path.parents];
    for (const auto& part : path.parts) value = member(value, part);
    return value;
  }

  static Value member(const Value& value, const std::string& name) {
    if (const auto* object = std::get_if<std::shared_ptr<const Object>>(&value.data)) {
      const auto found = (*object)->find(name);
      return found == (*object)->end() ? Value() : found->second;
    }
    if (const auto* list = std::get_if<std::shared_ptr<const List>>(&value.data)) {
      if (name == "length") return static_cast<double>((*list)->size());
      if (name.empty() || name.size() > 6 || name.find_first_not_of("0123456789") != std::string::npos) return {};
      const auto index = std::stoul(name);
      return index < (*list)->size() ? (**list)[index] : Value();
    }
    return {};
  }

  Result<Arguments> arguments_of(const Expression& call) {
    Arguments out;
    for (const auto& each : call.positional) {
      DRYDOCK_ASSIGN(auto value, evaluate(each));
      out.positional.push_back(std::move(value));
    }
    for (const auto& [name, each] : call.named) {
      DRYDOCK_ASSIGN(out.named[name], evaluate(each));
    }
    return out;
  }

  Result<Value> evaluate(const Expression& expression) {
    if (expression.kind == Expression::Kind::literal) return expression.literal;
    if (expression.kind == Expression::Kind::path) return lookup(expression);
    return call(expression);
  }

  Result<Value> call(const Expression& expression) {
    const auto& callee = expression.callee.front();
    const bool bare = expression.positional.empty() && expression.named.empty();
    if (callee.kind == Expression::Kind::literal) return bare ? lookup_literal(callee) : refuse("a literal");
    if (callee.kind == Expression::Kind::call) return call(callee);
    const auto value = lookup(callee);
    const auto* function = std::get_if<Function>(&value.data);
    DRYDOCK_ASSIGN(const auto arguments, arguments_of(expression));
    if (function) return (*function)(arguments);
    if (callee.name() == "lookup" && arguments.positional.size() == 2) {
      return member(arguments.positional[0], arguments.positional[1].text());
    }
    if (bare) return value;
    return refuse(callee.name());
  }

  /// "{{'a b'}}" names a member of the context.
  Result<Value> lookup_literal(const Expression& literal) const { return member(scopes_.back(), literal.literal.text()); }

  static Error refuse(const std::string& name) {
    return make_error(ErrorCode::usage, "Missing helper: \"" + name + "\"");
  }

  /// Conditions that are functions are asked.
  Result<Value> settled(Value value) const {
    const auto* function = std::get_if<Function>(&value.data);
    if (!function) return value;
    const auto held = *function;
    return held({});
  }

  Result<std::string> block(const Node& node) {
    const auto name = node.expression.callee.front().name();
    const bool known = name == "if" || name == "unless" || name == "each" || name == "with";
    if (!known) {
      DRYDOCK_ASSIGN(auto value, call(node.expression));
      return section(node, std::move(value));
    }
    DRYDOCK_ASSIGN(auto arguments, arguments_of(node.expression));
    if (arguments.positional.size() != 1) {
      return make_error(ErrorCode::usage, "#" + name + " requires exactly one argument");
    }
    DRYDOCK_ASSIGN(auto value, settled(std::move(arguments.positional.front())));
    if (name == "each") return each(node, value);
    if (name == "with") return value.truthy() ? inside(value, node.body) : program(node.otherwise);
    const bool zero_counts = arguments.named["includeZero"].truthy() && std::holds_alternative<double>(value.data);
    const bool holds = (value.truthy() || zero_counts) == (name == "if");
    return program(holds ? node.body : node.otherwise);
  }

  /// "{{#name}}…{{/name}}": shown for what is there, once for each item of a list.
  Result<std::string> section(const Node& node, Value value) {
    if (const auto* yes = std::get_if<bool>(&value.data)) return program(*yes ? node.body : node.otherwise);
    if (std::holds_alternative<Undefined>(value.data)) return program(node.otherwise);
    if (std::holds_alternative<std::shared_ptr<const List>>(value.data)) return each(node, value);
    return inside(value, node.body);
  }

  Result<std::string> each(const Node& node, const Value& value) {
    std::string out;
    List items;
    if (const auto* list = std::get_if<std::shared_ptr<const List>>(&value.data)) items = **list;
    if (const auto* object = std::get_if<std::shared_ptr<const Object>>(&value.data)) {
      for (const auto& [name, item] : **object) items.push_back(item);
    }
    if (items.empty()) return program(node.otherwise);
    for (const auto& item : items) {
      DRYDOCK_ASSIGN(const auto text, inside(item, node.body));
      out += text;
    }
    return out;
  }

  Result<std::string> inside(const Value& scope, const std::vector<Node>& body) {
    scopes_.push_back(scope);
    auto out = program(body);
    scopes_.pop_back();
    return out;
  }

  std::vector<Value> scopes_;
};

}  // namespace

std::string Value::text() const {
  return std::visit(Overloaded{[](const Undefined&) { return std::string(); },
                               [](bool value) { return std::string(value ? "true" : "false"); },
                               [](double value) { return number_text(value); },
                               [](const std::string& value) { return value; },
                               [](const std::shared_ptr<const List>& list) {
                                 std::vector<std::string> parts;
                                 for (const auto& item : *list) parts.push_back(item.text());
                                 return join(parts, ",");
                               },
                               [](const std::shared_ptr<const Object>&) { return std::string("[object Object]"); },
                               [](const Function&) { return std::string(); }},
                    data);
}

bool Value::truthy() const {
  return std::visit(Overloaded{[](const Undefined&) { return false; },
                               [](bool value) { return value; },
                               [](double value) { return value != 0 && !std::isnan(value); },
                               [](const std::string& value) { return !value.empty(); },
                               [](const std::shared_ptr<const List>& list) { return !list->empty(); },
                               [](const auto&) { return true; }},
                    data);
}

Result<std::string> render(std::string_view source, const Object& context) {
  if (source.find("{{") == std::string_view::npos) return std::string(source);
  DRYDOCK_ASSIGN(const auto nodes, parse(source));
  return Renderer(context).program(nodes);
}

bool is_only(std::string_view source, std::string_view name) {
  const auto nodes = parse(source);
  if (!nodes || nodes->size() != 1 || nodes->front().kind != Node::Kind::output) return false;
  const auto& callee = nodes->front().expression.callee.front();
  return callee.kind == Expression::Kind::path && callee.parts.size() == 1 && callee.parts.front() == name;
}

}  // namespace drydock::actions::handlebars
