#pragma once
// FileTree: a directory that COPY and ADD read from (the build context, a named context, a stage's root file
// system), with everything outside it unreachable: symbolic links resolve inside the root.
// Read-only and thread-safe after open().

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <utility>
#include <utility>
#include <string>
#include <vector>

#include "executors/base/owned_fd.h"
#include "executors/base/result.h"

namespace drydock::build {

struct TreeEntry {
  std::string path;  // relative to where the walk began; "" is the start itself
  std::string link;  // target of a symbolic link
  std::uint32_t mode = 0;  // type and permission bits
  std::uint32_t uid = 0, gid = 0;
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0, ctime_ns = 0;
  std::uint64_t device = 0, inode = 0, rdev = 0;

  bool is_dir() const { return (mode & 0170000) == 0040000; }
  bool is_file() const { return (mode & 0170000) == 0100000; }
  bool is_symlink() const { return (mode & 0170000) == 0120000; }
};

/// Which paths (relative to the tree's root, no leading slash) are left out, as .dockerignore says.
struct PathFilter {
  std::function<bool(const std::string& path)> excluded;
  std::function<bool(const std::string& directory)> prunable;  // nothing below it can be included
};

/// openat2 with RESOLVE_IN_ROOT: `path` can not leave the directory `root_fd`. errno on failure, -1.
int open_in_root(int root_fd, const std::string& path, int flags, unsigned mode = 0);

class FileTree {
 public:
  static Result<std::shared_ptr<FileTree>> open(const std::filesystem::path& root, PathFilter filter = {});

  /// Paths that a COPY source names: itself, or what its wildcards (`*`, `?`, `[…]`, per component) match, sorted.
  /// Empty when a wildcard matches nothing; code not_found when a plain path is not there or is left out.
  Result<std::vector<std::string>> match(const std::string& pattern) const;

  /// The entry at `path` (its last link followed) and, for a directory, everything below, sorted by path; links
  /// below are not followed. Paths are relative to `path`.
  Result<std::vector<TreeEntry>> walk(const std::string& path) const;

  /// A descriptor of the entry at `path`, links followed inside the root.
  Result<OwnedFd> open_at(const std::string& path, int flags) const;

  /// `path` with its symbolic links resolved inside the root: what the walk really reads.
  Result<std::string> resolve(const std::string& path) const;

  const std::filesystem::path& root() const { return root_; }
  bool has_filter() const { return static_cast<bool>(filter_.excluded); }

 private:
  FileTree(std::filesystem::path root, PathFilter filter, OwnedFd fd);
  Status walk_directory(int directory_fd, const std::string& full, const std::string& relative,
                        std::vector<TreeEntry>& entries) const;
  bool excluded(const std::string& path) const { return filter_.excluded && !path.empty() && filter_.excluded(path); }

  std::filesystem::path root_;
  PathFilter filter_;
  OwnedFd fd_;
};

/// "a//b/./c/" → "a/b/c"; ".." never climbs above the start; "" for the root.
std::string clean_relative(const std::string& path);

}  // namespace drydock::build
