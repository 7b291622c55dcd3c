#pragma once
// Lints a text and writes each finding as "line:column rule", errors with a '!' before.

#include "parser/lint/lint.h"

#include <map>
#include <string>
#include <vector>

namespace drydock::parser::lint {

using Found = std::vector<std::string>;

inline Found found(std::string_view text, const LintOptions& options = {}) {
  Found list;
  for (const auto& d : lint(text, "w.yml", options)) {
    list.push_back((d.severity == Severity::error ? "!" : "") + std::to_string(d.range.start.line) + ":" +
                   std::to_string(d.range.start.column) + " " + d.rule);
  }
  return list;
}

/// One job of steps, the first of them in line 6; `steps` is indented by six.
inline std::string with_steps(std::string_view steps, std::string_view on = "push") {
  return "on: " + std::string(on) + "\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n" +
         std::string(steps);
}

}  // namespace drydock::parser::lint
