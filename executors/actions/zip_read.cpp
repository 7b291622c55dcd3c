#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <set>

#include "executors/actions/archive_support.h"
#include "executors/actions/zip_file.h"
#include "executors/base/fs.h"
#include "executors/base/owned_fd.h"

namespace drydock::actions {
namespace {

constexpr std::size_t k_read_buffer = 1 << 20;
// Deflate makes at most 1032 bytes of one; small archives get some room for their headers.
constexpr std::uint64_t k_most_growth = 1100;
constexpr std::uint64_t k_free_growth = 1 << 20;
constexpr std::size_t k_longest_name = 4096;

Error hostile(const std::string& what) {
  return make_error(ErrorCode::corrupted, "the archive " + what, "nothing outside of the target was changed");
}

/// Opens below `directory` alone: no "..", no link that leads out.
int open_below(int directory, const std::string& path, int flags, unsigned mode = 0) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.mode = mode;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  return static_cast<int>(::syscall(SYS_openat2, directory, path.c_str(), &how, sizeof how));
}

class Extraction {
 public:
  Extraction(int directory, std::uint64_t most) : directory_(directory), most_(most) {}

  Status take(archive* zip, archive_entry* entry) {
    const char* text = archive_entry_pathname(entry);
    const std::string name = text ? text : "";
    DRYDOCK_TRY(check_name(name));
    const auto type = archive_entry_filetype(entry);
    if (archive_entry_symlink(entry) || archive_entry_hardlink(entry) || (type != AE_IFREG && type != AE_IFDIR)) {
      return hostile("holds '" + name + "', which is neither a file nor a directory");
    }
    if (type == AE_IFDIR || name.ends_with('/')) return make_directory(name);
    if (const auto slash = name.rfind('/'); slash != std::string::npos) DRYDOCK_TRY(make_directory(name.substr(0, slash)));
    ++files_;
    return write_file(zip, name);
  }

  std::size_t files() const { return files_; }

 private:
  Status check_name(const std::string& name) const {
    if (name.empty() || name.size() > k_longest_name) return hostile("has an entry without a name, or with one that is too long");
    const auto inside = join_inside("/", name);
    if (name.starts_with('/') || !inside.ok()) return hostile("holds '" + name + "', which leads outside");
    for (std::size_t start = 0; start <= name.size();) {
      const auto slash = std::min(name.find('/', start), name.size());
      if (name.substr(start, slash - start) == "..") return hostile("holds '" + name + "', which leads outside");
      start = slash + 1;
    }
    return {};
  }

  Status make_directory(const std::string& path) {
    if (made_.contains(path)) return {};
    for (std::size_t end = path.find('/'); ; end = path.find('/', end + 1)) {
      const auto part = path.substr(0, end);
      if (!part.empty() && made_.insert(part).second) DRYDOCK_TRY(make_one(part));
      if (end == std::string::npos) return {};
    }
  }

  Status make_one(const std::string& path) {
    if (const OwnedFd there(open_below(directory_, path, O_PATH | O_DIRECTORY)); there.get() >= 0) return {};
    if (errno != ENOENT) return refused(path, errno);
    const auto slash = path.rfind('/');
    const OwnedFd parent(open_below(directory_, slash == std::string::npos ? "." : path.substr(0, slash), O_PATH | O_DIRECTORY));
    const auto name = slash == std::string::npos ? path : path.substr(slash + 1);
    if (parent.get() < 0 || ::mkdirat(parent.get(), name.c_str(), 0777) != 0) return refused(path, errno);
    return {};
  }

  Status write_file(archive* zip, const std::string& name) {
    const OwnedFd file(open_below(directory_, name, O_WRONLY | O_CREAT | O_TRUNC, 0666));
    if (file.get() < 0) return refused(name, errno);
    for (;;) {
      const void* bytes = nullptr;
      std::size_t size = 0;
      la_int64_t offset = 0;
      const int got = archive_read_data_block(zip, &bytes, &size, &offset);
      if (got == ARCHIVE_EOF) return {};
      // A wrong checksum is a warning there.
      if (got != ARCHIVE_OK) return archive_error(zip, "unpacking " + name, ErrorCode::corrupted);
      written_ += size;
      if (written_ > most_) return hostile("becomes larger than it can be by honest means");
      DRYDOCK_TRY(write_all(file.get(), static_cast<const char*>(bytes), size, name));
    }
  }

  static Status write_all(int file, const char* bytes, std::size_t size, const std::string& name) {
    while (size > 0) {
      const auto written = ::write(file, bytes, size);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return errno_error("writing " + name, errno);
      bytes += written;
      size -= static_cast<std::size_t>(written);
    }
    return {};
  }

  static Error refused(const std::string& name, int error) {
    if (error == EXDEV || error == ELOOP) return hostile("holds '" + name + "', and a link there leads outside");
    return errno_error("making " + name, error);
  }

  int directory_;
  std::uint64_t most_;
  std::uint64_t written_ = 0;
  std::size_t files_ = 0;
  std::set<std::string> made_;
};

}  // namespace

Result<std::size_t> extract_zip(const std::string& zip, const std::string& directory) {
  const Utf8Locale utf8;
  DRYDOCK_TRY(make_directories(directory));
  const OwnedFd root(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  struct stat status {};
  if (root.get() < 0) return errno_error("opening " + directory, errno);
  if (::stat(zip.c_str(), &status) != 0) return errno_error("opening " + zip, errno);
  const ArchiveReader reader(archive_read_new());
  archive_read_support_format_zip(reader.get());
  archive_read_set_format_option(reader.get(), "zip", "hdrcharset", "UTF-8");
  if (archive_read_open_filename(reader.get(), zip.c_str(), k_read_buffer) != ARCHIVE_OK) {
    return archive_error(reader.get(), "opening " + zip, ErrorCode::corrupted);
  }
  Extraction extraction(root.get(), k_free_growth + k_most_growth * static_cast<std::uint64_t>(status.st_size));
  for (archive_entry* entry = nullptr;;) {
    const int got = archive_read_next_header(reader.get(), &entry);
    if (got == ARCHIVE_EOF) return extraction.files();
    if (got < ARCHIVE_WARN) return archive_error(reader.get(), "reading the archive", ErrorCode::corrupted);
    DRYDOCK_TRY(extraction.take(reader.get(), entry));
  }
}

}  // namespace drydock::actions
