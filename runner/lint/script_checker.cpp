#include "runner/lint/script_checker.h"

#include <nlohmann/json.hpp>

#include "executors/base/process.h"

namespace drydock::runner {

namespace {

using parser::lint::ScriptFinding;

/// What an expression, which is a row of underscores by now, would wrongly be blamed for: unknown files,
/// constant words and tests, variables that are set elsewhere, loops over one item.
constexpr const char* k_excluded = "SC1091,SC2043,SC2050,SC2153,SC2154,SC2157,SC2194";

ScriptFinding failed(std::string_view program, const std::string& why) {
  return {std::string(program) + " failed: " + why};
}

}  // namespace

ScriptChecker::ScriptChecker(std::string shellcheck, std::string pyflakes, std::string directory)
    : shellcheck_(std::move(shellcheck)), pyflakes_(std::move(pyflakes)), memory_(std::move(directory)) {}

ScriptChecker::Findings ScriptChecker::check(std::string_view shell, std::string_view script) {
  const bool is_python = shell == "python";
  if ((is_python ? pyflakes_ : shellcheck_).empty()) return {};
  auto key = std::string(shell) + "\n" + std::string(script);
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = known_.find(key); found != known_.end()) return found->second;
  }
  auto findings = check_new(shell, script);
  const std::lock_guard lock(mutex_);
  return known_.emplace(std::move(key), std::move(findings)).first->second;
}

ScriptChecker::Findings ScriptChecker::check_new(std::string_view shell, std::string_view script) {
  const bool is_python = shell == "python";
  std::string key;
  if (memory_.keeps()) {
    if (const auto& told = version(is_python ? pyflakes_ : shellcheck_); !told.empty()) {
      key = ScriptMemory::key(told, shell, script);
      if (auto kept = memory_.find(key)) return std::move(*kept);
    }
  }
  auto findings = is_python ? ask_pyflakes(script) : ask_shellcheck(shell, script);
  if (!findings.ok()) return {failed(is_python ? "pyflakes" : "shellcheck", findings.error().message)};
  if (!key.empty()) memory_.keep(key, *findings);
  return std::move(*findings);
}

const std::string& ScriptChecker::version(const std::string& program) {
  const std::lock_guard lock(mutex_);
  const auto [entry, is_new] = versions_.try_emplace(program);
  if (is_new) {
    ProcessSpec spec;
    spec.argv = {program, "--version"};
    const auto run = run_process(spec);
    if (run.ok() && !run->out.empty()) entry->second = program + "\n" + k_excluded + "\n" + run->out;
  }
  return entry->second;
}

Result<ScriptChecker::Findings> ScriptChecker::ask_shellcheck(std::string_view shell, std::string_view script) const {
  ProcessSpec spec;
  spec.argv = {shellcheck_,        "--norc",    "--format", "json", "--shell",
               std::string(shell), "--exclude", k_excluded, "-"};
  // GitHub's runner starts both shells so that the first failure ends the script.
  spec.input = (shell == "bash" ? "set -eo pipefail\n" : "set -e\n") + std::string(script) + "\n";
  const auto run = run_process(spec);
  if (!run.ok()) return run.error();
  const auto json = nlohmann::json::parse(run->out, nullptr, false);
  if (!json.is_array()) return Error{ErrorCode::internal, run->err};
  Findings findings;
  for (const auto& item : json) {
    if (!item.is_object()) continue;
    findings.push_back({"SC" + std::to_string(item.value("code", 0)) + " (" + item.value("level", "") +
                        ") in line " + std::to_string(item.value("line", 1) - 1) + ", column " +
                        std::to_string(item.value("column", 0)) +
                        " of the script: " + item.value("message", "")});
  }
  return findings;
}

Result<ScriptChecker::Findings> ScriptChecker::ask_pyflakes(std::string_view script) const {
  ProcessSpec spec;
  spec.argv = {pyflakes_};
  spec.input = std::string(script) + "\n";
  const auto run = run_process(spec);
  if (!run.ok()) return run.error();
  constexpr std::string_view k_name = "<stdin>:";
  Findings findings;
  const auto text = run->out + run->err;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    const auto line = std::string_view(text).substr(begin, end - begin);
    if (line.starts_with(k_name)) findings.push_back({"line " + std::string(line.substr(k_name.size()))});
    begin = end + 1;
  }
  return findings;
}

}  // namespace drydock::runner
