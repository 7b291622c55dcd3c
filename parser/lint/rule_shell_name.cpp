#include "parser/lint/rule.h"
#include "parser/lint/walk.h"

#include <algorithm>

namespace drydock::parser::lint {

namespace {

using Names = std::vector<std::string>;

const Names& names_for(Platform platform) {
  static const Names k_any = {"bash", "cmd", "powershell", "pwsh", "python", "sh"};
  static const Names k_windows = {"bash", "cmd", "powershell", "pwsh", "python"};
  static const Names k_unix = {"bash", "pwsh", "python", "sh"};
  if (platform == Platform::windows) return k_windows;
  return platform == Platform::unix ? k_unix : k_any;
}

void check(LintContext& context, const std::optional<workflow::Token>& shell, Platform platform) {
  if (!shell || shell->source.empty() || has_template(shell->source) ||
      shell->source.find("{0}") != std::string::npos)
    return;
  const auto& names = names_for(platform);
  const auto name = lower(shell->source);
  if (std::find(names.begin(), names.end(), name) != names.end()) return;
  const auto where = platform == Platform::unknown   ? ""
                     : platform == Platform::windows ? " on Windows"
                                                     : " on Linux and macOS";
  context.report("shell-name", shell->range.start, "there is no shell \"" + shell->source + "\"" + where,
                 "shells are " + quoted_list(names) + ", or a command with {0} for the script's file");
}

}  // namespace

void check_shell_names(LintContext& context) {
  const auto& workflow = *context.workflow;
  if (workflow.defaults) check(context, workflow.defaults->shell, Platform::unknown);
  for (const auto& job : workflow.jobs) {
    const auto platform = platform_of(job);
    if (job.defaults) check(context, job.defaults->shell, platform);
    each_step(job.steps, [&](const workflow::Step& step) { check(context, step.shell, platform); });
  }
}

}  // namespace drydock::parser::lint
