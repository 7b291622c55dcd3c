#include "parser/lint/filter_pattern.h"
#include "parser/workflow/cron.h"
#include "parser/lint/shape.h"
#include "parser/lint/webhooks.h"

#include <algorithm>
#include <charconv>

namespace drydock::parser::lint {

using yaml::NodeKind;

namespace {

constexpr std::string_view k_events = "events";

}  // namespace

void Shape::event_name(Id id) {
  if (!string(id, Empty::refused)) return;
  const auto& name = at(id).value;
  if (name == "schedule") return error(id, "the event \"schedule\" needs a mapping with its cron lines");
  if (!find_webhook(name) && !is_special_event(name)) {
    context_.report(k_events, place(id), "unknown Webhook event \"" + name + "\"");
  }
}

void Shape::events(Id id) {
  const auto& node = at(id);
  if (node.kind == NodeKind::scalar) return event_name(id);
  if (node.kind == NodeKind::sequence) {
    if (!sequence("on", id, Empty::refused)) return;
    for (const auto item : node.children) event_name(item);
    return;
  }
  for (const auto& pair : section("on", id, Empty::refused)) {
    if (pair.id == "schedule") {
      schedule(pair.value);
    } else if (pair.id == "workflow_dispatch") {
      dispatch(pair.value);
    } else if (pair.id == "repository_dispatch") {
      repository_dispatch(pair.value);
    } else if (pair.id == "workflow_call") {
      workflow_call(pair.value);
    } else if (pair.id == "image_version") {
      image_version(pair.value);
    } else {
      webhook(pair);
    }
  }
}

void Shape::schedule(Id id) {
  if (!sequence("schedule", id, Empty::refused)) return;
  for (const auto item : at(id).children) {
    bool has_cron = false;
    for (const auto& pair : mapping("an element of \"schedule\"", item, Empty::refused)) {
      if (pair.id == "cron") {
        has_cron = true;
        if (!string(pair.value, Empty::refused)) continue;
        if (const auto problem = workflow::schedule_problem(at(pair.value).value))
          context_.report(k_events, place(pair.value), *problem);
      } else if (pair.id == "timezone") {
        string(pair.value, Empty::refused);
      } else {
        unexpected_key(pair, "an element of \"schedule\"", {"cron", "timezone"});
      }
    }
    if (!has_cron) error(item, "an element of \"schedule\" needs \"cron\"");
  }
}

void Shape::dispatch(Id id) {
  for (const auto& pair : section("workflow_dispatch", id, Empty::allowed)) {
    if (pair.id != "inputs") {
      unexpected_key(pair, "\"workflow_dispatch\"", {"inputs"});
      continue;
    }
    const auto inputs = section("inputs", pair.value, Empty::allowed, Case::ignored);
    for (const auto& input : inputs) dispatch_input(input);
    constexpr std::size_t k_most_inputs = 25;
    if (inputs.size() > k_most_inputs) {
      context_.report(k_events, place(pair.key),
                      "workflow_dispatch takes at most 25 inputs, here are " + std::to_string(inputs.size()));
    }
  }
}

void Shape::dispatch_input(const Pair& input) {
  std::string type;
  Id options = yaml::k_no_node, default_value = yaml::k_no_node;
  for (const auto& pair : mapping("an input of workflow_dispatch", input.value, Empty::allowed)) {
    if (pair.id == "description" || pair.id == "deprecationMessage") {
      string(pair.value, Empty::allowed);
    } else if (pair.id == "required") {
      boolean(pair.value);
    } else if (pair.id == "default") {
      if (string(pair.value, Empty::allowed)) default_value = pair.value;
    } else if (pair.id == "type") {
      if (!string(pair.value, Empty::refused)) continue;
      type = at(pair.value).value;
      static const std::vector<std::string> k_types = {"string", "number", "boolean", "choice",
                                                       "environment"};
      if (std::find(k_types.begin(), k_types.end(), type) == k_types.end()) {
        error(pair.value, "\"" + type + "\" is no type of an input", "types are " + quoted_list(k_types));
        type.clear();
      }
    } else if (pair.id == "options") {
      strings("options", pair.value, Empty::refused, Empty::refused);
      options = pair.value;
    } else {
      unexpected_key(pair, "an input of workflow_dispatch",
                     {"default", "description", "options", "required", "type"});
    }
  }
  check_dispatch_input(input, type, options, default_value);
}

void Shape::check_dispatch_input(const Pair& input, std::string_view type, Id options, Id default_value) {
  const auto name = "\"" + at(input.key).value + "\"";
  const auto report = [&](Id id, std::string message) {
    context_.report(k_events, place(id), std::move(message));
  };
  static const std::vector<Id> k_none;
  const auto& items = options == yaml::k_no_node ? k_none : at(options).children;
  const std::string* given = default_value == yaml::k_no_node ? nullptr : &at(default_value).value;
  if (type != "choice") {
    if (!items.empty()) report(input.key, "input " + name + " has options, but its type is not choice");
    if (given == nullptr || given->empty()) return;
    if (type == "boolean" && *given != "true" && *given != "false") {
      report(default_value,
             "input " + name + " is boolean: its default \"" + *given + "\" must be true or false");
    }
    double number = 0;
    const auto* end = given->data() + given->size();
    const auto parsed = std::from_chars(given->data(), end, number);
    if (type == "number" && (parsed.ec != std::errc{} || parsed.ptr != end)) {
      report(default_value, "input " + name + " is a number: its default \"" + *given + "\" is none");
    }
    return;
  }
  if (items.empty()) return report(input.key, "input " + name + " is a choice without options");
  std::vector<std::string> seen;
  for (const auto item : items) {
    const auto& value = at(item).value;
    if (std::find(seen.begin(), seen.end(), value) != seen.end())
      report(item, "option \"" + value + "\" of input " + name + " stands twice");
    seen.push_back(value);
  }
  if (given != nullptr && !given->empty() && std::find(seen.begin(), seen.end(), *given) == seen.end()) {
    report(default_value, "the default \"" + *given + "\" of input " + name + " is none of its options " +
                              quoted_list(seen));
  }
}

void Shape::repository_dispatch(Id id) {
  for (const auto& pair : section("repository_dispatch", id, Empty::allowed)) {
    if (pair.id == "types") {
      string_or_strings("types", pair.value, Empty::refused, Empty::refused);
    } else {
      unexpected_key(pair, "\"repository_dispatch\"", {"types"});
    }
  }
}

void Shape::image_version(Id id) {
  for (const auto& pair : section("image_version", id, Empty::allowed)) {
    if (pair.id == "names" || pair.id == "versions") {
      string_or_strings(pair.id, pair.value, Empty::refused, Empty::refused);
    } else {
      unexpected_key(pair, "\"image_version\"", {"names", "versions"});
    }
  }
}

void Shape::globs(Id id, bool is_path) {
  const auto check = [&](Id item) {
    const auto& node = at(item);
    if (node.kind != NodeKind::scalar || node.value.empty() || node.value.find("${{") != std::string::npos)
      return;
    const bool quoted = node.style == yaml::Style::single_quoted || node.style == yaml::Style::double_quoted;
    for (const auto& problem : pattern_problems(node.value, is_path ? PatternKind::path : PatternKind::ref)) {
      auto at_column = place(item);
      at_column.column += (quoted ? 1 : 0) + std::max(problem.column - 1, 0);
      context_.report("glob", at_column, problem.message);
    }
  };
  if (at(id).kind == NodeKind::scalar) return check(id);
  for (const auto item : at(id).children) check(item);
}

void Shape::webhook(const Pair& event) {
  const auto* known = find_webhook(event.id);
  if (known == nullptr) context_.report(k_events, place(event.key), "unknown Webhook event \"" + event.id + "\"");
  if (is_null(at(event.value))) return;
  const Pair *branches = nullptr, *branches_ignore = nullptr, *tags = nullptr, *tags_ignore = nullptr,
             *paths = nullptr, *paths_ignore = nullptr;
  bool has_workflows = false;
  const auto pairs = section(event.id, event.value, Empty::allowed);
  for (const auto& pair : pairs) {
    const auto& key = pair.id;
    const bool is_ref =
        key == "branches" || key == "branches-ignore" || key == "tags" || key == "tags-ignore";
    const bool is_path = key == "paths" || key == "paths-ignore";
    if (!is_ref && !is_path && key != "types" && key != "workflows") {
      unexpected_key(pair, "\"" + event.id + "\"",
                     {"branches", "branches-ignore", "paths", "paths-ignore", "tags", "tags-ignore", "types",
                      "workflows"});
      continue;
    }
    string_or_strings(key, pair.value, Empty::refused, Empty::refused);
    if (is_ref || is_path) globs(pair.value, is_path);
    if (key == "types" && known != nullptr) check_types(event, pair.value);
    if (key == "workflows") has_workflows = true;
    if (key == "branches") branches = &pair;
    if (key == "branches-ignore") branches_ignore = &pair;
    if (key == "tags") tags = &pair;
    if (key == "tags-ignore") tags_ignore = &pair;
    if (key == "paths") paths = &pair;
    if (key == "paths-ignore") paths_ignore = &pair;
    if (key == "workflows" && event.id != "workflow_run") {
      context_.report(k_events, place(pair.key), "\"workflows\" is for the event workflow_run alone");
    }
    const bool is_filter = is_ref || is_path;
    if (is_filter && known != nullptr && !allows_filter(event.id, key)) {
      context_.report(k_events, place(pair.key), "\"" + key + "\" filters nothing for the event " + event.id);
    }
  }
  for (const auto& [a, b] :
       {std::pair{branches, branches_ignore}, {tags, tags_ignore}, {paths, paths_ignore}}) {
    if (a == nullptr || b == nullptr) continue;
    const auto* later = std::max(a, b);
    context_.report(k_events, place(later->key),
                    "\"" + a->id + "\" and \"" + b->id + "\" cannot be used together for one event",
                    "keep \"" + a->id + "\" and exclude by patterns that begin with !");
  }
  if (event.id == "workflow_run" && !has_workflows) {
    context_.report(k_events, place(event.key), "the event workflow_run needs \"workflows\"");
  }
}

void Shape::check_types(const Pair& event, Id types) {
  const auto known = find_webhook(event.id)->types;
  if (known.empty())
    return context_.report(k_events, place(event.key), "the event " + event.id + " has no types");
  const auto check = [&](Id item) {
    const auto& node = at(item);
    if (node.kind != NodeKind::scalar || node.value.empty() || contains_type(known, node.value)) return;
    context_.report(k_events, place(item), "\"" + node.value + "\" is no type of the event " + event.id,
                    "types are " + std::string(known));
  };
  if (at(types).kind == NodeKind::scalar) return check(types);
  for (const auto item : at(types).children) check(item);
}

void Shape::call_input(const Pair& input) {
  bool typed = false;
  for (const auto& pair : mapping("an input of workflow_call", input.value, Empty::allowed)) {
    if (pair.id == "description" || pair.id == "default" || pair.id == "deprecationMessage") {
      string(pair.value, Empty::allowed);
    } else if (pair.id == "required") {
      boolean(pair.value);
    } else if (pair.id == "type") {
      typed = true;
      const auto& type = at(pair.value).value;
      if (type != "boolean" && type != "number" && type != "string") {
        error(pair.value, "\"" + type + "\" is no type of an input of workflow_call",
              "types are boolean, number and string");
      }
    } else {
      unexpected_key(pair, "an input of workflow_call", {"default", "description", "required", "type"});
    }
  }
  if (!typed) error(input.key, "input \"" + at(input.key).value + "\" of workflow_call needs a \"type\"");
}

void Shape::workflow_call(Id id) {
  for (const auto& pair : section("workflow_call", id, Empty::allowed)) {
    if (pair.id == "inputs") {
      for (const auto& input : section("inputs", pair.value, Empty::allowed, Case::ignored))
        call_input(input);
    } else if (pair.id == "secrets") {
      for (const auto& secret : section("secrets", pair.value, Empty::allowed, Case::ignored)) {
        for (const auto& entry : mapping("a secret of workflow_call", secret.value, Empty::allowed)) {
          if (entry.id == "description") {
            string(entry.value, Empty::allowed);
          } else if (entry.id == "required") {
            boolean(entry.value);
          } else {
            unexpected_key(entry, "\"secrets\"", {"description", "required"});
          }
        }
      }
    } else if (pair.id == "outputs") {
      for (const auto& output : section("outputs", pair.value, Empty::allowed, Case::ignored)) {
        bool has_value = false;
        for (const auto& entry : mapping("an output of workflow_call", output.value, Empty::allowed)) {
          has_value |= entry.id == "value";
          if (entry.id == "description" || entry.id == "value") {
            string(entry.value, entry.id == "value" ? Empty::refused : Empty::allowed);
          } else {
            unexpected_key(entry, "an output of workflow_call", {"description", "value"});
          }
        }
        if (!has_value)
          error(output.key, "output \"" + at(output.key).value + "\" of workflow_call needs a \"value\"");
      }
    } else {
      unexpected_key(pair, "\"workflow_call\"", {"inputs", "outputs", "secrets"});
    }
  }
}

}  // namespace drydock::parser::lint
