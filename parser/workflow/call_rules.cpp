#include "parser/workflow/call_rules.h"

#include "parser/expression/value.h"

#include <algorithm>
#include <array>

namespace drydock::parser::workflow {

namespace {

using expression::equal_ignoring_case;

// In the order GitHub lists them. A shorthand asks for those marked.
struct Scope {
  std::string_view name;
  bool in_shorthand;
};
constexpr std::array k_scopes = {
    Scope{"actions", true}, Scope{"artifact-metadata", false}, Scope{"attestations", false}, Scope{"checks", true},
    Scope{"contents", true}, Scope{"deployments", true}, Scope{"discussions", true}, Scope{"issues", true},
    Scope{"packages", true}, Scope{"pages", true}, Scope{"pull-requests", true}, Scope{"repository-projects", true},
    Scope{"statuses", true}, Scope{"security-events", true}, Scope{"id-token", true}, Scope{"models", false},
    Scope{"vulnerability-alerts", false}};

std::string_view level_name(PermissionLevel level) {
  switch (level) {
    case PermissionLevel::none: return "none";
    case PermissionLevel::read: return "read";
    case PermissionLevel::write: return "write";
  }
  return "none";
}

PermissionLevel named_level(const Permissions& permissions, std::string_view scope) {
  const auto found = permissions.scopes.find(std::string(scope));
  return found == permissions.scopes.end() ? PermissionLevel::none : found->second;
}

PermissionLevel allowed_level(const std::optional<Permissions>& granted, PermissionsPolicy policy, std::string_view scope) {
  if (granted) return granted->all ? *granted->all : named_level(*granted, scope);
  if (policy == PermissionsPolicy::write) return PermissionLevel::write;
  return scope == "contents" || scope == "packages" ? PermissionLevel::read : PermissionLevel::none;
}

void add(Issues& issues, const Range& range, std::string message, std::string mend = {}) {
  issues.push_back({Stage::call, Severity::error, {}, range.start, range, "schema", std::move(message), std::move(mend), {}});
}

void check_requested(const Job& job, const std::string& who, const Permissions& requested, PermissionsPolicy policy, Issues& issues) {
  std::string asked, allowed;
  for (const auto& scope : k_scopes) {
    auto level = named_level(requested, scope.name);
    if (requested.all) level = scope.in_shorthand ? *requested.all : PermissionLevel::none;
    const auto limit = allowed_level(job.granted, policy, scope.name);
    if (level <= limit) continue;
    const std::string separator = asked.empty() ? "" : ", ";
    asked += separator + std::string(scope.name) + ": " + std::string(level_name(level));
    allowed += separator + std::string(scope.name) + ": " + std::string(level_name(limit));
  }
  if (asked.empty()) return;
  add(issues, job.range, "Error calling workflow '" + job.uses->text + "'. " + who + " is requesting '" + asked +
                             "', but is only allowed '" + allowed + "'.",
      "give the calling job these permissions: " + asked);
}

/// Whether the literal can be given to an input of that type; expressions are seen only at run time.
bool fits(InputType type, const Token& value) {
  if (value.is_expression()) return true;
  if (type == InputType::boolean) return value.kind == TokenKind::boolean;
  if (type == InputType::number) return value.kind == TokenKind::number;
  return value.items.empty() && value.entries.empty();
}

void check_type(const Input& input, const Token& value, Issues& issues) {
  if (fits(input.type, value)) return;
  add(issues, value.range, "Unexpected value '" + value.to_string() + "'",
      "input '" + input.id + "' is of type " + (input.type == InputType::boolean ? "boolean" : "number"));
}

const Token* given(const std::optional<Token>& values, std::string_view name) {
  return values ? values->find(name) : nullptr;
}

/// Names that were given but that the called workflow does not declare.
template <class Declared>
void check_undeclared(const std::optional<Token>& values, const std::vector<Declared>& declared, const std::string& what, Issues& issues) {
  if (!values) return;
  std::vector<std::string_view> names;
  for (const auto& item : declared) names.push_back(item.id);
  for (const auto& [key, value] : values->entries) {
    const auto same = [&key = key](std::string_view name) { return equal_ignoring_case(name, key.text); };
    if (!key.is_string() || std::any_of(names.begin(), names.end(), same)) continue;
    add(issues, value.range, "Invalid " + what + ", " + key.text + " is not defined in the referenced workflow.",
        did_you_mean(key.text, names));
  }
}

}  // namespace

void check_call(const Job& job, const Workflow& called, Issues& caller_issues, Issues& called_issues) {
  const auto* event = called.find_event("workflow_call");
  if (event == nullptr) {
    add(called_issues, called.on_range, "workflow_call key is not defined in the referenced workflow.",
        "add workflow_call: below on:");
    return;
  }
  for (const auto& input : event->inputs) {
    if (input.default_value) check_type(input, *input.default_value, called_issues);
    if (const auto* value = given(job.with, input.id)) {
      check_type(input, *value, caller_issues);
    } else if (input.required) {
      add(caller_issues, job.uses->range, "Input " + input.id + " is required, but not provided while calling.");
    }
  }
  check_undeclared(job.with, event->inputs, "input", caller_issues);
  if (job.inherit_secrets) return;
  for (const auto& secret : event->secrets) {
    if (secret.required && given(job.secrets, secret.id) == nullptr) {
      add(caller_issues, job.uses->range, "Secret " + secret.id + " is required, but not provided while calling.");
    }
  }
  check_undeclared(job.secrets, event->secrets, "secret", caller_issues);
}

void check_call_permissions(const Job& job, const Workflow& called, PermissionsPolicy policy, Issues& caller_issues) {
  if (called.permissions) {
    check_requested(job, "The workflow '" + job.uses->text + "'", *called.permissions, policy, caller_issues);
  }
  for (const auto& inner : called.jobs) {
    if (inner.permissions) {
      check_requested(job, "The nested job '" + inner.name.to_string() + "'", *inner.permissions, policy, caller_issues);
    }
  }
}

void pass_permissions(Job& job, Workflow& called) {
  if (called.permissions) job.granted = called.permissions;
  for (auto& inner : called.jobs) inner.granted = inner.permissions ? inner.permissions : job.granted;
}

}  // namespace drydock::parser::workflow
