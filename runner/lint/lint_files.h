#pragma once
// Lints files side by side: finds them, reads what they refer to, asks shellcheck and pyflakes when wanted.
// Reads files and may start those programs; writes nothing but what they said, where that is asked for. Thread-safe.

#include <string>
#include <vector>

#include "executors/base/result.h"
#include "parser/lint/format.h"
#include "parser/lint/lint.h"

namespace drydock::runner {

struct LintRequest {
  std::vector<std::string> files;
  parser::lint::LintOptions options;  // its callbacks are set here, file by file
  bool shellcheck = false;            // both must be installed
  bool pyflakes = false;
  std::string script_memory;          // directory that keeps what they said; empty: nothing is kept
};

struct LintReport {
  parser::Diagnostics findings;  // by file in the order given, then by place
  parser::lint::Sources sources;
};

/// The workflows of the repository that holds `directory`, sorted; none when there is no .github/workflows
/// above it.
std::vector<std::string> find_workflows(const std::string& directory);

/// The root of the repository that a workflow file belongs to; local actions are looked up from there.
std::string repository_root(const std::string& file);

/// An Error when a file cannot be read, or a wanted program is not installed.
Result<LintReport> lint_files(const LintRequest& request);

}  // namespace drydock::runner
