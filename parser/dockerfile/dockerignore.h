#pragma once
// .dockerignore: compiled patterns and their verdict on context paths. Paths are relative, slash-separated and
// clean. The last pattern that matches a path or one of its parents decides. Pure; matching is thread-safe.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "parser/diagnostics/diagnostic.h"
#include "parser/dockerfile/path_pattern.h"

namespace drydock::parser::dockerfile {

class IgnoreMatcher {
 public:
  /// Ignores nothing.
  IgnoreMatcher() = default;

  /// True when the path is left out of the context.
  bool matches(std::string_view path) const;

  /// True when the directory is left out and no `!` pattern can bring back anything below it.
  bool can_skip_directory(std::string_view path) const;

  bool empty() const { return patterns_.empty(); }
  bool has_exceptions() const { return exceptions_ != 0; }
  /// True when a pattern leaves out every root entry ("*", "**").
  bool ignores_all_roots() const;

 private:
  friend struct IgnoreCompiler;
  std::vector<PathPattern> patterns_;
  std::size_t exceptions_ = 0;
};

struct CompiledIgnore {
  IgnoreMatcher matcher;
  Diagnostics diagnostics;
};

/// A whole .dockerignore file; a wrong pattern is reported and left out.
CompiledIgnore compile_dockerignore(std::string_view text, const std::string& file);

/// A list of patterns, as of COPY --exclude; a wrong one is reported by number.
CompiledIgnore compile_patterns(const std::vector<std::string>& patterns, const std::string& file);

}  // namespace drydock::parser::dockerfile
