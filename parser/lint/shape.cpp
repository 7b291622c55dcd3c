#include "parser/lint/shape.h"

#include "parser/lint/rule.h"

#include <charconv>
#include <map>

namespace drydock::parser::lint {

using yaml::NodeKind;

namespace {

constexpr std::string_view k_rule = "syntax";

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::string kind_name(const yaml::Node& node) {
  switch (node.kind) {
    case NodeKind::scalar:
      return is_null(node) ? "nothing" : "a scalar";
    case NodeKind::sequence:
      return "a sequence";
    case NodeKind::mapping:
      return "a mapping";
    case NodeKind::alias:
      return "an alias of itself";
  }
  return {};
}

bool is_plain(const yaml::Node& node) {
  return node.kind == NodeKind::scalar && node.style == yaml::Style::plain;
}

bool is_boolean(const yaml::Node& node) {
  const auto text = lower(node.value);
  return is_plain(node) && (text == "true" || text == "false");
}

/// The anchor written before the node, when there is one.
std::string_view anchor_of(const yaml::Node& node, std::string_view text) {
  auto at = node.offset;
  while (at < text.size() && text[at] == '!') {
    at = std::min(text.find_first_of(" \n", at), text.size());
    while (at < text.size() && text[at] == ' ') ++at;
  }
  if (at >= text.size() || text[at] != '&') return {};
  const auto end = std::min(text.find_first_of(" \t\r\n,[]{}", at), text.size());
  return text.substr(at + 1, end - at - 1);
}

}  // namespace

bool is_null(const yaml::Node& node) {
  if (!is_plain(node)) return false;
  const auto& v = node.value;
  return v.empty() || v == "~" || v == "null" || v == "Null" || v == "NULL";
}

bool is_expression(std::string_view value) {
  value = trim(value);
  return value.starts_with("${{") && value.ends_with("}}") && value.find("${{", 3) == std::string_view::npos;
}

const yaml::Node& Shape::at(Id id) const {
  const auto* node = &document_.node(id);
  while (node->kind == NodeKind::alias && !recursive_.contains(id)) {
    id = node->target;
    node = &document_.node(id);
  }
  return *node;
}

void Shape::error(Position place, std::string message, std::string mend) {
  context_.report(k_rule, place, std::move(message), std::move(mend));
}

void Shape::error(Id id, std::string message, std::string mend) {
  error(place(id), std::move(message), std::move(mend));
}

void Shape::unexpected_key(const Pair& pair, std::string_view section, Keys expected) {
  std::vector<std::string> names(expected.begin(), expected.end());
  error(pair.key, "key \"" + at(pair.key).value + "\" is not known in " + std::string(section),
        "known keys: " + quoted_list(names));
}

bool Shape::string(Id id, Empty empty) {
  const auto& node = at(id);
  if (node.kind != NodeKind::scalar) {
    error(id, "a string is expected here, but this is " + kind_name(node));
    return false;
  }
  if (empty == Empty::refused && node.value.empty()) {
    error(id, "this string must not be empty");
    return false;
  }
  return true;
}

void Shape::boolean(Id id) {
  const auto& node = at(id);
  if (node.kind == NodeKind::scalar && (is_boolean(node) || is_expression(node.value))) return;
  error(id, "true, false or one ${{ }} is expected here");
}

void Shape::number(Id id, std::string_view what, bool whole) {
  const auto& node = at(id);
  const auto complain = [&](std::string_view expected) {
    error(id, std::string(what) + " must be " + std::string(expected) + " or one ${{ }}");
  };
  const auto* const kind = whole ? "a whole number" : "a number";
  if (node.kind != NodeKind::scalar) return complain(kind);
  if (is_expression(node.value)) return;
  double value = 0;
  const auto* end = node.value.data() + node.value.size();
  const auto parsed = std::from_chars(node.value.data(), end, value);
  const bool is_whole = node.value.find_first_of(".eE") == std::string::npos;
  if (!is_plain(node) || parsed.ec != std::errc{} || parsed.ptr != end || (whole && !is_whole))
    return complain(kind);
  if (value <= 0) complain("greater than zero");
}

bool Shape::sequence(std::string_view section, Id id, Empty empty) {
  const auto& node = at(id);
  if (node.kind != NodeKind::sequence) {
    error(id, "\"" + std::string(section) + "\" must be a sequence, but this is " + kind_name(node));
    return false;
  }
  if (empty == Empty::refused && node.children.empty()) {
    error(id, "\"" + std::string(section) + "\" must not be empty");
    return false;
  }
  return true;
}

void Shape::strings(std::string_view section, Id id, Empty empty, Empty empty_item) {
  if (!sequence(section, id, empty)) return;
  for (const auto child : at(id).children) string(child, empty_item);
}

void Shape::string_or_strings(std::string_view section, Id id, Empty empty, Empty empty_item) {
  if (at(id).kind == NodeKind::scalar) {
    string(id, empty_item);
  } else {
    strings(section, id, empty, empty_item);
  }
}

void Shape::expression(Id id, std::string_view what) {
  if (!is_expression(at(id).value)) error(id, "one ${{ }} or " + std::string(what) + " is expected here");
}

std::vector<Shape::Pair> Shape::mapping(const std::string& what, Id id, Empty empty, Case keys) {
  const auto& node = at(id);
  const bool nothing = node.kind == NodeKind::scalar && is_null(node);
  if (nothing || (node.kind == NodeKind::mapping && node.children.empty())) {
    if (empty == Empty::refused) error(id, what + " must not be empty", "leave it out when it is not needed");
    return {};
  }
  if (node.kind != NodeKind::mapping) {
    error(id, what + " must be a mapping, but this is " + kind_name(node));
    return {};
  }
  std::vector<Pair> pairs;
  std::map<std::string, Id> seen;
  for (std::size_t i = 0; i + 1 < node.children.size(); i += 2) {
    const auto key = node.children[i];
    if (!string(key, Empty::refused)) continue;
    const auto& written = at(key).value;
    if (written == "<<") {
      error(key, "GitHub knows no YAML merge key \"<<\"",
            "repeat the entries, or use an alias for the whole mapping");
      continue;
    }
    auto name = keys == Case::ignored ? lower(written) : written;
    if (const auto found = seen.find(name); found != seen.end()) {
      const auto first = place(found->second);
      error(key, "key \"" + written + "\" stands twice in " + what + "; the first is in line " +
                     std::to_string(first.line) +
                     (keys == Case::ignored ? " (upper and lower case are the same here)" : ""));
      continue;
    }
    seen.emplace(name, key);
    pairs.push_back({std::move(name), key, node.children[i + 1]});
  }
  return pairs;
}

std::vector<Shape::Pair> Shape::section(std::string_view name, Id id, Empty empty, Case keys) {
  return mapping("\"" + std::string(name) + "\"", id, empty, keys);
}

void Shape::string_map(std::string_view name, Id id) {
  for (const auto& pair : section(name, id, Empty::refused, Case::ignored))
    string(pair.value, Empty::allowed);
}

void Shape::walk_anchors(Id id, std::vector<Id>& above, std::set<Id>& seen) {
  const auto& node = document_.node(id);
  if (node.kind == NodeKind::alias) {
    seen.insert(node.target);
    for (const auto ancestor : above) {
      if (ancestor == node.target && recursive_.insert(id).second) {
        error(node.range.start, "alias \"" + node.value +
                                    "\" stands for something it is part of; its anchor is in line " +
                                    std::to_string(document_.node(node.target).range.start.line));
      }
    }
    return;
  }
  above.push_back(id);
  for (const auto child : node.children) walk_anchors(child, above, seen);
  above.pop_back();
}

void Shape::anchors() {
  const auto text = context_.places.text();
  if (text.find('&') == std::string_view::npos) return;
  std::set<Id> used;
  std::vector<Id> above;
  walk_anchors(document_.root, above, used);
  for (Id id = 0; id < document_.nodes.size(); ++id) {
    const auto& node = document_.node(id);
    const auto anchor = anchor_of(node, text);
    if (!anchor.empty() && node.kind != NodeKind::alias && !used.contains(id)) {
      error(node.range.start, "anchor \"" + std::string(anchor) + "\" is never used");
    }
  }
}

void Shape::workflow() {
  if (document_.root == yaml::k_no_node) {
    error(Position{1, 1}, "the workflow is empty");
    return;
  }
  anchors();
  const auto root = document_.root;
  bool has_on = false, has_jobs = false;
  for (const auto& pair : mapping("the workflow", root, Empty::refused)) {
    const auto& key = pair.id;
    if (key == "name" || key == "run-name" || key == "description") {
      string(pair.value, key == "name" ? Empty::allowed : Empty::refused);
    } else if (key == "on") {
      has_on = true;
      events(pair.value);
    } else if (key == "permissions") {
      permissions(pair.value);
    } else if (key == "env") {
      env(pair.value);
    } else if (key == "defaults") {
      defaults(pair.value);
    } else if (key == "concurrency") {
      concurrency(pair);
    } else if (key == "jobs") {
      has_jobs = true;
      jobs(pair.value);
    } else {
      unexpected_key(pair, "a workflow",
                     {"concurrency", "defaults", "env", "jobs", "name", "on", "permissions", "run-name"});
    }
  }
  if (!has_on) error(root, "the workflow has no \"on\"", "say which events start it, as in on: push");
  if (!has_jobs) error(root, "the workflow has no \"jobs\"");
}

void check_shape(LintContext& context) {
  Shape(context).workflow();
}

}  // namespace drydock::parser::lint
