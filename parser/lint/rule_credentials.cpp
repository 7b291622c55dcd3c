#include "parser/lint/rule.h"
#include "parser/lint/shape.h"

namespace drydock::parser::lint {

namespace {

void check(LintContext& context, const workflow::Container& container, const std::string& where) {
  if (!container.credentials || !container.credentials->password) return;
  const auto& password = *container.credentials->password;
  if (password.source.empty() || is_expression(password.source)) return;
  context.report("credentials", password.range.start,
                 "the password of " + where + " is written into the workflow",
                 "keep it as a secret: password: ${{ secrets.NAME }}");
}

}  // namespace

void check_credentials(LintContext& context) {
  for (const auto& job : context.workflow->jobs) {
    if (job.container) check(context, *job.container, "\"container\"");
    for (const auto& service : job.services)
      check(context, service.container, "service \"" + service.id.value + "\"");
  }
}

}  // namespace drydock::parser::lint
