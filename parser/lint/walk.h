#pragma once
// Small ways through the model that several rules need. Pure.

#include "parser/workflow/model.h"

#include <string_view>
#include <vector>

namespace drydock::parser::lint {

/// Calls `visit(step)` for every step, those inside `parallel:` included.
template <class Visit>
void each_step(const std::vector<workflow::Step>& steps, Visit visit) {
  for (const auto& step : steps) {
    visit(step);
    each_step(step.parallel, visit);
  }
}

inline bool has_template(std::string_view value) {
  return value.find("${{") != std::string_view::npos;
}

enum class Platform { unknown, windows, unix };

/// The operating system of a job's runner, as far as its labels tell.
inline Platform platform_of(const workflow::Job& job) {
  if (!job.runs_on) return Platform::unknown;
  auto platform = Platform::unknown;
  for (const auto& label : job.runs_on->labels) {
    std::string text;
    for (const char c : label.source) text += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    if (has_template(text)) return Platform::unknown;
    auto found = platform;
    if (text.starts_with("windows")) found = Platform::windows;
    if (text.starts_with("ubuntu") || text.starts_with("macos") || text == "linux") found = Platform::unix;
    if (platform != Platform::unknown && found != platform) return Platform::unknown;
    platform = found;
  }
  return platform;
}

}  // namespace drydock::parser::lint
