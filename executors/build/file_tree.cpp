#include "executors/build/file_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace drydock::build {

int open_in_root(int root_fd, const std::string& path, int flags, unsigned mode) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags) | O_CLOEXEC;
  how.mode = mode;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  const auto* name = path.empty() ? "." : path.c_str();
  return static_cast<int>(::syscall(SYS_openat2, root_fd, name, &how, sizeof how));
}

std::string clean_relative(const std::string& path) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  while (begin <= path.size()) {
    auto end = path.find('/', begin);
    if (end == std::string::npos) end = path.size();
    const auto part = path.substr(begin, end - begin);
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
    } else if (!part.empty() && part != ".") {
      parts.push_back(part);
    }
    begin = end + 1;
  }
  std::string clean;
  for (const auto& part : parts) clean += (clean.empty() ? "" : "/") + part;
  return clean;
}

namespace {

std::int64_t nanoseconds(const timespec& time) { return time.tv_sec * 1'000'000'000LL + time.tv_nsec; }

TreeEntry entry_from(const struct stat& st, std::string path) {
  TreeEntry entry;
  entry.path = std::move(path);
  entry.mode = st.st_mode;
  entry.uid = st.st_uid;
  entry.gid = st.st_gid;
  entry.size = static_cast<std::uint64_t>(st.st_size);
  entry.mtime_ns = nanoseconds(st.st_mtim);
  entry.ctime_ns = nanoseconds(st.st_ctim);
  entry.device = st.st_dev;
  entry.inode = st.st_ino;
  entry.rdev = st.st_rdev;
  return entry;
}

std::string read_link(int directory_fd, const char* name, std::uint64_t size_hint) {
  std::string target(size_hint ? size_hint + 1 : 4096, '\0');
  const auto length = ::readlinkat(directory_fd, name, target.data(), target.size());
  target.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  return target;
}

bool has_wildcard(const std::string& text) { return text.find_first_of("*?[\\") != std::string::npos; }

std::string join_path(const std::string& a, const std::string& b) { return a.empty() ? b : a + "/" + b; }

struct DirCloser {
  void operator()(DIR* dir) const { ::closedir(dir); }
};
using DirStream = std::unique_ptr<DIR, DirCloser>;

Result<std::vector<std::string>> names_in(int directory_fd, const std::string& what) {
  const int duplicate = ::openat(directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (duplicate < 0) return errno_error(what, errno);
  DirStream stream(::fdopendir(duplicate));
  if (!stream) {
    ::close(duplicate);
    return errno_error(what, errno);
  }
  std::vector<std::string> names;
  errno = 0;
  while (const auto* item = ::readdir(stream.get())) {
    if (std::strcmp(item->d_name, ".") != 0 && std::strcmp(item->d_name, "..") != 0) names.emplace_back(item->d_name);
  }
  if (errno != 0) return errno_error(what, errno);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

FileTree::FileTree(std::filesystem::path root, PathFilter filter, OwnedFd fd)
    : root_(std::move(root)), filter_(std::move(filter)), fd_(std::move(fd)) {}

Result<std::shared_ptr<FileTree>> FileTree::open(const std::filesystem::path& root, PathFilter filter) {
  OwnedFd fd(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return errno_error(root.string(), errno);
  return std::shared_ptr<FileTree>(new FileTree(root, std::move(filter), std::move(fd)));
}

Result<OwnedFd> FileTree::open_at(const std::string& path, int flags) const {
  OwnedFd fd(open_in_root(fd_.get(), path, flags));
  if (!fd.valid()) return errno_error("\"/" + path + "\"", errno);
  return fd;
}

Result<std::string> FileTree::resolve(const std::string& path) const {
  const auto clean = clean_relative(path);
  DRYDOCK_ASSIGN(const auto fd, open_at(clean, O_PATH));
  DRYDOCK_ASSIGN(const auto root_fd, open_at("", O_PATH));
  const auto name_of_fd = [](int number) {
    return read_link(AT_FDCWD, ("/proc/self/fd/" + std::to_string(number)).c_str(), 0);
  };
  const auto base = name_of_fd(root_fd.get());
  auto full = name_of_fd(fd.get());
  if (base == "/") return clean_relative(full);
  if (full.compare(0, base.size(), base) != 0) return clean;
  return clean_relative(full.substr(base.size()));
}

Result<std::vector<std::string>> FileTree::match(const std::string& pattern) const {
  const auto clean = clean_relative(pattern);
  if (!has_wildcard(clean)) {
    if (excluded(clean)) {
      return make_error(ErrorCode::not_found, "\"/" + clean + "\": left out by .dockerignore",
                        "take the pattern out of .dockerignore, or do not copy that path");
    }
    DRYDOCK_TRY(open_at(clean, O_PATH));
    return std::vector<std::string>{clean};
  }
  std::vector<std::string> found{""};
  std::size_t begin = 0;
  while (begin <= clean.size() && !found.empty()) {
    auto end = clean.find('/', begin);
    if (end == std::string::npos) end = clean.size();
    const auto part = clean.substr(begin, end - begin);
    std::vector<std::string> next;
    for (const auto& directory : found) {
      if (!has_wildcard(part)) {
        if (open_at(join_path(directory, part), O_PATH).ok()) next.push_back(join_path(directory, part));
        continue;
      }
      const auto fd = open_at(directory, O_RDONLY | O_DIRECTORY);
      if (!fd.ok()) continue;
      DRYDOCK_ASSIGN(const auto names, names_in(fd->get(), directory));
      for (const auto& name : names) {
        if (::fnmatch(part.c_str(), name.c_str(), 0) == 0) next.push_back(join_path(directory, name));
      }
    }
    found = std::move(next);
    begin = end + 1;
  }
  std::erase_if(found, [&](const std::string& path) {
    return excluded(path) && !(filter_.prunable && !filter_.prunable(path) && open_at(path, O_PATH | O_DIRECTORY).ok());
  });
  return found;
}

Result<std::vector<TreeEntry>> FileTree::walk(const std::string& path) const {
  DRYDOCK_ASSIGN(const auto real, resolve(path));
  DRYDOCK_ASSIGN(const auto fd, open_at(real, O_PATH));
  struct stat st {};
  if (::fstat(fd.get(), &st) != 0) return errno_error("\"/" + real + "\"", errno);
  std::vector<TreeEntry> entries;
  entries.push_back(entry_from(st, ""));
  if (S_ISDIR(st.st_mode)) {
    DRYDOCK_ASSIGN(const auto directory, open_at(real, O_RDONLY | O_DIRECTORY));
    DRYDOCK_TRY(walk_directory(directory.get(), real, "", entries));
    std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  }
  return entries;
}

Status FileTree::walk_directory(int directory_fd, const std::string& full, const std::string& relative,
                                std::vector<TreeEntry>& entries) const {
  DRYDOCK_ASSIGN(const auto names, names_in(directory_fd, "\"/" + full + "\""));
  for (const auto& name : names) {
    const auto full_name = join_path(full, name);
    struct stat st {};
    if (::fstatat(directory_fd, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) continue;  // removed while walking
      return errno_error("\"/" + full_name + "\"", errno);
    }
    const bool left_out = excluded(full_name);
    if (left_out && (!S_ISDIR(st.st_mode) || !filter_.prunable || filter_.prunable(full_name))) continue;
    auto entry = entry_from(st, join_path(relative, name));
    if (entry.is_symlink()) entry.link = read_link(directory_fd, name.c_str(), entry.size);
    const auto before = entries.size();
    entries.push_back(entry);
    if (entry.is_dir()) {
      OwnedFd child(::openat(directory_fd, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (!child.valid()) return errno_error("\"/" + full_name + "\"", errno);
      DRYDOCK_TRY(walk_directory(child.get(), full_name, entry.path, entries));
      // A directory that is left out stays only as the parent of something that is not.
      if (left_out && entries.size() == before + 1) entries.pop_back();
    }
  }
  return {};
}

}  // namespace drydock::build
