#include "parser/expression/expression.h"
#include "parser/lint/rule.h"
#include "parser/lint/shape.h"
#include "parser/lint/walk.h"

namespace drydock::parser::lint {

namespace {

bool is_constant(std::string_view text) {
  static const auto k_any = expression::Scope::any();
  const auto ast = expression::parse(text, k_any);
  if (!ast || ast->empty()) return false;
  bool constant = true;
  ast->walk([&](expression::NodeId id) {
    const auto kind = ast->node(id).kind;
    constant = constant && kind != expression::NodeKind::name && kind != expression::NodeKind::call;
    return constant;
  });
  return constant;
}

void check(LintContext& context, const std::optional<workflow::Token>& condition) {
  if (!condition) return;
  constexpr std::string_view k_rule = "if-condition";
  std::string_view text = condition->source;
  if (has_template(text)) {
    const bool alone = text.starts_with("${{") && text.ends_with("}}") && is_expression(text);
    if (!alone) {
      context.report(
          k_rule, condition->range.start,
          "this condition is always true: with anything around its ${{ }} it is a text, which is not empty",
          "write the condition without ${{ }}, or nothing around it");
      return;
    }
    text = text.substr(3, text.size() - 5);
  }
  if (!is_constant(text)) return;
  context.report(k_rule, condition->range.start, "this condition is constant: \"" + condition->source + "\"",
                 "leave out the if:");
}

}  // namespace

void check_conditions(LintContext& context) {
  for (const auto& job : context.workflow->jobs) {
    check(context, job.if_);
    if (job.snapshot) check(context, job.snapshot->if_);
    each_step(job.steps, [&](const workflow::Step& step) { check(context, step.if_); });
  }
}

}  // namespace drydock::parser::lint
