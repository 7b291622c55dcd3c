#include "parser/lint/rule.h"
#include "parser/lint/walk.h"

#include <cctype>
#include <map>

namespace drydock::parser::lint {

namespace {

bool is_id(std::string_view text) {
  if (text.empty() || !(std::isalpha(static_cast<unsigned char>(text[0])) || text[0] == '_')) return false;
  for (const char c : text) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_' && c != '-') return false;
  }
  return true;
}

void check(LintContext& context, std::string_view what, std::string_view id, Position at) {
  if (id.empty() || has_template(id) || is_id(id)) return;
  context.report("id", at,
                 "\"" + std::string(id) + "\" cannot be the id of a " + std::string(what) +
                     ": it must begin with a letter or _ and hold only letters, digits, - and _");
}

}  // namespace

void check_ids(LintContext& context) {
  for (const auto& job : context.workflow->jobs) {
    check(context, "job", job.id, job.range.start);
    for (const auto& need : job.needs) check(context, "job", need.value, need.range.start);
    std::map<std::string, Position> seen;
    each_step(job.steps, [&](const workflow::Step& step) {
      if (step.id_generated || step.id_range.start.line == 0) return;
      check(context, "step", step.id, step.id_range.start);
      const auto [first, is_new] = seen.emplace(lower(step.id), step.id_range.start);
      if (is_new || first->second == step.id_range.start) return;
      context.report("id", step.id_range.start,
                     "step id \"" + step.id + "\" stands twice in this job; the first is in line " +
                         std::to_string(first->second.line) + " (upper and lower case are the same here)");
    });
  }
}

}  // namespace drydock::parser::lint
