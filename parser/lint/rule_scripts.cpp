#include "parser/lint/rule.h"
#include "parser/lint/walk.h"

#include <map>

namespace drydock::parser::lint {

namespace {

/// The checker's name for the shell that runs a step, or nothing when no checker reads it.
std::string_view language(std::string_view shell) {
  for (const std::string_view name : {"bash", "sh", "python"}) {
    if (shell == name || (shell.starts_with(name) && shell.size() > name.size() && shell[name.size()] == ' '))
      return name;
  }
  return {};
}

/// Expressions become underscores, so that places stay and every shell reads on.
std::string without_expressions(std::string_view script) {
  std::string result(script);
  for (auto begin = result.find("${{"); begin != std::string::npos; begin = result.find("${{", begin)) {
    const auto end = result.find("}}", begin);
    if (end == std::string::npos) break;
    for (auto i = begin; i < end + 2; ++i) result[i] = '_';
  }
  return result;
}

/// Where the key stands whose value begins at a place.
std::map<Position, Position> keys_by_value(const yaml::Document& document) {
  std::map<Position, Position> keys;
  for (const auto& node : document.nodes) {
    if (node.kind != yaml::NodeKind::mapping) continue;
    for (std::size_t i = 0; i + 1 < node.children.size(); i += 2) {
      keys.emplace(document.node(node.children[i + 1]).range.start,
                   document.node(node.children[i]).range.start);
    }
  }
  return keys;
}

}  // namespace

void check_scripts(LintContext& context) {
  if (!context.options.check_script) return;
  const auto keys = keys_by_value(*context.document);
  const auto& workflow = *context.workflow;
  for (const auto& job : workflow.jobs) {
    std::string_view fallback = platform_of(job) == Platform::windows ? "pwsh" : "bash";
    if (workflow.defaults && workflow.defaults->shell) fallback = workflow.defaults->shell->source;
    if (job.defaults && job.defaults->shell) fallback = job.defaults->shell->source;
    each_step(job.steps, [&](const workflow::Step& step) {
      if (!step.run) return;
      const auto name = language(step.shell ? std::string_view(step.shell->source) : fallback);
      if (name.empty()) return;
      const auto key = keys.find(step.run->range.start);
      const auto at = key == keys.end() ? step.run->range.start : key->second;
      for (const auto& finding : context.options.check_script(name, without_expressions(step.run->source))) {
        context.report(name == "python" ? "pyflakes" : "shellcheck", at, finding.message);
      }
    });
  }
}

}  // namespace drydock::parser::lint
