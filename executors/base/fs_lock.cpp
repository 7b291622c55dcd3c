#include <fcntl.h>
#include <sys/file.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "executors/base/fs.h"

namespace drydock {
namespace {

enum class Waiting { wait, try_once };

/// A negative value means that another holds the lock.
Result<int> lock_file(const std::string& path, LockMode mode, Waiting waiting) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return errno_error("cannot open the lock " + path, errno);
  const int operation =
      (mode == LockMode::shared ? LOCK_SH : LOCK_EX) | (waiting == Waiting::try_once ? LOCK_NB : 0);
  while (::flock(fd, operation) != 0) {
    if (errno == EINTR) continue;
    const int why = errno;
    ::close(fd);
    if (why == EWOULDBLOCK) return -1;
    return errno_error("cannot lock " + path, why);
  }
  return fd;
}

}  // namespace

Result<FileLock> FileLock::acquire(const std::string& path, LockMode mode) {
  DRYDOCK_ASSIGN(const int fd, lock_file(path, mode, Waiting::wait));
  return FileLock(fd);
}

Result<std::optional<FileLock>> FileLock::try_acquire(const std::string& path, LockMode mode) {
  DRYDOCK_ASSIGN(const int fd, lock_file(path, mode, Waiting::try_once));
  if (fd < 0) return std::optional<FileLock>();
  return std::optional<FileLock>(FileLock(fd));
}

FileLock::~FileLock() {
  if (fd_ >= 0) ::close(fd_);
}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  if (this != &other) std::swap(fd_, other.fd_);
  return *this;
}

Result<std::vector<std::string>> list_xattrs(const std::string& path) {
  std::vector<std::string> names;
  std::string buffer;
  for (;;) {
    const auto size = ::llistxattr(path.c_str(), nullptr, 0);
    if (size < 0) {
      if (errno == ENOTSUP) return names;
      return errno_error("cannot list the extended attributes of " + path, errno);
    }
    buffer.resize(static_cast<std::size_t>(size));
    const auto got = ::llistxattr(path.c_str(), buffer.data(), buffer.size());
    if (got < 0 && errno == ERANGE) continue;  // one was added meanwhile
    if (got < 0) return errno_error("cannot list the extended attributes of " + path, errno);
    buffer.resize(static_cast<std::size_t>(got));
    break;
  }
  for (std::size_t start = 0; start < buffer.size();) {
    names.emplace_back(buffer.c_str() + start);
    start += names.back().size() + 1;
  }
  return names;
}

Result<std::optional<std::string>> get_xattr(const std::string& path, const std::string& name) {
  std::string value(256, '\0');
  for (;;) {
    const auto size = ::lgetxattr(path.c_str(), name.c_str(), value.data(), value.size());
    if (size >= 0) {
      value.resize(static_cast<std::size_t>(size));
      return std::optional<std::string>(std::move(value));
    }
    if (errno == ENODATA || errno == ENOTSUP) return std::optional<std::string>();
    if (errno != ERANGE) return errno_error("cannot read the attribute " + name + " of " + path, errno);
    value.resize(value.size() * 4);
  }
}

Status set_xattr(const std::string& path, const std::string& name, std::string_view value) {
  if (::lsetxattr(path.c_str(), name.c_str(), value.data(), value.size(), 0) == 0) return {};
  return errno_error("cannot set the attribute " + name + " of " + path, errno);
}

Status remove_xattr(const std::string& path, const std::string& name) {
  if (::lremovexattr(path.c_str(), name.c_str()) == 0 || errno == ENODATA) return {};
  return errno_error("cannot remove the attribute " + name + " of " + path, errno);
}

}  // namespace drydock
