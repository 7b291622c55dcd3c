#pragma once
// Lint: everything that can be said about a workflow file without running it, as diagnostics. An error is
// only what GitHub itself would refuse; the rest are warnings. Pure: files and other programs are reached
// through callbacks.

#include "parser/diagnostics/diagnostic.h"

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::parser::lint {

/// A finding of a checker of scripts (shellcheck, pyflakes) within one `run:`.
struct ScriptFinding {
  std::string message;
};

/// What the machine that builds has, for the build-* rules.
struct PlatformFacts {
  std::vector<std::string> native;    // "linux/amd64": built without emulation
  std::vector<std::string> emulated;  // platforms with an emulator registered for good
};

struct LintOptions {
  /// The text of a file of the repository, "./" left out ("action/action.yml"); nothing when there is none.
  /// Without this callback local actions and local reusable workflows are not looked at.
  std::function<std::optional<std::string>(std::string_view path)> read_file;

  /// Checkers of scripts, asked only when given. `shell` is "bash", "sh" or "python".
  std::function<std::vector<ScriptFinding>(std::string_view shell, std::string_view script)> check_script;

  std::vector<std::string> disabled_rules;
  std::vector<std::string> enabled_rules;             // empty: all but the disabled ones
  std::vector<std::string> runner_labels;             // labels of one's own runners; '*' stands for anything
  std::optional<std::vector<std::string>> variables;  // names known below `vars`; nothing: any
  PlatformFacts platforms;
};

/// Sorted by place. `file` is only put into the diagnostics.
Diagnostics lint(std::string_view text, const std::string& file, const LintOptions& options = {});

struct RuleInfo {
  std::string_view name;
  std::string_view description;
};

/// Every rule, in the order of its name.
std::span<const RuleInfo> rules();

}  // namespace drydock::parser::lint
