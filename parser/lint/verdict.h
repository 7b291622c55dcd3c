#pragma once
// Verdict: which findings are errors. GitHub's own reader decides; where a finding already says what the
// reader refuses, it becomes the error, and what no finding says is added in the reader's words. Pure.

#include "parser/diagnostics/diagnostic.h"

#include <string_view>

namespace drydock::parser::lint {

void take_verdict(Diagnostics& findings, Diagnostics refused, std::string_view text);

/// Leaves out warnings that a comment `# drydock: ignore RULE, RULE` at the end of their line or alone on the
/// line above switches off.
void drop_ignored(Diagnostics& findings, std::string_view text);

}  // namespace drydock::parser::lint
