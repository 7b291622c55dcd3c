// Patterns and what they are matched against: the last line is the text, the lines before it are patterns, of
// filters and of .dockerignore alike.

#include "parser/dockerfile/dockerignore.h"
#include "parser/lint/filter_pattern.h"
#include "parser/workflow/glob.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace drydock::parser;
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const auto cut = all.rfind('\n');
  const auto text = cut == std::string_view::npos ? all : all.substr(cut + 1);
  const auto head = cut == std::string_view::npos ? all : all.substr(0, cut);
  std::vector<std::string> patterns;
  for (std::size_t begin = 0; begin <= head.size();) {
    const auto end = std::min(head.find('\n', begin), head.size());
    patterns.emplace_back(head.substr(begin, end - begin));
    begin = end + 1;
  }
  for (const auto& pattern : patterns) {
    workflow::glob_match(pattern, text);
    workflow::glob_problem(pattern);
    lint::pattern_problems(pattern, lint::PatternKind::ref);
    lint::pattern_problems(pattern, lint::PatternKind::path);
  }
  workflow::filter_matches(patterns, text);
  const auto ignore = dockerfile::compile_dockerignore(head, ".dockerignore").matcher;
  static_cast<void>(ignore.matches(text));
  static_cast<void>(ignore.can_skip_directory(text));
  return 0;
}
