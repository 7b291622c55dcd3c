#include "executors/build/copy_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <map>
#include <mutex>
#include <thread>

namespace drydock::build {

namespace {

constexpr std::size_t k_copy_buffer = 256 * 1024;
constexpr std::size_t k_files_per_thread = 64;

timespec to_timespec(std::int64_t ns) { return {ns / 1'000'000'000, ns % 1'000'000'000}; }

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

std::string base_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

std::string join(const std::string& a, const std::string& b) {
  if (a.empty()) return b;
  return b.empty() ? a : a + "/" + b;
}

/// The root being written to. Remembers the times of directories that were there before, to give them back.
class Target {
 public:
  static Result<Target> open(const std::filesystem::path& root) {
    OwnedFd fd(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!fd.valid()) return errno_error(root.string(), errno);
    return Target(std::move(fd));
  }

  Result<OwnedFd> directory(const std::string& path) const {
    OwnedFd fd(open_in_root(root_.get(), path, O_RDONLY | O_DIRECTORY));
    if (!fd.valid()) return errno_error("\"/" + path + "\"", errno);
    return fd;
  }

  bool is_directory(const std::string& path) const {
    return OwnedFd(open_in_root(root_.get(), path, O_PATH | O_DIRECTORY)).valid();
  }

  /// mkdir -p; returns whether the last component was made.
  Result<bool> make(const std::string& path, std::optional<Owner> owner) {
    if (is_directory(path)) {
      touch(path);
      return false;
    }
    DRYDOCK_TRY(make(parent_of(path), owner));
    DRYDOCK_ASSIGN(const auto parent, directory(parent_of(path)));
    const auto name = base_of(path);
    if (::mkdirat(parent.get(), name.c_str(), 0755) != 0) {
      return make_error(ErrorCode::invalid_input, "cannot make the directory \"/" + path + "\": something that is no directory is in its place");
    }
    ::fchmodat(parent.get(), name.c_str(), 0755, 0);
    if (owner && ::fchownat(parent.get(), name.c_str(), owner->uid, owner->gid, AT_SYMLINK_NOFOLLOW) != 0) {
      return errno_error("chown \"/" + path + "\"", errno);
    }
    set_time(path, {{0, 0}, {0, 0}});
    return true;
  }

  /// Notes the time a directory has now, before something is put in it.
  void touch(const std::string& path) {
    const OwnedFd fd(open_in_root(root_.get(), path, O_PATH | O_DIRECTORY));
    struct stat st {};
    if (!fd.valid() || ::fstat(fd.get(), &st) != 0) return;
    times_.try_emplace(path, std::pair{st.st_atim, st.st_mtim});
  }

  void set_time(const std::string& path, std::pair<timespec, timespec> times) { times_[path] = times; }

  void restore_times() {
    for (auto it = times_.rbegin(); it != times_.rend(); ++it) {
      const OwnedFd fd(open_in_root(root_.get(), it->first, O_RDONLY | O_DIRECTORY));
      if (!fd.valid()) continue;
      const timespec times[2] = {it->second.first, it->second.second};
      struct stat st {};
      const bool same = ::fstat(fd.get(), &st) == 0 && st.st_mtim.tv_sec == times[1].tv_sec &&
                        st.st_mtim.tv_nsec == times[1].tv_nsec;
      if (!same) ::futimens(fd.get(), times);
    }
  }

  int root() const { return root_.get(); }

 private:
  explicit Target(OwnedFd fd) : root_(std::move(fd)) {}
  OwnedFd root_;
  std::map<std::string, std::pair<timespec, timespec>> times_;
};

struct Planned {
  const TreeSource* source;
  TreeEntry entry;
  std::string destination;  // relative to the root
};

Status copy_data(int from, int to, std::vector<char>& buffer) {
  for (;;) {
    const auto got = ::read(from, buffer.data(), buffer.size());
    if (got == 0) return {};
    if (got < 0) {
      if (errno == EINTR) continue;
      return errno_error("read", errno);
    }
    for (ssize_t done = 0; done < got;) {
      const auto put = ::write(to, buffer.data() + done, static_cast<std::size_t>(got - done));
      if (put < 0) {
        if (errno == EINTR) continue;
        return errno_error("write", errno);
      }
      done += put;
    }
  }
}

bool carries(const std::string& xattr) {
  return xattr == "security.capability" || (xattr.starts_with("user.") && !xattr.starts_with("user.overlay."));
}

void copy_xattrs(int from, int to) {
  std::vector<char> names(1024);
  auto size = ::flistxattr(from, names.data(), names.size());
  if (size < 0 && errno == ERANGE) {
    names.resize(65536);
    size = ::flistxattr(from, names.data(), names.size());
  }
  for (ssize_t at = 0; at < size;) {
    const std::string name(names.data() + at);
    at += static_cast<ssize_t>(name.size()) + 1;
    if (!carries(name)) continue;
    std::vector<char> value(65536);
    const auto length = ::fgetxattr(from, name.c_str(), value.data(), value.size());
    if (length >= 0) ::fsetxattr(to, name.c_str(), value.data(), static_cast<std::size_t>(length), 0);
  }
}

Owner owner_of(const TreeEntry& entry, const CopyJob& job) {
  if (job.owner) return *job.owner;
  if (job.source_owner == SourceOwner::keep) return {entry.uid, entry.gid};
  return {};
}

std::uint32_t permissions_of(const TreeEntry& entry, const CopyJob& job) {
  return job.mode ? *job.mode : entry.mode & 07777;
}

/// Makes room for a file: an existing file or link goes, a directory is refused.
Status clear_place(int directory, const std::string& name, const std::string& destination) {
  if (::unlinkat(directory, name.c_str(), 0) == 0 || errno == ENOENT) return {};
  if (errno == EISDIR || errno == EPERM) {
    return make_error(ErrorCode::invalid_input, "cannot copy a file over the directory \"/" + destination + "\"",
                      "end the destination with a slash to copy into it");
  }
  return errno_error("replace \"/" + destination + "\"", errno);
}

Status copy_regular(const Planned& plan, const CopyJob& job, int directory, const std::string& name,
                    std::vector<char>& buffer) {
  const auto full = join(clean_relative(plan.source->path), plan.entry.path);
  DRYDOCK_ASSIGN(const auto from, plan.source->tree->open_at(full, O_RDONLY));
  OwnedFd to(::openat(directory, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!to.valid()) return errno_error("create \"/" + plan.destination + "\"", errno);
  if (auto status = copy_data(from.get(), to.get(), buffer); !status.ok()) {
    return std::move(status).error().while_("copying \"/" + plan.destination + "\"");
  }
  const auto owner = owner_of(plan.entry, job);
  if (::fchown(to.get(), owner.uid, owner.gid) != 0) return errno_error("chown \"/" + plan.destination + "\"", errno);
  if (::fchmod(to.get(), permissions_of(plan.entry, job)) != 0) return errno_error("chmod", errno);
  if (job.source_owner == SourceOwner::keep) copy_xattrs(from.get(), to.get());
  const timespec times[2] = {to_timespec(plan.entry.mtime_ns), to_timespec(plan.entry.mtime_ns)};
  ::futimens(to.get(), times);
  return {};
}

Status copy_special(const Planned& plan, const CopyJob& job, int directory, const std::string& name) {
  const auto owner = owner_of(plan.entry, job);
  if (plan.entry.is_symlink()) {
    if (::symlinkat(plan.entry.link.c_str(), directory, name.c_str()) != 0) {
      return errno_error("link \"/" + plan.destination + "\"", errno);
    }
  } else if (S_ISSOCK(plan.entry.mode)) {
    return {};
  } else if (::mknodat(directory, name.c_str(), plan.entry.mode, static_cast<dev_t>(plan.entry.rdev)) != 0) {
    return errno_error("mknod \"/" + plan.destination + "\"", errno);
  } else {
    ::fchmodat(directory, name.c_str(), permissions_of(plan.entry, job), 0);
  }
  if (::fchownat(directory, name.c_str(), owner.uid, owner.gid, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno_error("chown \"/" + plan.destination + "\"", errno);
  }
  const timespec times[2] = {to_timespec(plan.entry.mtime_ns), to_timespec(plan.entry.mtime_ns)};
  ::utimensat(directory, name.c_str(), times, AT_SYMLINK_NOFOLLOW);
  return {};
}

Status copy_one(const Target& target, const Planned& plan, const CopyJob& job, std::vector<char>& buffer) {
  DRYDOCK_ASSIGN(const auto directory, target.directory(parent_of(plan.destination)));
  const auto name = base_of(plan.destination);
  DRYDOCK_TRY(clear_place(directory.get(), name, plan.destination));
  if (plan.entry.is_file()) return copy_regular(plan, job, directory.get(), name, buffer);
  return copy_special(plan, job, directory.get(), name);
}

/// Files are independent of each other: as many threads as cores, the first error wins.
Status copy_files(const Target& target, const std::vector<Planned>& files, const CopyJob& job) {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::optional<Error> first;
  const auto work = [&] {
    std::vector<char> buffer(k_copy_buffer);
    for (auto i = next++; i < files.size(); i = next++) {
      auto status = copy_one(target, files[i], job, buffer);
      if (status.ok()) continue;
      const std::lock_guard lock(mutex);
      if (!first) first = std::move(status).error();
      next = files.size();
    }
  };
  const auto threads = std::min<std::size_t>(std::max(1U, std::thread::hardware_concurrency()),
                                             files.size() / k_files_per_thread + 1);
  std::vector<std::thread> pool;
  for (std::size_t i = 1; i < threads; ++i) pool.emplace_back(work);
  work();
  for (auto& thread : pool) thread.join();
  if (first) return std::move(*first);
  return {};
}

Status apply_directory(Target& target, const Planned& plan, const CopyJob& job) {
  DRYDOCK_TRY(target.make(plan.destination, job.owner));
  DRYDOCK_ASSIGN(const auto fd, target.directory(plan.destination));
  const auto owner = owner_of(plan.entry, job);
  if (::fchown(fd.get(), owner.uid, owner.gid) != 0) return errno_error("chown \"/" + plan.destination + "\"", errno);
  if (::fchmod(fd.get(), permissions_of(plan.entry, job)) != 0) return errno_error("chmod", errno);
  const auto time = to_timespec(plan.entry.mtime_ns);
  target.set_time(plan.destination, {time, time});
  return {};
}

/// Where a source lands: its destination path and whether it is the content of a directory.
std::string destination_for(const std::string& source_path, bool is_directory, const CopyJob& job,
                            const Target& target) {
  const auto base = clean_relative(job.destination);
  if (job.parents_pivot) {
    auto kept = clean_relative(source_path);
    const auto& pivot = *job.parents_pivot;
    if (!pivot.empty() && (kept == pivot || kept.starts_with(pivot + "/"))) {
      kept = clean_relative(kept.substr(pivot.size()));
    }
    return join(base, kept);
  }
  if (is_directory) return base;
  if (job.into_directory || target.is_directory(base)) return join(base, base_of(clean_relative(source_path)));
  return base;
}

Status copy_tree(Target& target, const TreeSource& source, const CopyJob& job) {
  DRYDOCK_ASSIGN(auto entries, source.tree->walk(source.path));
  const bool is_directory = entries.front().is_dir();
  const auto base = destination_for(source.path, is_directory, job, target);
  std::vector<Planned> files;
  if (is_directory) {
    DRYDOCK_ASSIGN(const bool made, target.make(base, job.owner));
    // The directory's own mode and owner apply where COPY makes it, not to one that was there.
    if (made) DRYDOCK_TRY(apply_directory(target, {&source, entries.front(), base}, job));
  } else {
    DRYDOCK_TRY(target.make(parent_of(base), job.owner));
  }
  for (auto& entry : entries) {
    if (source.excluded && !entry.path.empty() && source.excluded(entry.path)) continue;
    if (entry.path.empty() && is_directory) continue;
    Planned plan{&source, entry, join(base, entry.path)};
    if (entry.is_dir()) {
      DRYDOCK_TRY(apply_directory(target, plan, job));
    } else {
      target.touch(parent_of(plan.destination));
      files.push_back(std::move(plan));
    }
  }
  return copy_files(target, files, job);
}

Status write_inline(Target& target, const InlineSource& source, const CopyJob& job) {
  auto destination = clean_relative(job.destination);
  if (job.into_directory || target.is_directory(destination)) destination = join(destination, source.name);
  DRYDOCK_TRY(target.make(parent_of(destination), job.owner));
  target.touch(parent_of(destination));
  DRYDOCK_ASSIGN(const auto directory, target.directory(parent_of(destination)));
  const auto name = base_of(destination);
  DRYDOCK_TRY(clear_place(directory.get(), name, destination));
  OwnedFd to(::openat(directory.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!to.valid()) return errno_error("create \"/" + destination + "\"", errno);
  for (std::size_t done = 0; done < source.content.size();) {
    const auto put = ::write(to.get(), source.content.data() + done, source.content.size() - done);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return errno_error("write \"/" + destination + "\"", errno);
    done += static_cast<std::size_t>(put);
  }
  const auto owner = job.owner.value_or(Owner{});
  if (::fchown(to.get(), owner.uid, owner.gid) != 0) return errno_error("chown \"/" + destination + "\"", errno);
  if (::fchmod(to.get(), job.mode.value_or(source.mode)) != 0) return errno_error("chmod", errno);
  const timespec times[2] = {to_timespec(source.mtime_ns), to_timespec(source.mtime_ns)};
  ::futimens(to.get(), times);
  return {};
}

}  // namespace

Status copy_into(const std::filesystem::path& root, const CopyJob& job) {
  DRYDOCK_ASSIGN(auto target, Target::open(root));
  for (const auto& source : job.sources) {
    if (const auto* tree = std::get_if<TreeSource>(&source)) {
      DRYDOCK_TRY(copy_tree(target, *tree, job));
    } else {
      DRYDOCK_TRY(write_inline(target, std::get<InlineSource>(source), job));
    }
  }
  target.restore_times();
  return {};
}

Status make_directories_in(const std::filesystem::path& root, const std::string& path, std::optional<Owner> owner) {
  DRYDOCK_ASSIGN(auto target, Target::open(root));
  DRYDOCK_TRY(target.make(clean_relative(path), owner));
  target.restore_times();
  return {};
}

}  // namespace drydock::build
