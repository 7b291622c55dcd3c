#include "parser/diagnostics/diagnostic.h"

#include <algorithm>
#include <tuple>

namespace drydock::parser {

bool has_errors(const Diagnostics& diagnostics) {
  return std::any_of(diagnostics.begin(), diagnostics.end(),
                     [](const Diagnostic& d) { return d.severity == Severity::error; });
}

std::string format_line(const Diagnostic& d) {
  std::string text = d.file;
  if (d.range.start.line > 0) {
    text += ":" + std::to_string(d.range.start.line) + ":" + std::to_string(d.range.start.column);
  }
  text += ": " + d.message;
  if (!d.rule.empty()) text += " [" + d.rule + "]";
  return text;
}

namespace {

std::string_view line_of(std::string_view source, int number) {
  std::size_t begin = 0;
  for (int line = 1; line < number; ++line) {
    const auto newline = source.find('\n', begin);
    if (newline == std::string_view::npos) return {};
    begin = newline + 1;
  }
  auto line = source.substr(begin, source.find('\n', begin) - begin);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

std::string format_with_source(const Diagnostic& d, std::string_view source) {
  std::string text = format_line(d);
  const auto line = d.range.start.line > 0 ? line_of(source, d.range.start.line) : std::string_view{};
  if (!line.empty()) {
    text += "\n  " + std::string(line) + "\n  ";
    int column = 1;
    for (std::size_t i = 0; i < line.size() && column < d.range.start.column; ++i) {
      const bool continuation = (static_cast<unsigned char>(line[i]) & 0xC0) == 0x80;
      if (continuation) continue;
      text += line[i] == '\t' ? '\t' : ' ';
      ++column;
    }
    text += '^';
  }
  if (!d.mend.empty()) text += "\n  mend: " + d.mend;
  return text;
}

void sort_unique(Diagnostics& diagnostics) {
  const auto key = [](const Diagnostic& d) { return std::tie(d.file, d.range.start, d.rule, d.message); };
  std::stable_sort(diagnostics.begin(), diagnostics.end(),
                   [&](const Diagnostic& a, const Diagnostic& b) { return key(a) < key(b); });
  diagnostics.erase(std::unique(diagnostics.begin(), diagnostics.end(),
                                [&](const Diagnostic& a, const Diagnostic& b) { return key(a) == key(b); }),
                    diagnostics.end());
}

}  // namespace drydock::parser
