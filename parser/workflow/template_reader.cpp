#include "parser/workflow/template_reader.h"

#include "parser/expression/value.h"
#include "parser/workflow/scalar.h"
#include "parser/workflow/template_scalar.h"
#include "parser/yaml/document.h"

#include <algorithm>
#include <map>
#include <unordered_set>

namespace drydock::parser::workflow {

namespace {

// What GitHub counts for objects in memory; only the sums matter, against the same limit.
constexpr std::size_t k_object_bytes = 24;
constexpr std::size_t k_string_bytes = 26;

/// A definition with what its expressions may use, gathered on the way down.
struct Place {
  const Definition* definition;
  Allowed allowed;
};

class Reader {
 public:
  Reader(const yaml::Document& document, const Schema& schema, const TemplateLimits& limits, TemplateTree& tree)
      : document_(document), schema_(schema), limits_(limits), tree_(tree), bytes_(limits.used_bytes) {}

  void run() {
    const auto& root = schema_.get(schema_.find("root"));
    Token token;
    if (document_.root == yaml::k_no_node) {
      token.range = {{1, 1}, {1, 1}};
      unexpected_value(token, root);
    } else {
      token = value(document_.root, {&root, root.allowed});
    }
    if (!stopped_) tree_.root = std::move(token);
    tree_.bytes = bytes_;
  }

 private:
  Place below(const Place& place, DefinitionId id) const {
    const auto& definition = schema_.get(id);
    return {&definition, place.allowed | definition.allowed};
  }

  const expression::Scope& scope(Allowed allowed) {
    auto found = scopes_.find(allowed);
    if (found == scopes_.end()) found = scopes_.emplace(allowed, scope_for(allowed)).first;
    return found->second;
  }

  // --- problems

  void error(const Token& token, std::string message, std::string mend = {}, std::string rule = "schema") {
    tree_.issues.push_back({Stage::syntax, Severity::error, {}, token.range.start, token.range, std::move(rule),
                            std::move(message), std::move(mend), {}});
  }

  /// Ends the reading: GitHub gives such errors no place.
  void stop(std::string message, const Range& range) {
    if (stopped_) return;
    stopped_ = true;
    tree_.issues.push_back({Stage::syntax, Severity::error, {}, {}, range, "syntax", std::move(message), {}, {}});
  }

  void unexpected_value(const Token& token, const Definition& definition) {
    const auto text = token.to_string();
    std::vector<std::string_view> constants;
    for (const auto& rule : definition.strings) {
      if (!rule.constant.empty()) constants.push_back(rule.constant);
    }
    error(token, "Unexpected value '" + text + "'", mend_for_value(text, definition, constants));
  }

  static std::string mend_for_value(std::string_view text, const Definition& definition,
                                    const std::vector<std::string_view>& constants) {
    if (auto guess = did_you_mean(text, constants); !guess.empty()) return guess;
    if (!constants.empty() && constants.size() <= 8) {
      std::string mend = "expected one of:";
      for (const auto constant : constants) mend += " " + std::string(constant);
      return mend;
    }
    if (text.empty()) return "a value is expected here";
    if (definition.boolean) return "expected true or false";
    if (definition.number) return "expected a number";
    if (!definition.mappings.empty()) return "expected a mapping (key: value)";
    return definition.item != k_no_definition ? "expected a list" : std::string{};
  }

  void unexpected_key(const Token& key, const std::vector<const MappingRule*>& rules) {
    if (key.text == "<<") {
      error(key, "Unexpected value '<<'", "GitHub has no merge keys: write the keys out, or give the whole value by an alias");
      return;
    }
    std::vector<std::string_view> names;
    for (const auto* rule : rules) {
      for (const auto& property : rule->properties) names.push_back(property.name);
    }
    error(key, "Unexpected value '" + key.text + "'", did_you_mean(key.text, names));
  }

  // --- limits

  void add_bytes(const Token& token) {
    auto bytes = k_object_bytes;
    if (token.kind == TokenKind::string || token.kind == TokenKind::expression) {
      bytes += k_string_bytes + 2 * utf16_length(token.text);
    }
    bytes_ += bytes;
    if (bytes_ > limits_.max_result_size) stop("Maximum object size exceeded", token.range);
  }

  void count(const yaml::Node& node, std::size_t events) {
    nodes_ += events;
    if (nodes_ > limits_.max_nodes) stop("Maximum YAML nodes exceeded", node.range);
  }

  bool descend(const Token& token) {
    if (depth_++ < limits_.max_depth) return true;
    stop("Maximum object depth exceeded", token.range);
    return false;
  }

  // --- values

  const yaml::Node& node(yaml::NodeId id) const {
    const auto* found = &document_.node(id);
    while (found->kind == yaml::NodeKind::alias) found = &document_.node(found->target);
    return *found;
  }

  Token value(yaml::NodeId id, const Place& place) {
    const auto& at = node(id);
    if (at.kind == yaml::NodeKind::scalar) return scalar_value(at, place);
    Token token;
    token.kind = at.kind == yaml::NodeKind::sequence ? TokenKind::sequence : TokenKind::mapping;
    token.range = at.range;
    count(at, 2);
    if (stopped_ || !descend(token)) return token;
    add_bytes(token);
    if (at.kind == yaml::NodeKind::sequence) {
      sequence(token, at, place);
    } else {
      mapping(token, at, place);
    }
    --depth_;
    return token;
  }

  Token scalar_value(const yaml::Node& at, const Place& place) {
    auto token = literal(at);
    if (stopped_) return token;
    expressions(token, place.allowed);
    validate(token, place);
    add_bytes(token);
    return token;
  }

  Token literal(const yaml::Node& at) {
    count(at, 1);
    auto outcome = type_scalar(at);
    if (auto* message = std::get_if<std::string>(&outcome)) {
      stop(std::move(*message), at.range);
      return {};
    }
    return std::move(std::get<Token>(outcome));
  }

  void expressions(Token& token, Allowed allowed) {
    if (token.kind != TokenKind::string || token.text.find("${{") == std::string::npos) return;
    if (auto problem = parse_expressions(token, scope(allowed))) {
      error(token, std::move(problem->message), {}, "expression");
      auto& range = tree_.issues.back().range;
      const bool in_place = token.style == ScalarStyle::plain && range.start.line == range.end.line;
      if (in_place) range.start.column += static_cast<int>(problem->offset);
    }
  }

  void validate(Token& token, const Place& place) {
    const auto& definition = *place.definition;
    if (token.kind == TokenKind::expression) {
      if (place.allowed == 0) error(token, "A template expression is not allowed in this context");
      return;
    }
    if (token.kind == TokenKind::insert) {
      error(token, "Unexpected value '" + token.to_string() + "'");
      return;
    }
    if (token.kind == TokenKind::null && definition.null) return;
    if (token.kind == TokenKind::boolean && definition.boolean) return;
    if (token.kind == TokenKind::number && definition.number) return;
    auto text = token.to_string();
    const auto fits = [&](const StringRule& rule) { return rule.matches(text); };
    if (std::any_of(definition.strings.begin(), definition.strings.end(), fits)) {
      token.kind = TokenKind::string;
      token.text = std::move(text);
      return;
    }
    unexpected_value(token, definition);
  }

  void sequence(Token& token, const yaml::Node& at, const Place& place) {
    if (place.definition->item == k_no_definition) {
      error(token, "A sequence was not expected", mend_for_value("-", *place.definition, {}));
      for (const auto child : at.children) skip(child);
      return;
    }
    const auto item = below(place, place.definition->item);
    token.items.reserve(at.children.size());
    for (const auto child : at.children) {
      token.items.push_back(value(child, item));
      if (stopped_) return;
    }
  }

  /// Only limits matter in what is left out.
  void skip(yaml::NodeId id) {
    const auto& at = node(id);
    count(at, at.children.empty() ? 1 : 2);
    if (stopped_ || at.kind == yaml::NodeKind::scalar) return;
    Token token;
    token.range = at.range;
    if (!descend(token)) return;
    for (const auto child : at.children) {
      skip(child);
      if (stopped_) return;
    }
    --depth_;
  }

  void mapping(Token& token, const yaml::Node& at, const Place& place) {
    auto rules = place.definition->mappings;
    if (rules.empty()) {
      error(token, "A mapping was not expected", mend_for_value("{", *place.definition, {}));
      for (const auto child : at.children) skip(child);
      return;
    }
    std::unordered_set<std::string> seen;
    bool has_expression_key = false;
    token.entries.reserve(at.children.size() / 2);
    for (std::size_t i = 0; i + 1 < at.children.size() && !stopped_; i += 2) {
      const auto& key_node = node(at.children[i]);
      if (key_node.kind != yaml::NodeKind::scalar) {
        stop("Expected a scalar value", key_node.range);
        return;
      }
      auto key = literal(key_node);
      if (stopped_) return;
      expressions(key, place.allowed);
      if (!key.is_literal()) {
        has_expression_key = true;
        expression_entry(token, std::move(key), at.children[i + 1], place, *rules.front());
        continue;
      }
      if (!key.is_string()) {
        key.text = key.to_string();
        key.kind = TokenKind::string;
      }
      if (!seen.insert(expression::fold_case(key.text)).second) {
        error(key, "'" + key.text + "' is already defined");
        skip(at.children[i + 1]);
        continue;
      }
      entry(token, std::move(key), at.children[i + 1], place, rules);
    }
    if (!stopped_) check_rules(token, rules, seen, has_expression_key);
  }

  void expression_entry(Token& mapping, Token key, yaml::NodeId child, const Place& place, const MappingRule& rule) {
    if (place.allowed == 0) {
      error(key, "A template expression is not allowed in this context");
      skip(child);
      return;
    }
    add_bytes(key);
    const auto type = rule.properties.empty() ? rule.loose_value : schema_.find("any");
    auto read = value(child, below(place, type));
    mapping.entries.push_back({std::move(key), std::move(read)});
  }

  void entry(Token& mapping, Token key, yaml::NodeId child, const Place& place, std::vector<const MappingRule*>& rules) {
    DefinitionId type = k_no_definition;
    for (const auto* rule : rules) {
      const auto* property = rule->find(key.text);
      if (property != nullptr && type == k_no_definition) type = property->type;
    }
    if (type != k_no_definition) {
      std::erase_if(rules, [&](const MappingRule* rule) { return rule->find(key.text) == nullptr; });
    } else if (rules.front()->loose_value != k_no_definition) {
      type = rules.front()->loose_value;
      validate(key, below(place, rules.front()->loose_key));
    } else {
      unexpected_key(key, rules);
      skip(child);
      return;
    }
    add_bytes(key);
    if (stopped_) return;
    auto read = value(child, below(place, type));
    mapping.entries.push_back({std::move(key), std::move(read)});
  }

  void check_rules(const Token& token, const std::vector<const MappingRule*>& rules,
                   const std::unordered_set<std::string>& seen, bool has_expression_key) {
    if (rules.size() > 1) {
      error(token, "There's not enough info to determine what you meant. Add one of these properties: " + distinguishing(rules));
      return;
    }
    if (has_expression_key) return;
    for (const auto& property : rules.front()->properties) {
      if (property.required && !seen.contains(expression::fold_case(property.name))) {
        error(token, "Required property is missing: " + std::string(property.name));
      }
    }
  }

  /// Properties of one rule alone; GitHub does not offer those of background steps here.
  static std::string distinguishing(const std::vector<const MappingRule*>& rules) {
    std::map<std::string_view, int> uses;
    for (const auto* rule : rules) {
      for (const auto& property : rule->properties) ++uses[property.name];
    }
    std::string list;
    for (const auto& [name, count] : uses) {
      if (count != 1 || name == "wait" || name == "wait-all" || name == "cancel") continue;
      if (!list.empty()) list += ", ";
      list += name;
    }
    return list;
  }

  const yaml::Document& document_;
  const Schema& schema_;
  const TemplateLimits& limits_;
  TemplateTree& tree_;
  std::map<Allowed, expression::Scope> scopes_;
  std::size_t bytes_;
  std::size_t nodes_ = 4;  // begin and end of stream and document
  int depth_ = 0;
  bool stopped_ = false;
};

}  // namespace

TemplateTree read_template(const yaml::Document& document, const Schema& schema, const TemplateLimits& limits) {
  TemplateTree tree;
  tree.bytes = limits.used_bytes;
  Reader(document, schema, limits, tree).run();
  return tree;
}

TemplateTree read_template(std::string_view text, const Schema& schema, const TemplateLimits& limits) {
  TemplateTree tree;
  tree.bytes = limits.used_bytes;
  yaml::Limits yaml_limits;
  yaml_limits.max_bytes = limits.max_file_size;
  const auto parsed = yaml::parse(text, yaml_limits);
  if (const auto* problem = std::get_if<yaml::Problem>(&parsed)) {
    tree.issues.push_back({Stage::syntax, Severity::error, {}, problem->position, {problem->position, problem->position},
                           "syntax", problem->message, problem->mend, {}});
    return tree;
  }
  return read_template(std::get<yaml::Document>(parsed), schema, limits);
}

}  // namespace drydock::parser::workflow
