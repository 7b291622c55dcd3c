#include "executors/base/fs.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "executors/base/log.h"
#include "executors/base/owned_fd.h"
#include "executors/base/process.h"

namespace drydock {
namespace {

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Status write_all(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const auto count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error("cannot write " + path, errno);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

Status fill_and_rename(const std::string& path, const std::string& temporary, std::string_view bytes,
                       unsigned mode, Durability durability) {
  OwnedFd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (fd.get() < 0) return errno_error("cannot create " + temporary, errno);
  DRYDOCK_TRY(write_all(fd.get(), bytes, temporary));
  if (::fchmod(fd.get(), mode) != 0) return errno_error("cannot set the mode of " + temporary, errno);
  if (durability == Durability::durable && ::fsync(fd.get()) != 0)
    return errno_error("cannot sync " + temporary, errno);
  if (::rename(temporary.c_str(), path.c_str()) != 0) return errno_error("cannot replace " + path, errno);
  return {};
}

/// Removes what lies below the directory `fd`, which is closed at the end.
Status remove_contents(int fd, const std::string& path);

Status remove_entry(int parent, const char* name, const std::string& path) {
  if (::unlinkat(parent, name, 0) == 0 || errno == ENOENT) return {};
  if (errno != EISDIR && errno != EPERM) return errno_error("cannot remove " + path, errno);
  int fd = ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0 && errno == EACCES && ::fchmodat(parent, name, 0700, 0) == 0) {
    fd = ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  }
  if (fd < 0) return errno_error("cannot remove " + path, errno == ENOTDIR ? EPERM : errno);
  DRYDOCK_TRY(remove_contents(fd, path));
  if (::unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return {};
  return errno_error("cannot remove " + path, errno);
}

Status remove_contents(int fd, const std::string& path) {
  struct stat info {};
  if (::fstat(fd, &info) == 0 && (info.st_mode & 0700) != 0700) ::fchmod(fd, 0700);
  DIR* directory = ::fdopendir(fd);
  if (!directory) {
    const int why = errno;
    ::close(fd);
    return errno_error("cannot list " + path, why);
  }
  Status status;
  while (status.ok()) {
    const dirent* entry = ::readdir(directory);
    if (!entry) break;
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    status = remove_entry(::dirfd(directory), entry->d_name, path + "/" + entry->d_name);
  }
  ::closedir(directory);
  return status;
}

}  // namespace

Result<std::optional<std::string>> read_file_if_exists(const std::string& path) {
  OwnedFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::optional<std::string>();
    return errno_error("cannot read " + path, errno);
  }
  struct stat info {};
  std::string text;
  if (::fstat(fd.get(), &info) == 0 && info.st_size > 0)
    text.reserve(static_cast<std::size_t>(info.st_size) + 1);
  char buffer[64 * 1024];
  for (;;) {
    const auto count = ::read(fd.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error("cannot read " + path, errno);
    if (count == 0) return std::optional<std::string>(std::move(text));
    text.append(buffer, static_cast<std::size_t>(count));
  }
}

Result<std::string> read_file(const std::string& path) {
  DRYDOCK_ASSIGN(auto text, read_file_if_exists(path));
  if (!text) return errno_error("cannot read " + path, ENOENT);
  return std::move(*text);
}

Status sync_directory(const std::string& directory) {
  OwnedFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) return errno_error("cannot open " + directory, errno);
  // Some file systems cannot sync a directory and say so; there is nothing more to be done then.
  if (::fsync(fd.get()) != 0 && errno != EINVAL) return errno_error("cannot sync " + directory, errno);
  return {};
}

Status write_file_atomic(const std::string& path, std::string_view bytes, unsigned mode,
                         Durability durability) {
  static std::atomic<unsigned> counter{0};
  const auto temporary = path + ".tmp-" + process_token() + "-" + std::to_string(counter++);
  auto status = fill_and_rename(path, temporary, bytes, mode, durability);
  if (!status.ok()) {
    ::unlink(temporary.c_str());
    return status;
  }
  if (durability == Durability::durable) return sync_directory(parent_of(path));
  return {};
}

Status make_directories(const std::string& path, unsigned mode) {
  if (path.empty() || is_directory(path)) return {};
  if (::mkdir(path.c_str(), mode) == 0) return {};
  if (errno == ENOENT) {
    const auto parent = parent_of(path);
    if (parent != path) DRYDOCK_TRY(make_directories(parent, mode));
    if (::mkdir(path.c_str(), mode) == 0) return {};
  }
  const int why = errno;
  if (is_directory(path)) return {};
  return errno_error("cannot make the directory " + path, why);
}

Status remove_tree(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return {};
    return errno_error("cannot remove " + path, errno);
  }
  return remove_entry(AT_FDCWD, path.c_str(), path);
}

bool exists(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0;
}

bool is_directory(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

Result<TempDir> TempDir::create(const std::string& parent, std::string_view prefix) {
  std::string base = parent;
  if (base.empty()) {
    const char* wanted = std::getenv("TMPDIR");
    base = wanted && *wanted ? wanted : "/tmp";
  }
  std::string path = base + "/" + std::string(prefix) + "XXXXXX";
  if (!::mkdtemp(path.data())) return errno_error("cannot make a temporary directory in " + base, errno);
  return TempDir(std::move(path));
}

TempDir::~TempDir() {
  if (path_.empty()) return;
  if (auto status = remove_tree(path_); !status.ok()) log_warn(status.error().to_string());
}

TempDir& TempDir::operator=(TempDir&& other) noexcept {
  if (this != &other) std::swap(path_, other.path_);
  return *this;
}

std::string TempDir::keep() {
  std::string path;
  std::swap(path, path_);
  return path;
}

}  // namespace drydock
