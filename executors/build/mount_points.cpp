#include "executors/build/mount_points.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace drydock::build {

namespace {

std::pair<std::string, std::string> split(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return {"", path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

timespec modified(int fd) {
  struct stat st {};
  ::fstat(fd, &st);
  return st.st_mtim;
}

bool same(const timespec& a, const timespec& b) { return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec; }

void set_modified(int fd, const timespec& time) {
  timespec keep{};
  keep.tv_nsec = UTIME_OMIT;
  const timespec times[2] = {keep, time};
  ::futimens(fd, times);
}

}  // namespace

Result<MountPoints> MountPoints::open(const std::filesystem::path& root) {
  OwnedFd fd(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return errno_error(root.string(), errno);
  return MountPoints(std::move(fd));
}

Status MountPoints::need(const std::string& raw, Kind kind) {
  const auto path = clean_relative(raw);
  if (path.empty() || OwnedFd(open_in_root(root_.get(), path, O_PATH)).valid()) return {};
  const auto [parent_path, name] = split(path);
  if (!parent_path.empty()) DRYDOCK_TRY(need(parent_path, Kind::directory));
  const OwnedFd parent(open_in_root(root_.get(), parent_path, O_RDONLY | O_DIRECTORY));
  if (!parent.valid()) return errno_error("mount point \"/" + path + "\"", errno);
  Made made{path, kind, modified(parent.get()), {}};
  if (kind == Kind::directory) {
    if (::mkdirat(parent.get(), name.c_str(), 0755) != 0) return errno_error("mount point \"/" + path + "\"", errno);
  } else {
    const OwnedFd file(::openat(parent.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (!file.valid()) return errno_error("mount point \"/" + path + "\"", errno);
  }
  made.parent_after = modified(parent.get());
  made_.push_back(std::move(made));
  return {};
}

MountPoints::~MountPoints() {
  for (auto it = made_.rbegin(); it != made_.rend(); ++it) {
    const auto [parent_path, name] = split(it->path);
    const OwnedFd parent(open_in_root(root_.get(), parent_path, O_RDONLY | O_DIRECTORY));
    if (!parent.valid()) continue;
    const bool untouched = same(modified(parent.get()), it->parent_after);
    struct stat st {};
    if (::fstatat(parent.get(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) continue;
    bool removed = false;
    if (it->kind == Kind::directory) {
      removed = S_ISDIR(st.st_mode) && ::unlinkat(parent.get(), name.c_str(), AT_REMOVEDIR) == 0;
    } else {
      removed = S_ISREG(st.st_mode) && st.st_size == 0 && ::unlinkat(parent.get(), name.c_str(), 0) == 0;
    }
    if (removed && untouched) set_modified(parent.get(), it->parent_before);
  }
}

}  // namespace drydock::build
