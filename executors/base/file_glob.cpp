#include "executors/base/file_glob.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <set>

namespace drydock {
namespace {

constexpr std::string_view k_any_names = "**";

std::string single_slashes(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != '/' || out.empty() || out.back() != '/') out += c;
  }
  return out;
}

std::string without_last_slash(std::string text) {
  if (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

std::string trimmed(std::string_view text) {
  constexpr std::string_view k_blank = " \t\r\n\f\v";
  const auto first = text.find_first_not_of(k_blank);
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(k_blank) - first + 1));
}

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> parts;
  for (std::size_t start = 0; start <= path.size();) {
    const auto slash = std::min(path.find('/', start), path.size());
    parts.emplace_back(path.substr(start, slash - start));
    start = slash + 1;
  }
  return parts;
}

/// "/a/b" → "/", "a", "b"; "a/b" → "a", "b".
std::vector<std::string> segments_of(const std::string& path) {
  const auto text = without_last_slash(single_slashes(path));
  if (text == "/") return {"/"};
  auto parts = split(text);
  if (text.starts_with('/')) parts.front() = "/";
  return parts;
}

std::string joined(const std::vector<std::string>& segments) {
  std::string path;
  for (const auto& segment : segments) path += path.empty() || path == "/" ? segment : "/" + segment;
  return path;
}

/// What the segment stands for when it holds no wildcard; "" when it does.
std::string literal(std::string_view segment) {
  std::string text;
  for (std::size_t i = 0; i < segment.size(); ++i) {
    const char c = segment[i];
    if (c == '\\' && i + 1 < segment.size()) {
      text += segment[++i];
      continue;
    }
    if (c == '*' || c == '?') return {};
    if (c == '[' && i + 1 < segment.size()) {
      std::string set;
      std::size_t closed = 0;
      for (std::size_t j = i + 1; j < segment.size() && closed == 0; ++j) {
        if (segment[j] == '\\' && j + 1 < segment.size()) set += segment[++j];
        else if (segment[j] == ']') closed = j;
        else set += segment[j];
      }
      if (closed != 0 && set.size() > 1) return {};
      if (closed != 0 && !set.empty()) {
        text += set;
        i = closed;
        continue;
      }
    }
    text += c;
  }
  return text;
}

std::string escaped(std::string_view path) {
  std::string text;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const char c = path[i];
    const auto name_end = std::min(path.find('/', i), path.size());
    const bool set = c == '[' && path.substr(i, name_end - i).find(']', 2) != std::string_view::npos;
    if (c == '\\') text += "\\\\";
    else if (c == '*' || c == '?' || set) text += std::string("[") + c + "]";
    else text += c;
  }
  return text;
}

std::string parent(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

bool names_match(const std::string& pattern, const std::string& name) {
  if (pattern.empty() || name.empty()) return pattern == name;
  return segment_matches(pattern, name);
}

enum class Amount { whole, part };

/// minimatch's matchOne over names, with `**`; `part`: whether something below the path may match.
class NamesMatch {
 public:
  NamesMatch(const std::vector<std::string>& pattern, const std::vector<std::string>& path, Amount amount)
      : pattern_(pattern), path_(path), amount_(amount), known_((pattern.size() + 1) * (path.size() + 1), 0) {}

  bool at(std::size_t p, std::size_t n) {
    char& known = known_[p * (path_.size() + 1) + n];
    if (known == 0) known = look(p, n) ? 1 : 2;
    return known == 1;
  }

 private:
  bool look(std::size_t p, std::size_t n) {
    if (n == path_.size()) return p == pattern_.size() || amount_ == Amount::part;
    if (p == pattern_.size()) return n + 1 == path_.size() && path_[n].empty();
    if (pattern_[p] != k_any_names) return names_match(pattern_[p], path_[n]) && at(p + 1, n + 1);
    if (p + 1 == pattern_.size()) return true;
    return at(p + 1, n) || at(p, n + 1);
  }

  const std::vector<std::string>& pattern_;
  const std::vector<std::string>& path_;
  Amount amount_;
  std::vector<char> known_;
};

bool names_match(const std::vector<std::string>& segments, std::string_view path, Amount amount) {
  // The root is an empty name before the first slash, in both.
  auto pattern = segments;
  pattern.front() = "";
  const auto names = split(path);
  return NamesMatch(pattern, names, amount).at(0, 0);
}

Error refused(std::string_view line, const std::string& why) {
  return make_error(ErrorCode::usage, "Invalid pattern '" + std::string(line) + "'. " + why);
}

}  // namespace

Result<FileGlob::Pattern> FileGlob::read(std::string_view line, const FileGlobOptions& options) {
  Pattern pattern;
  std::string text(line);
  while (text.starts_with('!')) {
    pattern.negate = !pattern.negate;
    text = trimmed(text.substr(1));
  }
  if (text.empty()) return refused(line, "It is empty.");
  const auto written = segments_of(text);
  for (std::size_t i = 0; i < written.size(); ++i) {
    const auto name = literal(written[i]);
    if ((name == "." && i > 0) || name == "..") return refused(line, "Relative pathing '.' and '..' is not allowed.");
  }
  text = single_slashes(text);
  if (text == "." || text.starts_with("./")) {
    text = escaped(options.directory) + text.substr(1);
  } else if (text == "~" || text.starts_with("~/")) {
    if (!options.home.starts_with('/')) return refused(line, "Unable to determine HOME directory.");
    text = escaped(options.home) + text.substr(1);
  } else if (!text.starts_with('/')) {
    text = escaped(options.directory) + "/" + text;
  }
  text = single_slashes(text);
  pattern.only_directories = text.size() > 1 && text.ends_with('/');
  pattern.segments = segments_of(text);
  std::vector<std::string> fixed;
  for (const auto& segment : pattern.segments) {
    auto name = segment == "/" ? segment : literal(segment);
    if (name.empty()) break;
    fixed.push_back(std::move(name));
  }
  pattern.search_path = joined(fixed);
  return pattern;
}

Result<FileGlob> FileGlob::parse(std::string_view patterns, FileGlobOptions options) {
  FileGlob glob;
  glob.options_ = std::move(options);
  std::vector<Pattern> written;
  for (std::size_t start = 0; start <= patterns.size();) {
    const auto end = std::min(patterns.find('\n', start), patterns.size());
    const auto line = trimmed(patterns.substr(start, end - start));
    start = end + 1;
    if (line.empty() || line.starts_with('#')) continue;
    DRYDOCK_ASSIGN(auto pattern, read(line, glob.options_));
    written.push_back(std::move(pattern));
  }
  glob.search_paths_ = search_paths_of(written);
  for (auto& pattern : written) {
    const bool below = glob.options_.descendants == Descendants::implicit &&
                       (pattern.only_directories || pattern.segments.back() != k_any_names);
    glob.patterns_.push_back(pattern);
    if (!below) continue;
    pattern.implicit = true;
    pattern.only_directories = false;
    pattern.segments.emplace_back(k_any_names);
    glob.patterns_.push_back(std::move(pattern));
  }
  return glob;
}

std::vector<std::string> FileGlob::search_paths_of(const std::vector<Pattern>& patterns) {
  std::set<std::string> all, taken;
  for (const auto& pattern : patterns) {
    if (!pattern.negate) all.insert(pattern.search_path);
  }
  std::vector<std::string> found;
  for (const auto& pattern : patterns) {
    if (pattern.negate || taken.contains(pattern.search_path)) continue;
    bool below_another = false;
    for (auto path = pattern.search_path; path != "/" && !below_another;) {
      path = parent(path);
      below_another = all.contains(path);
    }
    if (below_another) continue;
    taken.insert(pattern.search_path);
    found.push_back(pattern.search_path);
  }
  return found;
}

bool FileGlob::fits(const Pattern& pattern, const std::string& path) {
  auto text = without_last_slash(path);
  // "/a/**" is to match "/a" too, where somebody wrote it.
  if (pattern.segments.back() == k_any_names && !pattern.implicit && !text.ends_with('/')) text += '/';
  return names_match(pattern.segments, text, Amount::whole);
}

bool FileGlob::fits_partly(const Pattern& pattern, const std::string& path) {
  return path == "/" || names_match(pattern.segments, without_last_slash(path), Amount::part);
}

FileGlob::Match FileGlob::match(const std::string& path) const {
  Match match;
  for (const auto& pattern : patterns_) {
    if (!fits(pattern, path)) continue;
    match.directory = !pattern.negate;
    if (!pattern.only_directories) match.file = !pattern.negate;
  }
  return match;
}

bool FileGlob::matches(const std::string& absolute_path) const { return match(absolute_path).file; }

bool FileGlob::may_match_below(const std::string& path) const {
  return std::any_of(patterns_.begin(), patterns_.end(),
                     [&](const Pattern& pattern) { return !pattern.negate && fits_partly(pattern, path); });
}

/// One search through the disk.
class FileGlob::Walk {
 public:
  explicit Walk(const FileGlob& glob) : glob_(glob), options_(glob.options_) {}

  Status visit(const std::string& path) {
    const auto match = glob_.match(path);
    const bool matched = match.file || match.directory;
    const bool below = matched || glob_.may_match_below(path);
    if (!below) return {};
    struct stat status {};
    DRYDOCK_ASSIGN(const bool there, look(path, status));
    if (!there) return {};
    const auto name = path.substr(path.rfind('/') + 1);
    if (options_.hidden == HiddenFiles::left_out && name.starts_with('.')) return {};
    if (S_ISDIR(status.st_mode)) return visit_directory(path, match);
    if (match.file) found_.push_back(path);
    return {};
  }

  std::vector<std::string> take() { return std::move(found_); }

 private:
  /// False when there is nothing to go into or to take.
  Result<bool> look(const std::string& path, struct stat& status) const {
    const int failed = options_.follow_links ? ::stat(path.c_str(), &status) : ::lstat(path.c_str(), &status);
    if (failed == 0) return true;
    if (errno != ENOENT) return errno_error("looking at " + path, errno);
    struct stat link {};
    const bool broken = ::lstat(path.c_str(), &link) == 0;
    if (!broken || options_.omit_broken_links) return false;
    return make_error(ErrorCode::not_found, "No information found for the path '" + path + "'. This may indicate a broken symbolic link.");
  }

  Status visit_directory(const std::string& path, Match match) {
    std::string real = path;
    if (options_.follow_links) {
      std::error_code failure;
      real = std::filesystem::canonical(path, failure).string();
      if (failure) return errno_error("looking at " + path, failure.value());
      if (std::find(chain_.begin(), chain_.end(), real) != chain_.end()) return {};  // a circle
    }
    if (match.directory && options_.directories == Directories::matched) found_.push_back(path);
    std::vector<std::string> names;
    std::error_code failure;
    for (std::filesystem::directory_iterator entry(path, failure), end; !failure && entry != end; entry.increment(failure)) {
      names.push_back(entry->path().filename().string());
    }
    if (failure) return errno_error("reading " + path, failure.value());
    std::sort(names.begin(), names.end());
    chain_.push_back(real);
    for (const auto& name : names) DRYDOCK_TRY(visit(path == "/" ? "/" + name : path + "/" + name));
    chain_.pop_back();
    return {};
  }

  const FileGlob& glob_;
  const FileGlobOptions& options_;
  std::vector<std::string> chain_;  // directories on the way here, links resolved
  std::vector<std::string> found_;
};

Result<std::vector<std::string>> FileGlob::find() const {
  Walk walk(*this);
  for (const auto& path : search_paths_) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0 && errno == ENOENT) continue;
    DRYDOCK_TRY(walk.visit(path));
  }
  return walk.take();
}

}  // namespace drydock
