#include "executors/oci/layer_diff.h"

#include "executors/base/owned_fd.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace drydock::oci {
namespace {

constexpr int k_open_directory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

std::string path_below(const std::string& directory, const std::string& name) {
  return directory.empty() ? name : directory + "/" + name;
}

Result<std::vector<std::string>> sorted_names(int fd, const std::string& path) {
  int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
  DIR* listing = copy < 0 ? nullptr : ::fdopendir(copy);
  if (!listing) return errno_error("list " + path, errno);
  std::vector<std::string> names;
  while (auto* entry = ::readdir(listing)) {
    std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  ::closedir(listing);
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::uint32_t> container_id(const std::vector<IdRange>& ranges, std::uint32_t id, const std::string& path) {
  if (ranges.empty()) return id;
  for (const auto& range : ranges) {
    if (id >= range.host && id - range.host < range.count) return range.container + (id - range.host);
  }
  return make_error(ErrorCode::unsupported, path + " belongs to id " + std::to_string(id) +
                                                ", which the build's id map does not have");
}

Result<bool> same_content(int a, int b, const std::string& path) {
  std::string left(128 << 10, '\0'), right(128 << 10, '\0');
  off_t at = 0;
  for (;;) {
    auto got = ::pread(a, left.data(), left.size(), at);
    auto other = ::pread(b, right.data(), right.size(), at);
    if (got < 0 || other < 0) return errno_error("read " + path, errno);
    if (got != other || std::memcmp(left.data(), right.data(), static_cast<std::size_t>(got)) != 0) return false;
    if (got == 0) return true;
    at += got;
  }
}

bool same_header(const TarEntry& a, const TarEntry& b) {
  return a.type == b.type && a.link == b.link && a.mode == b.mode && a.uid == b.uid && a.gid == b.gid &&
         a.mtime == b.mtime && a.size == b.size && a.device_major == b.device_major &&
         a.device_minor == b.device_minor;
}

}  // namespace

Status refuse_overlay_features(const Xattrs& xattrs, const std::string& path) {
  for (const char* feature : {"metacopy", "redirect"}) {
    if (xattrs.overlay.contains(feature)) {
      return make_error(ErrorCode::unsupported, path + " was written by an overlay with " + feature + " on",
                        "mount overlays with redirect_dir=off,metacopy=off,index=off");
    }
  }
  return {};
}

Result<std::vector<PlannedEntry>> LayerPlanner::plan() {
  DRYDOCK_TRY(root());
  settle_links();
  drop_unchanged();
  return std::move(entries_);
}

Status LayerPlanner::root() {
  OwnedFd upper{::open(upper_.c_str(), k_open_directory)};
  if (upper.get() < 0) return errno_error("open " + upper_, errno);
  struct stat status {};
  if (::fstat(upper.get(), &status) != 0) return errno_error("stat " + upper_, errno);
  auto below = lower_.root();
  TarEntry before;
  before.mode = 0755;
  if (below) {
    DRYDOCK_ASSIGN(before, entry_below(*below, "./"));
  }
  PlannedEntry planned;
  DRYDOCK_ASSIGN(planned.entry, entry_of(upper.get(), "", "./", status));
  DRYDOCK_ASSIGN(auto xattrs, read_xattrs(upper.get(), options_.format, upper_));
  planned.entry.xattrs = xattrs.layer;
  planned.xattrs_read = true;
  // Its time changes with every new top-level name; other tools' layers have no entry for it either.
  const auto& entry = planned.entry;
  if (entry.mode != before.mode || entry.uid != before.uid || entry.gid != before.gid ||
      entry.xattrs != before.xattrs) {
    planned.end = 1;
    entries_.push_back(std::move(planned));
  }
  return directory(upper.get(), "", below ? below->layers : Layers());
}

Status LayerPlanner::directory(int fd, const std::string& path, const Layers& lower) {
  if (options_.stop.stop_requested()) return make_error(ErrorCode::cancelled, "making the layer was cancelled");
  DRYDOCK_ASSIGN(auto names, sorted_names(fd, path));
  for (const auto& name : names) DRYDOCK_TRY(child(fd, path_below(path, name), name, lower));
  return {};
}

Status LayerPlanner::child(int parent, const std::string& path, const std::string& name, const Layers& lower) {
  struct stat status {};
  if (::fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return errno_error("stat " + path, errno);
  if (S_ISSOCK(status.st_mode)) return {};
  auto below = lower.empty() ? std::nullopt : lower_.find(lower, path);
  if (is_whiteout(status)) {
    if (below) whiteout(path, name);
    return {};
  }
  if (name.starts_with(".wh.")) {
    return make_error(ErrorCode::unsupported, "/" + path + " cannot be in a layer: names with .wh. mean deletions",
                      "rename or remove the file in the step that makes it");
  }
  if (S_ISDIR(status.st_mode)) return subdirectory(parent, path, name, status, below);
  PlannedEntry planned;
  DRYDOCK_ASSIGN(planned.entry, entry_of(parent, name, path, status));
  if (status.st_nlink > 1) planned.inode = {status.st_dev, status.st_ino};
  DRYDOCK_ASSIGN(bool unchanged, same(parent, name, planned, below));
  planned.changed = !unchanged;
  entries_.push_back(std::move(planned));
  return {};
}

Status LayerPlanner::subdirectory(int parent, const std::string& path, const std::string& name,
                                  const struct stat& status, const std::optional<LowerChain::Found>& below) {
  OwnedFd opened{::openat(parent, name.c_str(), k_open_directory)};
  if (opened.get() < 0) return errno_error("open " + path, errno);
  DRYDOCK_ASSIGN(auto xattrs, read_xattrs(opened.get(), options_.format, path));
  DRYDOCK_TRY(refuse_overlay_features(xattrs, path));
  PlannedEntry planned;
  DRYDOCK_ASSIGN(planned.entry, entry_of(parent, name, path + "/", status));
  planned.entry.xattrs = xattrs.layer;
  planned.xattrs_read = true;
  auto opaque = xattrs.overlay.find("opaque");
  bool merges = below && S_ISDIR(below->status.st_mode);
  bool hides = merges && opaque != xattrs.overlay.end() && opaque->second == "y";
  if (merges) {
    DRYDOCK_ASSIGN(auto before, entry_below(*below, path));
    planned.changed = !same_header(planned.entry, before) || planned.entry.xattrs != before.xattrs;
  }
  auto index = entries_.size();
  entries_.push_back(std::move(planned));
  if (hides) whiteout(path + "/.wh..opq", ".wh..opq");
  DRYDOCK_TRY(directory(opened.get(), path, merges && !hides ? below->layers : Layers()));
  entries_[index].end = entries_.size();
  return {};
}

void LayerPlanner::whiteout(const std::string& path, const std::string& name) {
  PlannedEntry planned;
  planned.entry.path = path.substr(0, path.size() - name.size()) + ".wh." + name;
  planned.xattrs_read = true;
  entries_.push_back(std::move(planned));
}

Result<TarEntry> LayerPlanner::entry_of(int parent, const std::string& name, const std::string& path,
                                        const struct stat& status) const {
  TarEntry entry;
  entry.path = path;
  entry.mode = status.st_mode & 07777;
  DRYDOCK_ASSIGN(entry.uid, container_id(options_.ids.uids, status.st_uid, path));
  DRYDOCK_ASSIGN(entry.gid, container_id(options_.ids.gids, status.st_gid, path));
  entry.mtime = status.st_mtim.tv_sec;
  if (options_.clamp_mtime) entry.mtime = std::min(entry.mtime, *options_.clamp_mtime);
  switch (status.st_mode & S_IFMT) {
    case S_IFREG: entry.size = static_cast<std::uint64_t>(status.st_size); break;
    case S_IFDIR: entry.type = TarType::directory; break;
    case S_IFIFO: entry.type = TarType::fifo; break;
    case S_IFCHR: entry.type = TarType::char_device; break;
    case S_IFBLK: entry.type = TarType::block_device; break;
    case S_IFLNK: {
      entry.type = TarType::symlink;
      char text[4096];
      auto size = ::readlinkat(parent, name.c_str(), text, sizeof text);
      if (size < 0) return errno_error("read link " + path, errno);
      entry.link.assign(text, static_cast<std::size_t>(size));
      break;
    }
  }
  if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode)) {
    entry.device_major = major(status.st_rdev);
    entry.device_minor = minor(status.st_rdev);
  }
  return entry;
}

/// The lower one as this layer's tar would have it.
Result<TarEntry> LayerPlanner::entry_below(const LowerChain::Found& below, const std::string& path) const {
  DRYDOCK_ASSIGN(auto entry, entry_of(AT_FDCWD, below.path, path, below.status));
  if (S_ISDIR(below.status.st_mode)) {
    OwnedFd opened{::open(below.path.c_str(), k_open_directory)};
    if (opened.get() < 0) return errno_error("open " + below.path, errno);
    DRYDOCK_ASSIGN(auto xattrs, read_xattrs(opened.get(), options_.format, below.path));
    entry.xattrs = xattrs.layer;
  }
  return entry;
}

/// True when the upper one says nothing new: copied up, and left or made again as it was.
Result<bool> LayerPlanner::same(int parent, const std::string& name, PlannedEntry& planned,
                                const std::optional<LowerChain::Found>& below) const {
  if (!below) return false;
  DRYDOCK_ASSIGN(auto before, entry_below(*below, planned.entry.path));
  if (!same_header(planned.entry, before)) return false;
  if (planned.entry.type != TarType::file) return true;
  OwnedFd upper{::openat(parent, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC)};
  OwnedFd lower{::open(below->path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC)};
  if (upper.get() < 0 || lower.get() < 0) return errno_error("open " + planned.entry.path, errno);
  DRYDOCK_ASSIGN(auto now, read_xattrs(upper.get(), options_.format, planned.entry.path));
  DRYDOCK_TRY(refuse_overlay_features(now, planned.entry.path));
  DRYDOCK_ASSIGN(auto then, read_xattrs(lower.get(), options_.format, below->path));
  planned.entry.xattrs = now.layer;
  planned.xattrs_read = true;
  if (now.layer != then.layer) return false;
  return same_content(upper.get(), lower.get(), planned.entry.path);
}

/// A name copied up for the sake of a new link stays, so that both still are one file.
void LayerPlanner::settle_links() {
  std::map<std::pair<dev_t, ino_t>, bool> any_changed;
  for (const auto& planned : entries_) {
    if (planned.inode.second) any_changed[planned.inode] |= planned.changed;
  }
  std::map<std::pair<dev_t, ino_t>, const std::string*> first;
  for (auto& planned : entries_) {
    if (!planned.inode.second || !any_changed[planned.inode]) continue;
    planned.changed = true;
    auto [known, is_first] = first.emplace(planned.inode, &planned.entry.path);
    if (is_first) continue;
    planned.entry.type = TarType::hard_link;
    planned.entry.link = *known->second;
    planned.entry.size = 0;
    planned.entry.device_major = planned.entry.device_minor = 0;
    planned.entry.xattrs.clear();
    planned.xattrs_read = true;
  }
}

void LayerPlanner::drop_unchanged() {
  // From the back, so that a directory knows whether anything below it stays.
  std::vector<char> keep(entries_.size());
  std::size_t kept = 0;
  std::vector<std::size_t> kept_from(entries_.size() + 1, 0);
  for (std::size_t i = entries_.size(); i-- > 0;) {
    const auto& planned = entries_[i];
    bool below = planned.entry.type == TarType::directory && kept_from[i + 1] > kept_from[std::max(planned.end, i + 1)];
    keep[i] = planned.changed || below;
    kept += keep[i] ? 1 : 0;
    kept_from[i] = kept;
  }
  std::size_t to = 0;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (!keep[i]) continue;
    if (to != i) entries_[to] = std::move(entries_[i]);
    ++to;
  }
  entries_.resize(to);
}

}  // namespace drydock::oci
