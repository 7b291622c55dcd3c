#include "parser/lint/rule.h"
#include "parser/lint/walk.h"

#include <array>

namespace drydock::parser::lint {

namespace {

struct Command {
  std::string_view text;
  bool has_name;
  std::string_view instead;
};

constexpr std::array k_commands = {Command{"::set-output", true, "echo \"NAME=value\" >> \"$GITHUB_OUTPUT\""},
                                   Command{"::save-state", true, "echo \"NAME=value\" >> \"$GITHUB_STATE\""},
                                   Command{"::set-env", true, "echo \"NAME=value\" >> \"$GITHUB_ENV\""},
                                   Command{"::add-path", false, "echo \"directory\" >> \"$GITHUB_PATH\""}};

/// "::set-output name=x::" or "::add-path::" at this place.
bool is_command(std::string_view rest, const Command& command) {
  rest.remove_prefix(command.text.size());
  if (command.has_name) {
    const auto name = rest.find_first_not_of(" \t");
    if (name == std::string_view::npos || name == 0 || !rest.substr(name).starts_with("name=")) return false;
    rest = rest.substr(name);
    const auto end = rest.find("::");
    return end != std::string_view::npos && rest.substr(0, end).find('\n') == std::string_view::npos;
  }
  return rest.starts_with("::");
}

}  // namespace

void check_deprecated_commands(LintContext& context) {
  for (const auto& job : context.workflow->jobs) {
    each_step(job.steps, [&](const workflow::Step& step) {
      if (!step.run) return;
      const std::string_view script = step.run->source;
      for (const auto& command : k_commands) {
        for (auto at = script.find(command.text); at != std::string_view::npos;
             at = script.find(command.text, at + 1)) {
          if (!is_command(script.substr(at), command)) continue;
          context.report(
              "deprecated-commands", step.run->range.start,
              "the workflow command " + std::string(command.text.substr(2)) + " is not obeyed any more",
              "use " + std::string(command.instead));
          break;
        }
      }
    });
  }
}

}  // namespace drydock::parser::lint
