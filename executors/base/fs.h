#pragma once
// Files and directories: whole-file reads, durable atomic writes, removal, temporary directories, locks,
// extended attributes, and joining of untrusted paths. No state; functions may be called from any thread.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "executors/base/result.h"

namespace drydock {

Result<std::string> read_file(const std::string& path);
/// Nothing when the file does not exist.
Result<std::optional<std::string>> read_file_if_exists(const std::string& path);

enum class Durability { durable, relaxed };
/// Writes beside `path` and renames over it: readers see the old text or the new one. `durable` syncs the
/// file before the rename and the directory after it. The mode is set exactly, whatever the umask.
Status write_file_atomic(const std::string& path, std::string_view bytes, unsigned mode = 0644,
                         Durability durability = Durability::durable);
Status sync_directory(const std::string& directory);

/// Like mkdir -p; an existing directory is a success.
Status make_directories(const std::string& path, unsigned mode = 0755);
/// Removes a file or tree, also below directories without write permission; follows no link. Absent is a
/// success.
Status remove_tree(const std::string& path);
bool exists(const std::string& path);  // a dangling link exists
bool is_directory(const std::string& path);

/// Removed with its contents at the end of its life.
class TempDir {
 public:
  /// A fresh directory, mode 0700, in `parent`, or in $TMPDIR or /tmp when empty.
  static Result<TempDir> create(const std::string& parent = {}, std::string_view prefix = "drydock-");
  ~TempDir();
  TempDir(TempDir&& other) noexcept : path_(std::move(other.path_)) { other.path_.clear(); }
  TempDir& operator=(TempDir&& other) noexcept;

  const std::string& path() const { return path_; }
  /// Leaves the directory in place; returns its path.
  std::string keep();

 private:
  explicit TempDir(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

enum class LockMode { shared, exclusive };
/// flock(2) on a file of its own, held for the object's life and given back by the kernel at a crash.
class FileLock {
 public:
  /// Waits for it; makes the file when absent.
  static Result<FileLock> acquire(const std::string& path, LockMode mode = LockMode::exclusive);
  /// Nothing when another holds it.
  static Result<std::optional<FileLock>> try_acquire(const std::string& path,
                                                     LockMode mode = LockMode::exclusive);
  ~FileLock();
  FileLock(FileLock&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  FileLock& operator=(FileLock&& other) noexcept;

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

// Extended attributes of the path itself, never of a link's target.
Result<std::vector<std::string>> list_xattrs(const std::string& path);
Result<std::optional<std::string>> get_xattr(const std::string& path, const std::string& name);
Status set_xattr(const std::string& path, const std::string& name, std::string_view value);
Status remove_xattr(const std::string& path, const std::string& name);

/// "/a/./b//../c" → "/a/c", lexically; a relative path stays relative and may begin with "..".
std::string normal_path(std::string_view path);
/// `root` joined with an untrusted path, an absolute one taken as relative to root. One that leads outside by
/// ".." or holds a NUL byte is invalid_input. Lexical: links are not looked at.
Result<std::string> join_inside(const std::string& root, std::string_view untrusted);
/// Like join_inside, and resolves links as if `root` were "/": the result lies inside root whatever the links
/// say. The last parts need not exist. Only for trees that nobody changes meanwhile.
Result<std::string> resolve_inside(const std::string& root, std::string_view untrusted);

}  // namespace drydock
