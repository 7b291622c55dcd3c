#pragma once
// Files by patterns as @actions/glob finds them (upload-artifact, cache, hashFiles): one pattern a line, `!` takes
// away, `#` is a comment; `*` `?` `[…]` within a name, `**` across names, `~` is the home folder. Hidden names match.
// Looks at the disk; keeps nothing between calls.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "executors/base/result.h"

namespace drydock {

enum class Descendants { implicit, named };  // whether "dir" stands for all below it too
enum class HiddenFiles { included, left_out };
enum class Directories { matched, left_out };

struct FileGlobOptions {
  std::string directory;  // what relative patterns start from; absolute
  std::string home;
  Descendants descendants = Descendants::implicit;
  HiddenFiles hidden = HiddenFiles::included;
  Directories directories = Directories::matched;
  bool follow_links = true;       // a circle of them is left
  bool omit_broken_links = true;  // else an error
};

class FileGlob {
 public:
  /// usage for a pattern with "." or ".." inside, or with a wildcard as its root.
  static Result<FileGlob> parse(std::string_view patterns, FileGlobOptions options);

  /// The fixed beginning of each pattern, without those that lie below another.
  const std::vector<std::string>& search_paths() const { return search_paths_; }
  /// Absolute paths, in the order of the search paths and of names below them.
  Result<std::vector<std::string>> find() const;
  /// Whether this path, taken for a file, belongs to the result: nothing on the disk is looked at.
  bool matches(const std::string& absolute_path) const;

 private:
  struct Pattern {
    bool negate = false;
    bool implicit = false;            // made from a pattern, for what lies below
    bool only_directories = false;    // it ended with a slash
    std::vector<std::string> segments;  // "/", then names
    std::string search_path;
  };
  struct Match {
    bool file = false, directory = false;
  };
  class Walk;

  static Result<Pattern> read(std::string_view line, const FileGlobOptions& options);
  static std::vector<std::string> search_paths_of(const std::vector<Pattern>& patterns);
  static bool fits(const Pattern& pattern, const std::string& path);
  static bool fits_partly(const Pattern& pattern, const std::string& path);
  Match match(const std::string& path) const;
  bool may_match_below(const std::string& path) const;

  FileGlobOptions options_;
  std::vector<Pattern> patterns_;  // with the implicit ones
  std::vector<std::string> search_paths_;
};

/// One name against one segment of a pattern: `*` `?` `[…]` and backslash. Pure; time grows with both lengths alone.
bool segment_matches(std::string_view pattern, std::string_view name);

}  // namespace drydock
