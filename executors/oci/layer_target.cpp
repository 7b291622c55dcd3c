#include "executors/oci/layer_target.h"

#include "executors/oci/layer_xattr.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <deque>
#include <utility>

namespace drydock::oci {
namespace {

constexpr int k_directory_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
constexpr std::size_t k_open_limit = 200;
constexpr int k_link_limit = 40;

/// Puts the components of a path before what is to be resolved already.
void prepend(std::deque<std::string>& pending, std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    auto slash = std::min(path.find('/'), path.size());
    auto part = path.substr(0, slash);
    if (!part.empty() && part != ".") parts.emplace_back(part);
    path.remove_prefix(std::min(path.size(), slash + 1));
  }
  pending.insert(pending.begin(), parts.begin(), parts.end());
}

Result<std::string> link_text(int parent, const std::string& name) {
  char text[4096];
  auto size = ::readlinkat(parent, name.c_str(), text, sizeof text);
  if (size < 0) return errno_error("read link " + name, errno);
  return std::string(text, static_cast<std::size_t>(size));
}

std::string joined(const std::string& directory, const std::string& name) {
  return directory.empty() ? name : directory + "/" + name;
}

Status remove_at(int parent, const std::string& name, bool directory) {
  if (!directory) {
    return ::unlinkat(parent, name.c_str(), 0) == 0 ? Status() : errno_error("remove " + name, errno);
  }
  int fd = ::openat(parent, name.c_str(), k_directory_flags);
  DIR* listing = fd < 0 ? nullptr : ::fdopendir(fd);
  if (!listing) return errno_error("open " + name, errno);
  Status status;
  while (auto* entry = ::readdir(listing)) {
    std::string child = entry->d_name;
    if (child == "." || child == "..") continue;
    struct stat found {};
    bool is_directory = ::fstatat(fd, child.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(found.st_mode);
    status = remove_at(fd, child, is_directory);
    if (!status.ok()) break;
  }
  ::closedir(listing);
  if (status.ok() && ::unlinkat(parent, name.c_str(), AT_REMOVEDIR) != 0) return errno_error("remove " + name, errno);
  return status;
}

Status copy_metadata(int from, int to, const struct stat& status, SnapshotFormat format, const std::string& path) {
  if (::fchown(to, status.st_uid, status.st_gid) != 0) return errno_error("chown " + path, errno);
  DRYDOCK_ASSIGN(auto xattrs, read_xattrs(from, format, path));
  for (const auto& [name, value] : xattrs.layer) {
    if (::fsetxattr(to, name.c_str(), value.data(), value.size(), 0) != 0) {
      return errno_error("set attribute " + name + " of " + path, errno);
    }
  }
  if (::fchmod(to, status.st_mode & 07777) != 0) return errno_error("chmod " + path, errno);
  return {};
}

Status copy_content(int from, int to, off_t size, const std::string& path) {
  while (size > 0) {
    auto count = ::copy_file_range(from, nullptr, to, nullptr, static_cast<std::size_t>(size), 0);
    if (count < 0 && (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP)) {
      count = ::sendfile(to, from, nullptr, static_cast<std::size_t>(size));
    }
    if (count < 0) return errno_error("copy " + path, errno);
    if (count == 0) break;
    size -= count;
  }
  return {};
}

}  // namespace

LayerTarget::LayerTarget(int root, const std::vector<std::string>& lower, SnapshotFormat format)
    : root_(root), format_(format), lower_(lower, format) {}

LayerTarget::LayerTarget(LayerTarget&& other) noexcept
    : root_(std::exchange(other.root_, -1)), format_(other.format_), lower_(std::move(other.lower_)),
      open_(std::exchange(other.open_, {})), times_(std::move(other.times_)) {}

LayerTarget::~LayerTarget() {
  forget();
  if (root_ >= 0) ::close(root_);
}

Result<LayerTarget> LayerTarget::open(const std::string& directory, const std::vector<std::string>& lower,
                                      SnapshotFormat format) {
  int root = ::open(directory.c_str(), k_directory_flags);
  if (root < 0) return errno_error("open " + directory, errno);
  return LayerTarget(root, lower, format);
}

void LayerTarget::forget() {
  for (auto& [path, fd] : open_) ::close(fd);
  open_.clear();
  last_fd_ = -1;
}

Result<LayerTarget::Slot> LayerTarget::locate(const std::string& path) {
  auto end = path.find_last_not_of('/');
  auto trimmed = end == std::string::npos ? std::string() : path.substr(0, end + 1);
  auto slash = trimmed.rfind('/');
  auto parent = slash == std::string::npos ? std::string() : trimmed.substr(0, slash);
  auto name = trimmed.substr(slash == std::string::npos ? 0 : slash + 1);
  if (name == ".." || name == ".") {
    // Seen as "./" for the root; anything else of the kind is made to confuse.
    if (trimmed.find_first_not_of("./") != std::string::npos) {
      return make_error(ErrorCode::invalid_input, "layer entry " + path + " has no name of its own");
    }
    name.clear();
    parent.clear();
  }
  if (last_fd_ >= 0 && parent == last_parent_) return Slot{last_fd_, name, last_directory_};

  if (open_.size() > k_open_limit) forget();
  std::deque<std::string> pending;
  prepend(pending, parent);
  std::vector<std::string> trail;  // path of each directory entered below the root
  int fd = root_, links = 0;
  while (!pending.empty()) {
    auto part = std::move(pending.front());
    pending.pop_front();
    if (part == "..") {
      if (!trail.empty()) trail.pop_back();
      fd = trail.empty() ? root_ : open_.at(trail.back());
      continue;
    }
    auto directory = trail.empty() ? std::string() : trail.back();
    std::string link;
    DRYDOCK_ASSIGN(int next, enter(fd, directory, part, link));
    if (next < 0) {
      if (++links > k_link_limit) {
        return make_error(ErrorCode::invalid_input, "layer entry " + path + " lies behind too many symbolic links");
      }
      if (link.starts_with('/')) {
        trail.clear();
        fd = root_;
      }
      prepend(pending, link);
      continue;
    }
    fd = next;
    trail.push_back(joined(directory, part));
  }
  last_parent_ = parent;
  last_directory_ = trail.empty() ? "" : trail.back();
  last_fd_ = fd;
  return Slot{fd, name, last_directory_};
}

/// The directory's descriptor, kept open; or -1 and the text of the link that stands there.
Result<int> LayerTarget::enter(int parent, const std::string& directory, const std::string& name,
                               std::string& link) {
  auto path = joined(directory, name);
  if (auto known = open_.find(path); known != open_.end()) return known->second;
  int fd = ::openat(parent, name.c_str(), k_directory_flags);
  if (fd < 0) {
    int code = errno;
    struct stat status {};
    bool there = ::fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
    if (there && S_ISLNK(status.st_mode)) {
      DRYDOCK_ASSIGN(link, link_text(parent, name));
      return -1;
    }
    if (there && !is_whiteout(status)) {
      if (S_ISDIR(status.st_mode)) return errno_error("open " + path, code);
      return make_error(ErrorCode::invalid_input, "the layer has entries below " + path + ", which is no directory");
    }
    DRYDOCK_ASSIGN(fd, make_parent(parent, path, name, link));
    if (fd < 0) return -1;
  }
  open_.emplace(path, fd);
  return fd;
}

Result<int> LayerTarget::make_parent(int parent, const std::string& path, const std::string& name,
                                     std::string& link) {
  struct stat status {};
  bool hidden = ::fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;  // by a whiteout made just now
  auto below = lower_.lookup(path);
  if (!hidden && below && S_ISLNK(below->status.st_mode)) {
    DRYDOCK_ASSIGN(link, link_text(AT_FDCWD, below->path));
    return -1;
  }
  if (hidden) DRYDOCK_TRY(remove_at(parent, name, false));
  if (::mkdirat(parent, name.c_str(), 0755) != 0) return errno_error("make directory " + path, errno);
  int fd = ::openat(parent, name.c_str(), k_directory_flags);
  if (fd < 0) return errno_error("open " + path, errno);
  bool merged = below && S_ISDIR(below->status.st_mode);
  Status done;
  if (merged && !hidden) {
    int from = ::open(below->path.c_str(), k_directory_flags);
    done = from < 0 ? errno_error("open " + below->path, errno)
                    : copy_metadata(from, fd, below->status, format_, path);
    if (from >= 0) ::close(from);
    set_time_later(path, below->status.st_mtim);
  } else {
    if (::fchmod(fd, 0755) != 0) done = errno_error("chmod " + path, errno);
    if (merged && ::fsetxattr(fd, opaque_name(format_), "y", 1, 0) != 0) done = errno_error("mark " + path, errno);
    set_time_later(path, {});  // the archive names none; a fixed one, so that two machines agree
  }
  if (!done.ok()) {
    ::close(fd);
    return std::move(done).error();
  }
  return fd;
}

bool LayerTarget::look(const Slot& slot, struct stat& status) const {
  return ::fstatat(slot.parent, slot.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
}

Status LayerTarget::clear(const Slot& slot, const struct stat& status) {
  bool directory = S_ISDIR(status.st_mode);
  DRYDOCK_TRY(remove_at(slot.parent, slot.name, directory));
  // What was resolved through it is no longer so; the slot's own parent stays valid.
  if (directory) {
    auto path = slot.path();
    for (auto it = open_.begin(); it != open_.end();) {
      bool inside = it->first == path || it->first.starts_with(path + "/");
      if (inside) ::close(it->second);
      it = inside ? open_.erase(it) : std::next(it);
    }
    std::erase_if(times_, [&](const auto& item) { return item.first == path || item.first.starts_with(path + "/"); });
  }
  if (directory || S_ISLNK(status.st_mode)) last_fd_ = -1;
  return {};
}

Status LayerTarget::copy_up(const Slot& slot) {
  auto path = slot.path();
  auto below = lower_.lookup(path);
  if (!below || S_ISDIR(below->status.st_mode)) {
    return make_error(ErrorCode::not_found, "there is no file " + path + " to link to");
  }
  const auto& status = below->status;
  if (S_ISLNK(status.st_mode)) {
    DRYDOCK_ASSIGN(auto text, link_text(AT_FDCWD, below->path));
    if (::symlinkat(text.c_str(), slot.parent, slot.name.c_str()) != 0 ||
        ::fchownat(slot.parent, slot.name.c_str(), status.st_uid, status.st_gid, AT_SYMLINK_NOFOLLOW) != 0) {
      return errno_error("copy link " + path, errno);
    }
  } else if (!S_ISREG(status.st_mode)) {
    if (::mknodat(slot.parent, slot.name.c_str(), status.st_mode, status.st_rdev) != 0 ||
        ::fchownat(slot.parent, slot.name.c_str(), status.st_uid, status.st_gid, AT_SYMLINK_NOFOLLOW) != 0 ||
        ::fchmodat(slot.parent, slot.name.c_str(), status.st_mode & 07777, 0) != 0) {
      return errno_error("copy " + path, errno);
    }
  } else {
    int from = ::open(below->path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (from < 0) return errno_error("open " + below->path, errno);
    int to = ::openat(slot.parent, slot.name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    auto done = to < 0 ? Status(errno_error("create " + path, errno)) : copy_content(from, to, status.st_size, path);
    if (done.ok()) done = copy_metadata(from, to, status, format_, path);
    ::close(from);
    if (to >= 0) ::close(to);
    if (!done.ok()) return done;
  }
  struct timespec times[2] = {status.st_atim, status.st_mtim};
  ::utimensat(slot.parent, slot.name.c_str(), times, AT_SYMLINK_NOFOLLOW);
  return {};
}

Result<int> LayerTarget::open_directory(const Slot& slot) const {
  int fd = slot.name.empty() ? ::fcntl(root_, F_DUPFD_CLOEXEC, 0)
                             : ::openat(slot.parent, slot.name.c_str(), k_directory_flags);
  if (fd < 0) return errno_error("open " + slot.path(), errno);
  return fd;
}

Status LayerTarget::make_opaque(const Slot& directory) {
  DRYDOCK_ASSIGN(int fd, open_directory(directory));
  int code = ::fsetxattr(fd, opaque_name(format_), "y", 1, 0) == 0 ? 0 : errno;
  ::close(fd);
  return code ? errno_error("mark directory " + directory.path() + " as opaque", code) : Status();
}

void LayerTarget::set_time_later(const std::string& directory, const struct timespec& mtime) {
  times_[directory] = mtime;
}

Status LayerTarget::set_times() {
  for (const auto& [path, mtime] : times_) {
    DRYDOCK_ASSIGN(auto slot, locate(path));
    DRYDOCK_ASSIGN(int fd, open_directory(slot));
    struct timespec times[2] = {mtime, mtime};
    int code = ::futimens(fd, times) == 0 ? 0 : errno;
    ::close(fd);
    if (code) return errno_error("set the time of " + path, code);
  }
  times_.clear();
  return {};
}

}  // namespace drydock::oci
