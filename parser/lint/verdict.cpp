#include "parser/lint/verdict.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>
#include <vector>

namespace drydock::parser::lint {

namespace {

constexpr std::string_view k_ignore = "drydock: ignore ";

/// Rules whose findings GitHub never refuses a file for.
constexpr std::array<std::string_view, 9> k_advice = {
    "script-injection", "credentials", "deprecated-commands", "runner-label", "shell-name",
    "shellcheck",       "pyflakes",    "if-condition",        "matrix"};

bool is_advice(const Diagnostic& finding) {
  return finding.rule.starts_with("build-") ||
         std::find(k_advice.begin(), k_advice.end(), finding.rule) != k_advice.end();
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

bool is_empty_line(std::string_view line) {
  const auto first = line.find_first_not_of(" \t\r");
  return first == std::string_view::npos || line[first] == '#';
}

class Verdict {
 public:
  Verdict(Diagnostics& findings, std::string_view text) : findings_(findings), lines_(lines_of(text)) {}

  /// Whether a finding says it already; that one becomes as severe.
  bool covers(const Diagnostic& refusal) {
    auto* best = on_line(refusal.range.start);
    if (best == nullptr) best = on_key_above(refusal.range.start);
    if (best == nullptr) best = on_sibling_above(refusal);
    if (best == nullptr && is_about_needs(refusal)) best = about_needs();
    if (best == nullptr) best = about_aliases();
    if (best == nullptr) return false;
    if (refusal.severity == Severity::error) best->severity = Severity::error;
    return true;
  }

 private:
  static bool is_about_needs(const Diagnostic& refusal) {
    return refusal.message.find("depends on") != std::string::npos ||
           refusal.message.find("no dependencies") != std::string::npos;
  }

  Diagnostic* on_line(Position at) {
    Diagnostic* best = nullptr;
    for (auto& finding : findings_) {
      if (finding.range.start.line != at.line || is_advice(finding)) continue;
      const auto distance = [&](const Diagnostic& d) { return std::abs(d.range.start.column - at.column); };
      if (best == nullptr || distance(finding) < distance(*best)) best = &finding;
    }
    return best;
  }

  /// What a mapping lacks is refused at its first entry, but said at its key.
  Diagnostic* on_key_above(Position at) {
    auto line = at.line - 1;
    while (line > 0 && is_empty_line(lines_[static_cast<std::size_t>(line - 1)])) --line;
    auto* found = on_line({line, at.column});
    return found != nullptr && found->range.start.column < at.column ? found : nullptr;
  }

  /// A wrong key makes the reader doubt the keys after it.
  Diagnostic* on_sibling_above(const Diagnostic& refusal) {
    const bool is_key =
        refusal.message.starts_with("Unexpected value '") || refusal.message.ends_with("is already defined");
    const auto at = refusal.range.start;
    for (auto line = at.line - 1; is_key && line > 0; --line) {
      const auto text = lines_[static_cast<std::size_t>(line - 1)];
      if (is_empty_line(text)) continue;
      auto* found = on_line({line, at.column});
      if (found != nullptr && found->range.start.column == at.column && found->rule == "syntax") return found;
      if (static_cast<int>(text.find_first_not_of(' ')) + 1 < at.column) return nullptr;
    }
    return nullptr;
  }

  /// What a merge key or an alias of itself stands for is refused where it is written, far away.
  Diagnostic* about_aliases() {
    const auto found = std::find_if(findings_.begin(), findings_.end(), [](const Diagnostic& d) {
      return d.rule == "syntax" &&
             (d.message.find("merge key") != std::string::npos || d.message.starts_with("alias \""));
    });
    return found == findings_.end() ? nullptr : &*found;
  }

  Diagnostic* about_needs() {
    const auto found = std::find_if(findings_.begin(), findings_.end(),
                                    [](const Diagnostic& d) { return d.rule == "needs"; });
    return found == findings_.end() ? nullptr : &*found;
  }

  Diagnostics& findings_;
  std::vector<std::string_view> lines_;
};

bool names_rule(std::string_view list, std::string_view rule) {
  for (std::size_t begin = 0; begin < list.size();) {
    const auto end = std::min(list.find_first_of(", \t\r", begin), list.size());
    if (list.substr(begin, end - begin) == rule) return true;
    begin = end + 1;
  }
  return false;
}

bool is_ignored(std::string_view line, std::string_view rule) {
  const auto at = line.find(k_ignore);
  return at != std::string_view::npos && line.substr(0, at).find('#') != std::string_view::npos &&
         names_rule(line.substr(at + k_ignore.size()), rule);
}

}  // namespace

void take_verdict(Diagnostics& findings, Diagnostics refused, std::string_view text) {
  Diagnostics rest;
  Verdict verdict(findings, text);
  for (auto& refusal : refused) {
    if (!verdict.covers(refusal)) rest.push_back(std::move(refusal));
  }
  findings.insert(findings.end(), std::make_move_iterator(rest.begin()), std::make_move_iterator(rest.end()));
}

void drop_ignored(Diagnostics& findings, std::string_view text) {
  if (text.find(k_ignore) == std::string_view::npos) return;
  const auto lines = lines_of(text);
  std::erase_if(findings, [&](const Diagnostic& finding) {
    const auto line = finding.range.start.line;
    if (finding.severity == Severity::error || line <= 0) return false;
    if (is_ignored(lines[static_cast<std::size_t>(line - 1)], finding.rule)) return true;
    if (line < 2) return false;
    const auto above = lines[static_cast<std::size_t>(line - 2)];
    return is_empty_line(above) && is_ignored(above, finding.rule);
  });
}

}  // namespace drydock::parser::lint
