#include "parser/lint/called_workflow.h"
#include "parser/lint/rule.h"
#include "parser/lint/walk.h"

#include <algorithm>
#include <set>

namespace drydock::parser::lint {

namespace {

using workflow::Token;

constexpr std::string_view k_rule = "workflow-call";

/// owner/repository/path@ref
bool is_remote(std::string_view uses) {
  const auto at = uses.find('@');
  if (at == std::string_view::npos || at + 1 == uses.size()) return false;
  const auto path = uses.substr(0, at);
  const auto first = path.find('/');
  const auto second = first == std::string_view::npos ? first : path.find('/', first + 1);
  return first > 0 && second != std::string_view::npos && second > first + 1 && second + 1 < path.size();
}

void check_given(LintContext& context, const workflow::Job& job, std::string_view what,
                 const std::optional<Token>& given, const std::vector<CalledWorkflow::Item>& known) {
  std::set<std::string> names;
  std::vector<std::string> listed;
  for (const auto& item : known) listed.push_back(item.name);
  if (given) {
    for (const auto& entry : given->entries) {
      names.insert(lower(entry.key.source));
      if (CalledWorkflow::find(known, entry.key.source) != nullptr || has_template(entry.key.source))
        continue;
      context.report(k_rule, entry.key.range.start,
                     job.uses->source + " has no " + std::string(what) + " \"" + entry.key.source + "\"",
                     listed.empty() ? "it has none at all" : "it has " + quoted_list(listed));
    }
  }
  for (const auto& item : known) {
    if (!item.required || names.contains(lower(item.name))) continue;
    context.report(k_rule, job.uses->range.start,
                   job.uses->source + " needs the " + std::string(what) + " \"" + item.name + "\"");
  }
}

void check(LintContext& context, const workflow::Job& job) {
  const auto& uses = job.uses->source;
  if (uses.empty() || has_template(uses)) return;
  const auto at = job.uses->range.start;
  const bool is_local = uses.starts_with("./") && uses.find('@') == std::string::npos;
  if (!is_local && (uses.starts_with("./") || !is_remote(uses))) {
    context.report(k_rule, at, "\"" + uses + "\" names no reusable workflow",
                   "write {owner}/{repository}/{path}@{ref} or ./{path}");
    return;
  }
  if (!is_local || !context.options.read_file) return;
  const auto called = called_workflow(context, uses);
  if (!called.problem.empty()) {
    context.report(k_rule, at, "\"" + uses + "\" cannot be called: " + called.problem);
    return;
  }
  check_given(context, job, "input", job.with, called.inputs);
  if (!job.inherit_secrets) check_given(context, job, "secret", job.secrets, called.secrets);
}

}  // namespace

void check_workflow_calls(LintContext& context) {
  for (const auto& job : context.workflow->jobs) {
    if (job.is_call()) check(context, job);
  }
}

}  // namespace drydock::parser::lint
