#pragma once
// Issue: a problem while reading, with the place GitHub reports and, where it differs, the exact one.
// Internal to this room; becomes a Diagnostic or a line of GitHub's error list.

#include "parser/diagnostics/diagnostic.h"

#include <string>
#include <string_view>
#include <vector>

namespace drydock::parser::workflow {

/// GitHub stops after the syntax when that has errors; the model's checks are reported to users all the same.
enum class Stage { syntax, model, call };

struct Issue {
  Stage stage = Stage::syntax;
  Severity severity = Severity::error;
  std::string file;       // set by whoever gathers issues of several files
  Position at;            // GitHub's place; line 0: GitHub names the file alone
  Range range;            // the exact place
  std::string rule;       // "syntax", "schema", "expression"
  std::string message;    // GitHub's text
  std::string mend;
  std::string caller;     // "In <file> (Line: L, Col: C): Error from called workflow ", or empty
};

using Issues = std::vector<Issue>;

Diagnostic to_diagnostic(const Issue& issue);

/// "<file> (Line: L, Col: C): message", or "<file>: message", cut at 500 UTF-16 units as GitHub does.
std::string github_text(const Issue& issue);

/// The candidate nearest to what was written, when it is near enough to be a slip; else empty.
std::string_view nearest(std::string_view written, const std::vector<std::string_view>& candidates);

/// "Did you mean 'x'?" or "".
std::string did_you_mean(std::string_view written, const std::vector<std::string_view>& candidates);

/// Length in UTF-16 units, as GitHub counts.
std::size_t utf16_length(std::string_view text);

}  // namespace drydock::parser::workflow
