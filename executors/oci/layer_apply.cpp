#include "executors/oci/layer_apply.h"

#include "executors/base/owned_fd.h"
#include "executors/oci/layer_xattr.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>

namespace drydock::oci {
namespace {

constexpr std::string_view k_whiteout = ".wh.";
constexpr std::string_view k_opaque = ".wh..wh..opq";

Status write_all(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    auto count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error("write " + path, errno);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

struct timespec time_of(const TarEntry& entry) { return {entry.mtime, entry.mtime_ns}; }

mode_t type_bits(TarType type) {
  if (type == TarType::char_device) return S_IFCHR;
  return type == TarType::block_device ? S_IFBLK : S_IFIFO;
}

}  // namespace

Result<std::size_t> LayerUnpacker::unpack(TarReader& tar, const std::stop_token& stop) {
  std::size_t count = 0;
  for (;;) {
    if (stop.stop_requested()) return make_error(ErrorCode::cancelled, "unpacking the layer was cancelled");
    DRYDOCK_ASSIGN(auto entry, tar.next());
    if (!entry) break;
    ++count;
    if (auto placed = place(tar, *entry); !placed) return std::move(placed).error().while_("unpacking " + entry->path);
  }
  DRYDOCK_TRY(target_.set_times());
  return count;
}

Status LayerUnpacker::place(TarReader& tar, const TarEntry& entry) {
  if (entry.type == TarType::hard_link) return place_hard_link(entry);
  DRYDOCK_ASSIGN(auto slot, target_.locate(entry.path));
  if (slot.name.empty()) return place_root(entry);
  if (slot.name.starts_with(k_whiteout)) {
    return place_whiteout(slot, std::string_view(slot.name).substr(k_whiteout.size()));
  }
  switch (entry.type) {
    case TarType::directory: return place_directory(slot, entry);
    case TarType::file: return place_file(slot, entry, tar);
    case TarType::symlink: return place_symlink(slot, entry);
    default: return place_special(slot, entry);
  }
}

/// Whiteouts are about the layers below alone, in whatever order the archive has them.
Status LayerUnpacker::place_whiteout(const Slot& slot, std::string_view hidden) {
  if (slot.name == k_opaque) {
    auto below = target_.lower().lookup(slot.directory);
    if (!below || !S_ISDIR(below->status.st_mode)) return {};
    if (slot.directory.empty()) return target_.make_opaque(Slot{slot.parent, "", ""});
    DRYDOCK_ASSIGN(auto directory, target_.locate(slot.directory));
    return target_.make_opaque(directory);
  }
  if (hidden.starts_with(k_whiteout)) return {};  // aufs's own bookkeeping
  if (hidden.empty() || hidden == "." || hidden == "..") {
    return make_error(ErrorCode::invalid_input, "a whiteout that names nothing");
  }
  Slot victim{slot.parent, std::string(hidden), slot.directory};
  auto below = target_.lower().lookup(victim.path());
  if (!below) return {};
  struct stat status {};
  if (target_.look(victim, status)) {
    bool merged = S_ISDIR(status.st_mode) && S_ISDIR(below->status.st_mode);
    return merged ? target_.make_opaque(victim) : Status();
  }
  if (::mknodat(victim.parent, victim.name.c_str(), S_IFCHR, makedev(0, 0)) != 0) {
    return errno_error("make whiteout of " + victim.path(), errno);
  }
  return {};
}

Result<bool> LayerUnpacker::make_room(const Slot& slot, bool for_directory) {
  struct stat status {};
  if (!target_.look(slot, status)) return false;
  bool directory = S_ISDIR(status.st_mode);
  if (!(directory && for_directory)) DRYDOCK_TRY(target_.clear(slot, status));
  return !directory;
}

Status LayerUnpacker::set_metadata(int fd, const TarEntry& entry) {
  // The owner first: changing it takes set-id bits and capabilities away.
  if (::fchown(fd, entry.uid, entry.gid) != 0) {
    auto error = errno_error("chown to " + std::to_string(entry.uid) + ":" + std::to_string(entry.gid), errno);
    if (errno == EINVAL) error.mend = "give this user more subordinate ids in /etc/subuid and /etc/subgid";
    return error;
  }
  for (const auto& [name, value] : entry.xattrs) {
    if (!is_layer_xattr(name)) {
      note_once("left out attribute " + name);
      continue;
    }
    auto form = layer_form(name, value);
    if (::fsetxattr(fd, name.c_str(), form.data(), form.size(), 0) == 0) continue;
    if (errno != ENOTSUP && errno != EPERM) return errno_error("set attribute " + name, errno);
    note_once("attribute " + name + " cannot be set here");
  }
  if (::fchmod(fd, entry.mode) != 0) return errno_error("chmod", errno);
  return {};
}

Status LayerUnpacker::place_root(const TarEntry& entry) {
  if (entry.type != TarType::directory) {
    return make_error(ErrorCode::invalid_input, "an entry takes the place of the root directory");
  }
  DRYDOCK_ASSIGN(int fd, target_.open_directory(Slot{}));
  OwnedFd root{fd};
  target_.set_time_later("", time_of(entry));
  return set_metadata(root.get(), entry);
}

Status LayerUnpacker::place_directory(const Slot& slot, const TarEntry& entry) {
  DRYDOCK_ASSIGN(bool replaced, make_room(slot, true));
  if (::mkdirat(slot.parent, slot.name.c_str(), 0700) != 0 && errno != EEXIST) {
    return errno_error("make directory", errno);
  }
  DRYDOCK_ASSIGN(int fd, target_.open_directory(slot));
  OwnedFd directory{fd};
  DRYDOCK_TRY(set_metadata(fd, entry));
  target_.set_time_later(slot.path(), time_of(entry));
  if (!replaced) return {};
  auto below = target_.lower().lookup(slot.path());
  return below && S_ISDIR(below->status.st_mode) ? target_.make_opaque(slot) : Status();
}

Status LayerUnpacker::place_file(const Slot& slot, const TarEntry& entry, TarReader& tar) {
  auto open_new = [&] {
    return ::openat(slot.parent, slot.name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  };
  OwnedFd file{open_new()};
  if (file.get() < 0 && errno == EEXIST) {
    DRYDOCK_TRY(make_room(slot, false));
    file.reset(open_new());
  }
  if (file.get() < 0) return errno_error("create", errno);
  std::uint64_t end = 0;
  for (;;) {
    DRYDOCK_ASSIGN(auto piece, tar.read(buffer_.data(), buffer_.size()));
    if (piece.size == 0 && piece.hole == 0) break;
    end += piece.size + piece.hole;
    if (piece.hole) {
      if (::lseek(file.get(), static_cast<off_t>(piece.hole), SEEK_CUR) < 0) return errno_error("seek", errno);
    } else {
      DRYDOCK_TRY(write_all(file.get(), {buffer_.data(), piece.size}, entry.path));
    }
    if (piece.hole && ::ftruncate(file.get(), static_cast<off_t>(end)) != 0) return errno_error("extend", errno);
  }
  DRYDOCK_TRY(set_metadata(file.get(), entry));
  struct timespec times[2] = {time_of(entry), time_of(entry)};
  if (::futimens(file.get(), times) != 0) return errno_error("set the time", errno);
  return {};
}

Status LayerUnpacker::place_hard_link(const TarEntry& entry) {
  DRYDOCK_ASSIGN(auto source, target_.locate(entry.link));
  if (source.name.empty()) return make_error(ErrorCode::invalid_input, "a hard link to the root directory");
  struct stat status {};
  bool here = target_.look(source, status);
  if (here && is_whiteout(status)) return make_error(ErrorCode::invalid_input, "a hard link to a deleted file");
  if (!here) DRYDOCK_TRY(target_.copy_up(source));
  if (here && S_ISDIR(status.st_mode)) return make_error(ErrorCode::invalid_input, "a hard link to a directory");
  // Finding the other end may close this one.
  OwnedFd source_parent{::fcntl(source.parent, F_DUPFD_CLOEXEC, 0)};
  DRYDOCK_ASSIGN(auto slot, target_.locate(entry.path));
  if (slot.name.empty()) return make_error(ErrorCode::invalid_input, "a hard link in place of the root directory");
  if (slot.name.starts_with(k_whiteout)) {
    return make_error(ErrorCode::invalid_input, "a whiteout that is a hard link");
  }
  if (slot.path() == source.path()) return {};
  DRYDOCK_TRY(make_room(slot, false));
  if (::linkat(source_parent.get(), source.name.c_str(), slot.parent, slot.name.c_str(), 0) != 0) {
    return errno_error("link to " + entry.link, errno);
  }
  return {};
}

Status LayerUnpacker::place_symlink(const Slot& slot, const TarEntry& entry) {
  DRYDOCK_TRY(make_room(slot, false));
  const char* name = slot.name.c_str();
  if (::symlinkat(entry.link.c_str(), slot.parent, name) != 0) return errno_error("make the link", errno);
  if (::fchownat(slot.parent, name, entry.uid, entry.gid, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno_error("chown", errno);
  }
  struct timespec times[2] = {time_of(entry), time_of(entry)};
  if (::utimensat(slot.parent, name, times, AT_SYMLINK_NOFOLLOW) != 0) return errno_error("set the time", errno);
  return {};
}

Status LayerUnpacker::place_special(const Slot& slot, const TarEntry& entry) {
  auto device = makedev(entry.device_major, entry.device_minor);
  if (entry.type == TarType::char_device && device == 0) {
    // It would be a whiteout here, and stands for nothing elsewhere.
    note_once("skipped device node " + slot.path() + ": it has the numbers 0:0");
    return {};
  }
  DRYDOCK_TRY(make_room(slot, false));
  const char* name = slot.name.c_str();
  if (::mknodat(slot.parent, name, type_bits(entry.type) | 0600, device) != 0) {
    if (errno != EPERM) return errno_error("make the device node", errno);
    note_once("skipped device node " + slot.path() + ": not permitted");
    return {};
  }
  if (::fchownat(slot.parent, name, entry.uid, entry.gid, AT_SYMLINK_NOFOLLOW) != 0 ||
      ::fchmodat(slot.parent, name, entry.mode, 0) != 0) {
    return errno_error("set the owner", errno);
  }
  struct timespec times[2] = {time_of(entry), time_of(entry)};
  if (::utimensat(slot.parent, name, times, AT_SYMLINK_NOFOLLOW) != 0) return errno_error("set the time", errno);
  return {};
}

void LayerUnpacker::note_once(const std::string& text) {
  if (noted_.insert(text).second) notes_.push_back(text);
}

}  // namespace drydock::oci
