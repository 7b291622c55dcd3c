#pragma once
// How a `run:` step is handed to its shell: file name, file content and command line, exactly as GitHub's
// runner forms them. Pure, except that the caller says which programs exist.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "executors/base/result.h"

namespace drydock::step {

/// Absolute path of a program, or nothing.
using ProgramLookup = std::function<std::optional<std::string>(std::string_view name)>;

struct ShellCommand {
  std::vector<std::string> argv;   // the script's path in it already
  std::string display;             // "/usr/bin/bash -e {0}", for the log
};

struct Shell {
  std::string program;    // absolute
  std::string arguments;  // with {0} for the script
  std::string extension;  // ".sh"; empty for a shell of the user's own
  enum class Kind { plain, powershell } kind = Kind::plain;

  ShellCommand command(const std::string& script_path) const;
  /// What is written to the file: line ends unified, and what PowerShell needs to stop at an error.
  std::string script(std::string_view run) const;
};

/// `shell` is the text of `shell:` (empty: bash when it is there, else sh).
/// unsupported for Windows' own shells, usage for a shell without {0}, environment when it is not installed.
Result<Shell> resolve_shell(std::string_view shell, const ProgramLookup& lookup);

/// Words of an argument text, with quotes and backslashes as the .NET process class takes them.
std::vector<std::string> split_arguments(std::string_view text);

}  // namespace drydock::step
