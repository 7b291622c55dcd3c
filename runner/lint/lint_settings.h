#pragma once
// What a repository says of the linting of its workflows, in .github/actionlint.yaml: labels of its own runners, names
// of its variables, and findings that it does not want to see. The file is actionlint's, so that both tools may be used.
// Immutable once read; thread-safe.

#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "executors/base/file_glob.h"
#include "executors/base/result.h"
#include "parser/diagnostics/diagnostic.h"

namespace drydock::runner {

struct LintSettings {
  struct Ignored {
    FileGlob files;                    // over "/" + the path in the repository
    std::vector<std::regex> messages;  // found anywhere in "message. mend"
  };

  std::vector<std::string> runner_labels;
  std::optional<std::vector<std::string>> variables;  // nothing: any
  std::vector<Ignored> ignored;
};

/// An Error (invalid_input) names the file and what is wrong in it.
Result<LintSettings> read_lint_settings(std::string_view text, const std::string& file);

/// The settings of the repository at `root`; empty ones where it has none.
Result<LintSettings> lint_settings_of(const std::string& root);

/// Takes away what is ignored for the file at `path`, relative to the repository.
void drop_ignored(parser::Diagnostics& findings, const LintSettings& settings, const std::string& path);

}  // namespace drydock::runner
