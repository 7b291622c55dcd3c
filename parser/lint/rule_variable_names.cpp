#include "parser/lint/rule.h"
#include "parser/lint/walk.h"

namespace drydock::parser::lint {

namespace {

void check(LintContext& context, const std::optional<workflow::Token>& env) {
  if (!env) return;
  for (const auto& entry : env->entries) {
    const auto& name = entry.key;
    if (has_template(name.source)) continue;
    const auto bad = name.source.find_first_of("&= ");
    if (bad == std::string::npos) continue;
    context.report(
        "variable-name", name.range.start,
        "\"" + name.source + "\" cannot be the name of a variable: it holds '" + name.source[bad] + "'");
  }
}

}  // namespace

void check_variable_names(LintContext& context) {
  const auto& workflow = *context.workflow;
  check(context, workflow.env);
  for (const auto& job : workflow.jobs) {
    check(context, job.env);
    if (job.container) check(context, job.container->env);
    for (const auto& service : job.services) check(context, service.container.env);
    each_step(job.steps, [&](const workflow::Step& step) { check(context, step.env); });
  }
}

}  // namespace drydock::parser::lint
