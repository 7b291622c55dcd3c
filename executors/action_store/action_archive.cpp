#include "executors/action_store/action_archive.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include "executors/base/archive_library.h"
#include "executors/base/fs.h"

namespace drydock::action_store {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t k_piece = 128 * 1024;

Error refuse(const std::string& what) { return make_error(ErrorCode::corrupted, "the archive is refused: " + what); }

class Unpacking {
 public:
  Unpacking(const std::string& directory, const ArchiveLimits& limits) : root_(directory), limits_(limits) {}

  Status run(const std::string& file) {
    const ArchiveReader in(archive_read_new());
    archive_read_support_filter_gzip(in.get());
    archive_read_support_format_tar(in.get());
    if (archive_read_open_filename(in.get(), file.c_str(), k_piece) != ARCHIVE_OK) return refuse(archive_error_string(in.get()));
    archive_entry* entry = nullptr;
    while (true) {
      const int code = archive_read_next_header(in.get(), &entry);
      if (code == ARCHIVE_EOF) break;
      if (code != ARCHIVE_OK) return refuse(archive_error_string(in.get()));
      if (++entries_ > limits_.entries) return refuse("more than " + std::to_string(limits_.entries) + " entries");
      DRYDOCK_TRY(take(in.get(), entry));
    }
    if (entries_ == 0) return refuse("it is empty");
    DRYDOCK_TRY(make_links());
    return {};
  }

 private:
  /// Below the one directory around everything; nothing for that directory itself.
  Result<std::optional<std::string>> path_of(const char* name) {
    if (!name || !*name) return refuse("an entry without a name");
    const std::string path = name;
    if (path.front() == '/') return refuse("'" + path + "' is absolute");
    for (const auto& part : fs::path(path)) {
      if (part == "..") return refuse("'" + path + "' leads out of it");
    }
    const std::string normal = normal_path(path);
    const auto slash = normal.find('/');
    const std::string top = normal.substr(0, slash);
    if (!top_) top_ = top;
    if (*top_ != top) return refuse("'" + path + "' is not below '" + *top_ + "'");
    if (slash == std::string::npos) return std::optional<std::string>();
    return std::optional(normal.substr(slash + 1));
  }

  Status take(archive* in, archive_entry* entry) {
    DRYDOCK_ASSIGN(const auto path, path_of(archive_entry_pathname(entry)));
    if (!path) return archive_entry_filetype(entry) == AE_IFDIR ? Status() : refuse("its top is no directory");
    if (archive_entry_hardlink(entry)) return refuse("'" + *path + "' is a hard link");
    switch (archive_entry_filetype(entry)) {
      case AE_IFDIR: return make_directories(root_ + "/" + *path);
      case AE_IFREG: return write(in, *path, (archive_entry_perm(entry) & 0111) != 0 ? 0755 : 0644);
      case AE_IFLNK: links_.emplace_back(*path, archive_entry_symlink(entry) ? archive_entry_symlink(entry) : ""); return {};
      default: return refuse("'" + *path + "' is a special file");
    }
  }

  /// Links are made last, so no file is written through one.
  Status write(archive* in, const std::string& path, unsigned mode) {
    const std::string target = root_ + "/" + path;
    DRYDOCK_TRY(make_directories(fs::path(target).parent_path()));
    const int fd = ::open(target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0) return errno == EEXIST ? refuse("'" + path + "' comes twice") : errno_error("making " + target, errno);
    const Status written = copy(in, fd, target);
    ::close(fd);
    return written;
  }

  Status copy(archive* in, int fd, const std::string& target) {
    std::vector<char> piece(k_piece);
    while (true) {
      const auto count = archive_read_data(in, piece.data(), piece.size());
      if (count < 0) return refuse(archive_error_string(in));
      if (count == 0) return {};
      bytes_ += static_cast<std::uint64_t>(count);
      if (bytes_ > limits_.bytes) return refuse("it unpacks to more than " + std::to_string(limits_.bytes) + " bytes");
      for (std::size_t done = 0; done < static_cast<std::size_t>(count);) {
        const auto wrote = ::write(fd, piece.data() + done, static_cast<std::size_t>(count) - done);
        if (wrote < 0 && errno != EINTR) return errno_error("writing " + target, errno);
        if (wrote > 0) done += static_cast<std::size_t>(wrote);
      }
    }
  }

  /// A link must stay inside as written, and also when followed through the other links.
  Status make_links() {
    for (const auto& [path, target] : links_) {
      const auto lexical = normal_path((fs::path(path).parent_path() / target).string());
      if (target.empty() || target.front() == '/' || lexical == ".." || lexical.starts_with("../")) {
        return refuse("the link '" + path + "' leads out of it, to '" + target + "'");
      }
      DRYDOCK_TRY(make_directories(fs::path(root_ + "/" + path).parent_path()));
      if (::symlink(target.c_str(), (root_ + "/" + path).c_str()) != 0) {
        return errno == EEXIST || errno == ENOTDIR ? refuse("'" + path + "' comes twice") : errno_error("making the link " + path, errno);
      }
    }
    std::error_code failure;
    const std::string real_root = fs::canonical(root_, failure);
    if (failure) return errno_error(root_, failure.value());
    for (const auto& [path, target] : links_) {
      // Of what it names, not of itself: a link to nothing counts as something that is not there.
      const std::string real = fs::weakly_canonical(fs::path(root_ + "/" + path).parent_path() / target, failure);
      if (failure || (real != real_root && !real.starts_with(real_root + "/"))) {
        return refuse("the link '" + path + "' leads out of it, to '" + target + "'");
      }
    }
    return {};
  }

  std::string root_;
  ArchiveLimits limits_;
  std::optional<std::string> top_;
  std::vector<std::pair<std::string, std::string>> links_;
  std::uint64_t bytes_ = 0, entries_ = 0;
};

}  // namespace

Status unpack_action(const std::string& archive, const std::string& directory, const ArchiveLimits& limits) {
  return Unpacking(directory, limits).run(archive);
}

}  // namespace drydock::action_store
