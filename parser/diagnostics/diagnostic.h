#pragma once
// Diagnostic: something in a user's file, with its place. All are collected; none is thrown.
// Plain values, no input or output.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::parser {

/// Line and column count from 1; columns count Unicode code points, as GitHub's do.
struct Position {
  int line = 0;
  int column = 0;
  friend auto operator<=>(const Position&, const Position&) = default;
};

struct Range {
  Position start;
  Position end;  // one past the last character
};

enum class Severity { error, warning, note };

struct Diagnostic {
  Severity severity = Severity::error;
  std::string file;
  Range range;
  std::string rule;     // "syntax", "schema", "expression", or a lint rule's name
  std::string message;  // what is wrong and what is expected
  std::string mend;     // how to mend it; may be empty
};

using Diagnostics = std::vector<Diagnostic>;

bool has_errors(const Diagnostics& diagnostics);

/// "file:line:col: message [rule]".
std::string format_line(const Diagnostic& diagnostic);

/// format_line, then the source line and a caret below the column, then the mend.
std::string format_with_source(const Diagnostic& diagnostic, std::string_view source);

/// By place, then rule; equal ones once.
void sort_unique(Diagnostics& diagnostics);

}  // namespace drydock::parser
