#include "parser/workflow/issue.h"

#include <algorithm>

namespace drydock::parser::workflow {

namespace {

constexpr std::size_t k_longest_message = 500;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto substituted = diagonal + (lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({substituted, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

/// Byte offset of the given UTF-16 unit.
std::size_t byte_of_unit(std::string_view text, std::size_t unit) {
  std::size_t i = 0;
  for (std::size_t units = 0; i < text.size() && units < unit;) {
    const auto lead = static_cast<unsigned char>(text[i]);
    units += lead >= 0xF0 ? 2 : 1;
    i += lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
  }
  return std::min(i, text.size());
}

}  // namespace

std::size_t utf16_length(std::string_view text) {
  std::size_t units = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0) != 0x80) units += byte >= 0xF0 ? 2 : 1;
  }
  return units;
}

Diagnostic to_diagnostic(const Issue& issue) {
  return {issue.severity, issue.file, issue.range, issue.rule, issue.message, issue.mend};
}

std::string github_text(const Issue& issue) {
  std::string text = issue.caller + issue.file;
  if (issue.at.line > 0) {
    text += " (Line: " + std::to_string(issue.at.line) + ", Col: " + std::to_string(issue.at.column) + ")";
  }
  text += (text.empty() ? "" : ": ") + issue.message;
  if (utf16_length(text) > k_longest_message) text = text.substr(0, byte_of_unit(text, k_longest_message)) + "[...]";
  return text;
}

std::string_view nearest(std::string_view written, const std::vector<std::string_view>& candidates) {
  std::string_view best;
  auto best_distance = written.size() / 3 + 2;  // further than this is another word
  if (written.empty() || written.size() > 64) return best;
  for (const auto candidate : candidates) {
    const auto d = distance(written, candidate);
    if (d < best_distance && d < std::max(written.size(), candidate.size())) {
      best_distance = d;
      best = candidate;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view written, const std::vector<std::string_view>& candidates) {
  const auto best = nearest(written, candidates);
  return best.empty() ? std::string{} : "did you mean '" + std::string(best) + "'?";
}

}  // namespace drydock::parser::workflow
