#include "runner/lint/lint_files.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <thread>

#include "executors/base/process.h"
#include "runner/lint/lint_settings.h"
#include "runner/lint/script_checker.h"

namespace drydock::runner {

namespace {

namespace fs = std::filesystem;

std::optional<std::string> read(const fs::path& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return std::nullopt;
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

/// What lies outside the repository is nobody's action: "../" is not followed.
bool is_inside(std::string_view relative) {
  const auto path = fs::path(relative).lexically_normal();
  return path.is_relative() && (path.empty() || *path.begin() != "..");
}

Result<std::string> program(std::initializer_list<const char*> names) {
  for (const auto* name : names) {
    if (auto found = find_program(name)) return *found;
  }
  return Error{ErrorCode::environment, std::string(*names.begin()) + " is not installed"};
}

Result<std::shared_ptr<ScriptChecker>> checker_for(const LintRequest& request) {
  std::string shellcheck, pyflakes;
  if (request.shellcheck) {
    DRYDOCK_ASSIGN(shellcheck, program({"shellcheck"}));
  }
  if (request.pyflakes) {
    DRYDOCK_ASSIGN(pyflakes, program({"pyflakes", "pyflakes3"}));
  }
  return std::make_shared<ScriptChecker>(shellcheck, pyflakes, request.script_memory);
}

parser::Diagnostics lint_one(const LintRequest& request, const std::string& file, const std::string& text,
                             const fs::path& root, const LintSettings& settings, ScriptChecker& checker) {
  auto options = request.options;
  options.runner_labels.insert(options.runner_labels.end(), settings.runner_labels.begin(), settings.runner_labels.end());
  if (!options.variables) options.variables = settings.variables;
  options.read_file = [root](std::string_view path) {
    return is_inside(path) ? read(root / path) : std::nullopt;
  };
  if (request.shellcheck || request.pyflakes) {
    options.check_script = [&checker](std::string_view shell, std::string_view script) {
      return checker.check(shell, script);
    };
  }
  auto findings = parser::lint::lint(text, file, options);
  std::error_code error;
  drop_ignored(findings, settings, fs::absolute(file, error).lexically_normal().lexically_relative(root).string());
  return findings;
}

}  // namespace

std::vector<std::string> find_workflows(const std::string& directory) {
  std::error_code error;
  auto above = fs::absolute(directory.empty() ? "." : directory, error).lexically_normal();
  std::vector<std::string> files;
  for (;; above = above.parent_path()) {
    const auto workflows = above / ".github" / "workflows";
    if (fs::is_directory(workflows, error)) {
      for (const auto& entry : fs::directory_iterator(workflows, error)) {
        const auto extension = entry.path().extension();
        if (extension == ".yml" || extension == ".yaml")
          files.push_back(entry.path().lexically_proximate(fs::current_path(error)).string());
      }
      break;
    }
    if (above == above.root_path() || above.empty()) break;
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string repository_root(const std::string& file) {
  std::error_code error;
  const auto directory = fs::absolute(file, error).lexically_normal().parent_path();
  for (auto above = directory; above != above.root_path(); above = above.parent_path()) {
    if (above.filename() != "workflows") continue;
    const auto holder = above.parent_path();  // ".github" or the like, else the root itself
    return (holder.filename().string().starts_with('.') ? holder.parent_path() : holder).string();
  }
  for (auto above = directory;; above = above.parent_path()) {
    if (fs::exists(above / ".git", error) || fs::is_directory(above / ".github", error))
      return above.string();
    if (above == above.root_path()) break;
  }
  return directory.string();
}

Result<LintReport> lint_files(const LintRequest& request) {
  DRYDOCK_ASSIGN(const auto checker, checker_for(request));
  LintReport report;
  for (const auto& file : request.files) {
    auto text = read(file);
    if (!text) return Error{ErrorCode::not_found, file + " cannot be read"};
    report.sources[file] = std::move(*text);
  }
  std::map<std::string, LintSettings> settings;  // by the root of the repository
  std::vector<std::string> roots;
  for (const auto& file : request.files) {
    roots.push_back(repository_root(file));
    if (settings.contains(roots.back())) continue;
    DRYDOCK_ASSIGN(settings[roots.back()], lint_settings_of(roots.back()));
  }
  std::vector<parser::Diagnostics> results(request.files.size());
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (auto i = next++; i < results.size(); i = next++) {
      const auto& file = request.files[i];
      results[i] = lint_one(request, file, report.sources.at(file), roots[i], settings.at(roots[i]), *checker);
    }
  };
  {
    const auto count =
        std::min<std::size_t>(std::max(1U, std::thread::hardware_concurrency()), results.size());
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < count; ++i) threads.emplace_back(work);
    work();
  }
  for (auto& result : results) {
    report.findings.insert(report.findings.end(), std::make_move_iterator(result.begin()),
                           std::make_move_iterator(result.end()));
  }
  return report;
}

}  // namespace drydock::runner
