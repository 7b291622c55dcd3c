#include "parser/dockerfile/dockerignore.h"

#include <utility>

#include "parser/dockerfile/text.h"

namespace drydock::parser::dockerfile {

struct IgnoreCompiler {
  CompiledIgnore result;

  void add(std::string_view text, const std::string& file, int line) {
    auto pattern = PathPattern::compile(text);
    if (!pattern) {
      const auto shown = std::string(trim(text));
      result.diagnostics.push_back({Severity::error, file, {{line, 1}, {line, 1}}, "syntax",
                                    "invalid pattern \"" + shown + "\"",
                                    shown == "!" ? "put a path after !" : "close the bracket, or escape it with \\"});
      return;
    }
    if (pattern->exception()) ++result.matcher.exceptions_;
    result.matcher.patterns_.push_back(std::move(*pattern));
  }
};

bool IgnoreMatcher::matches(std::string_view path) const {
  if (path.empty() || path == ".") return false;
  // Later patterns win, so the first hit from the end decides.
  for (auto pattern = patterns_.rbegin(); pattern != patterns_.rend(); ++pattern) {
    if (pattern->matches_or_parent(path)) return !pattern->exception();
  }
  return false;
}

bool IgnoreMatcher::can_skip_directory(std::string_view path) const {
  if (!matches(path)) return false;
  if (exceptions_ == 0) return true;
  for (const auto& pattern : patterns_) {
    if (pattern.exception() && pattern.may_match_below(path)) return false;
  }
  return true;
}

bool IgnoreMatcher::ignores_all_roots() const {
  for (const auto& pattern : patterns_) {
    const auto& text = pattern.text();
    if (!pattern.exception() && (text == "*" || text == "**" || text == "**/*")) return true;
  }
  return false;
}

CompiledIgnore compile_dockerignore(std::string_view text, const std::string& file) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  IgnoreCompiler compiler;
  int number = 0;
  for (const auto& line : split(text, '\n')) {
    ++number;
    if (line.starts_with('#') || trim(line).empty()) continue;
    compiler.add(line, file, number);
  }
  return std::move(compiler.result);
}

CompiledIgnore compile_patterns(const std::vector<std::string>& patterns, const std::string& file) {
  IgnoreCompiler compiler;
  int number = 0;
  for (const auto& pattern : patterns) {
    ++number;
    if (!trim(pattern).empty()) compiler.add(pattern, file, number);
  }
  return std::move(compiler.result);
}

}  // namespace drydock::parser::dockerfile
