#include "parser/lint/rule.h"
#include "parser/lint/walk.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace drydock::parser::lint {

namespace {

using workflow::Token;

constexpr std::string_view k_rule = "runner-label";

/// The machines a label may stand for, as bits: two labels of one job need one machine in common.
using Machines = std::uint32_t;

enum : Machines {
  m_ubuntu_22 = 1,
  m_ubuntu_24 = 2,
  m_ubuntu_22_arm = 4,
  m_ubuntu_24_arm = 8,
  m_ubuntu_slim = 16,
  m_windows_22 = 32,
  m_windows_25 = 64,
  m_windows_11_arm = 128,
  m_macos_13 = 256,
  m_macos_14 = 512,
  m_macos_15 = 1024,
  m_macos_26 = 2048,
  m_macos_15_intel = 4096,
  m_macos_14_intel = 8192,
  m_macos_26_intel = 16384,
  m_linux = m_ubuntu_22 | m_ubuntu_24 | m_ubuntu_22_arm | m_ubuntu_24_arm | m_ubuntu_slim,
  m_windows = m_windows_22 | m_windows_25 | m_windows_11_arm,
  m_macos = m_macos_13 | m_macos_14 | m_macos_15 | m_macos_26 | m_macos_15_intel | m_macos_14_intel |
            m_macos_26_intel,
  m_arm = m_ubuntu_22_arm | m_ubuntu_24_arm | m_windows_11_arm | m_macos_14 | m_macos_15 | m_macos_26,
  m_all = m_linux | m_windows | m_macos,
};

struct Label {
  std::string_view name;
  Machines machines;
};

constexpr std::array k_labels = {Label{"ubuntu-latest", m_ubuntu_24},
                                 Label{"ubuntu-latest-4-cores", m_ubuntu_24},
                                 Label{"ubuntu-latest-8-cores", m_ubuntu_24},
                                 Label{"ubuntu-latest-16-cores", m_ubuntu_24},
                                 Label{"ubuntu-24.04", m_ubuntu_24},
                                 Label{"ubuntu-22.04", m_ubuntu_22},
                                 Label{"ubuntu-24.04-arm", m_ubuntu_24_arm},
                                 Label{"ubuntu-22.04-arm", m_ubuntu_22_arm},
                                 Label{"ubuntu-slim", m_ubuntu_slim},
                                 Label{"windows-latest", m_windows_25 | m_windows_22},
                                 Label{"windows-latest-8-cores", m_windows_25 | m_windows_22},
                                 Label{"windows-2025", m_windows_25},
                                 Label{"windows-2025-vs2026", m_windows_25},
                                 Label{"windows-2022", m_windows_22},
                                 Label{"windows-11-arm", m_windows_11_arm},
                                 Label{"macos-latest", m_macos_15 | m_macos_14},
                                 Label{"macos-latest-xlarge", m_macos_15 | m_macos_14},
                                 Label{"macos-latest-xl", m_macos_15 | m_macos_14},
                                 Label{"macos-latest-large", m_macos_15_intel | m_macos_14_intel},
                                 Label{"macos-26", m_macos_26},
                                 Label{"macos-26-xlarge", m_macos_26},
                                 Label{"macos-26-intel", m_macos_26_intel},
                                 Label{"macos-26-large", m_macos_26_intel},
                                 Label{"macos-15", m_macos_15},
                                 Label{"macos-15-xlarge", m_macos_15},
                                 Label{"macos-15-intel", m_macos_15_intel},
                                 Label{"macos-15-large", m_macos_15_intel},
                                 Label{"macos-14", m_macos_14},
                                 Label{"macos-14-xlarge", m_macos_14},
                                 Label{"macos-14-large", m_macos_14_intel},
                                 Label{"macos-13", m_macos_13},
                                 Label{"macos-13-xlarge", m_macos_13},
                                 Label{"macos-13-large", m_macos_13},
                                 Label{"self-hosted", m_all},
                                 Label{"linux", m_linux},
                                 Label{"macos", m_macos},
                                 Label{"windows", m_windows},
                                 Label{"x64", m_all & ~m_arm},
                                 Label{"arm64", m_arm},
                                 Label{"arm", m_arm}};

const Label* find(std::string_view name) {
  const auto wanted = lower(name);
  const auto* found = std::find_if(k_labels.begin(), k_labels.end(),
                                   [&](const Label& label) { return label.name == wanted; });
  return found == k_labels.end() ? nullptr : found;
}

bool wildcard(std::string_view pattern, std::string_view text) {
  const auto star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == text;
  if (!text.starts_with(pattern.substr(0, star))) return false;
  const auto rest = pattern.substr(star + 1);
  for (auto i = star; i <= text.size(); ++i) {
    if (wildcard(rest, text.substr(i))) return true;
  }
  return false;
}

bool is_own(const LintOptions& options, std::string_view label) {
  const auto wanted = lower(label);
  return std::any_of(options.runner_labels.begin(), options.runner_labels.end(),
                     [&](const std::string& own) { return wildcard(lower(own), wanted); });
}

void check_label(LintContext& context, const Token& label) {
  if (label.source.empty() || has_template(label.source) || find(label.source) != nullptr ||
      is_own(context.options, label.source))
    return;
  std::vector<std::string> names;
  for (const auto& known : k_labels) names.emplace_back(known.name);
  context.report(k_rule, label.range.start, "label \"" + label.source + "\" is unknown",
                 "available labels are " + quoted_list(names) + "; name those of your own runners by --runner-label");
}

/// `${{ matrix.os }}` stands for every value of that row.
void check_matrix_labels(LintContext& context, const workflow::Job& job, const Token& label) {
  const auto begin = label.source.find("matrix.");
  if (begin == std::string::npos || !job.strategy || !job.strategy->matrix || !label.is_expression()) return;
  const auto& text = label.text;
  const auto name = text.starts_with("matrix.") ? lower(text.substr(7)) : std::string{};
  if (name.empty()) return;
  const auto check_values = [&](const Token& value) {
    if (value.is_sequence()) {
      for (const auto& item : value.items) {
        if (!item.is_sequence() && !item.is_mapping()) check_label(context, item);
      }
    } else if (!value.is_mapping()) {
      check_label(context, value);
    }
  };
  for (const auto& [key, row] : job.strategy->matrix->entries) {
    if (lower(key.source) == name) {
      for (const auto& value : row.items) check_values(value);
    }
    if (key.source != "include") continue;
    for (const auto& item : row.items) {
      for (const auto& [inner, value] : item.entries) {
        if (lower(inner.source) == name) check_values(value);
      }
    }
  }
}

void check_conflicts(LintContext& context, const std::vector<Token>& labels) {
  std::vector<std::pair<const Token*, const Label*>> seen;
  for (const auto& token : labels) {
    const auto* label = find(token.source);
    if (label == nullptr) continue;
    const auto conflict = std::find_if(seen.begin(), seen.end(), [&](const auto& other) {
      return (other.second->machines & label->machines) == 0;
    });
    if (conflict == seen.end()) {
      seen.emplace_back(&token, label);
      continue;
    }
    context.report(
        k_rule, token.range.start,
        "no runner has both the label \"" + token.source + "\" and \"" + conflict->first->source + "\"",
        "use a matrix to run on each of them");
  }
}

}  // namespace

void check_runner_labels(LintContext& context) {
  for (const auto& job : context.workflow->jobs) {
    if (!job.runs_on) continue;
    for (const auto& label : job.runs_on->labels) {
      if (has_template(label.source)) {
        check_matrix_labels(context, job, label);
      } else {
        check_label(context, label);
      }
    }
    check_conflicts(context, job.runs_on->labels);
  }
}

}  // namespace drydock::parser::lint
