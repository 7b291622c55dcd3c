#include "parser/lint/lint.h"

#include "parser/lint/context.h"
#include "parser/lint/rule.h"
#include "parser/lint/verdict.h"
#include "parser/workflow/reader.h"

#include <algorithm>

namespace drydock::parser::lint {

namespace {

constexpr RuleInfo k_rules[] = {
    {"action",
     "actions: how they are named, their inputs, versions that no runner serves any more, metadata of local "
     "ones"},
    {"build-cache", "caches of image builds: refs that overwrite each other, imports that nothing writes"},
    {"build-load", "an image of several platforms cannot be loaded into a local store"},
    {"build-platforms",
     "images that come out for another platform than their users have; platforms without an emulator"},
    {"build-tags", "tags that jobs of one run overwrite for each other"},
    {"build-untrusted-push", "images pushed, or built with secrets, for pull requests of anybody"},
    {"credentials", "passwords written into the workflow"},
    {"deprecated-commands", "workflow commands that are not obeyed any more"},
    {"events", "events, their types, filters and inputs, cron lines"},
    {"expression", "expressions: unknown names, wrong types, comparisons that are never true"},
    {"glob", "filter patterns that cannot match as meant"},
    {"id", "ids of jobs and steps"},
    {"if-condition", "conditions that are constant"},
    {"matrix", "values that stand twice, exclusions that fit nothing"},
    {"needs", "jobs that wait for each other or for none"},
    {"permissions", "scopes and levels of permissions"},
    {"pyflakes", "what pyflakes says of Python scripts"},
    {"runner-label", "labels that no runner has, or no runner has together"},
    {"schema", "what GitHub's reader refuses"},
    {"script-injection", "text of strangers that becomes part of a script"},
    {"shell-name", "shells that a runner does not have"},
    {"shellcheck", "what shellcheck says of shell scripts"},
    {"syntax", "the form of the file"},
    {"variable-name", "names of environment variables"},
    {"workflow-call", "calls of reusable workflows"},
};

bool is_off(const LintOptions& options, const std::string& rule) {
  const auto in = [&](const std::vector<std::string>& list) {
    return std::find(list.begin(), list.end(), rule) != list.end();
  };
  return in(options.disabled_rules) || (!options.enabled_rules.empty() && !in(options.enabled_rules));
}

void check_model(LintContext& context) {
  check_expressions(context);
  check_ids(context);
  check_needs(context);
  check_matrix(context);
  check_runner_labels(context);
  check_shell_names(context);
  check_credentials(context);
  check_conditions(context);
  check_deprecated_commands(context);
  check_variable_names(context);
  check_actions(context);
  check_workflow_calls(context);
  check_scripts(context);
  check_builds(context);
}

/// A text that is no YAML is marked at the last character that could still be read, as other linters of workflows do.
void mark_last_readable(Diagnostics& findings) {
  for (auto& finding : findings) {
    const bool is_about_rest = finding.message.starts_with("Not valid YAML: ") && !finding.message.ends_with("is not closed");
    if (!is_about_rest || finding.range.start.column < 2) continue;
    --finding.range.start.column;
    finding.range.end = finding.range.start;
  }
}

}  // namespace

std::span<const RuleInfo> rules() {
  return k_rules;
}

Diagnostics lint(std::string_view text, const std::string& file, const LintOptions& options) {
  const auto parsed = yaml::parse(text);
  const auto* document = std::get_if<yaml::Document>(&parsed);
  workflow::Options reading;
  reading.document = document;
  auto read = workflow::read_workflow(text, file, reading);
  Diagnostics findings;
  if (document != nullptr) {
    LintContext context(text, file, options, findings);
    context.document = document;
    check_shape(context);
    if (read.workflow) {
      context.workflow = &*read.workflow;
      check_model(context);
    }
  }
  if (document == nullptr) mark_last_readable(read.diagnostics);
  sort_unique(findings);
  take_verdict(findings, std::move(read.diagnostics), text);
  std::erase_if(findings, [&](const Diagnostic& d) {
    return d.severity != Severity::error && is_off(options, d.rule);
  });
  drop_ignored(findings, text);
  sort_unique(findings);
  return findings;
}

}  // namespace drydock::parser::lint
