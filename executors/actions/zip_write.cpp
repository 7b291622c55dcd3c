#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "executors/actions/archive_support.h"
#include "executors/actions/zip_file.h"
#include "executors/oci/digest.h"

namespace drydock::actions {
namespace {

constexpr std::size_t k_write_buffer = 1 << 20;

/// A file that is being written, and its hash.
class HashedFile {
 public:
  ~HashedFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  Status open(const std::string& path) {
    path_ = path;
    fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    return fd_ < 0 ? Status(errno_error("making " + path, errno)) : Status();
  }
  Status write(const char* bytes, std::size_t size) {
    hash_.update(bytes, size);
    while (size > 0) {
      const auto written = ::write(fd_, bytes, size);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return errno_error("writing " + path_, errno);
      bytes += written;
      size -= static_cast<std::size_t>(written);
    }
    return {};
  }
  WrittenFile finish() {
    const auto size = hash_.size();
    return {size, std::string(hash_.finish().hex())};
  }

 private:
  std::string path_;
  int fd_ = -1;
  oci::Sha256 hash_;
};

la_ssize_t on_write(archive* handle, void* file, const void* bytes, std::size_t size) {
  const auto written = static_cast<HashedFile*>(file)->write(static_cast<const char*>(bytes), size);
  if (written) return static_cast<la_ssize_t>(size);
  archive_set_error(handle, EIO, "%s", Status(written).error().message.c_str());
  return -1;
}

struct Input {
  explicit Input(const std::string& path) : fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~Input() {
    if (fd >= 0) ::close(fd);
  }
  int fd;
};

Status add(archive* zip, const ZipSource& source, std::vector<char>& buffer) {
  const Input input(source.path);
  struct stat status {};
  if (input.fd < 0 || ::fstat(input.fd, &status) != 0) return errno_error("reading " + source.path, errno);
  if (!S_ISREG(status.st_mode)) return make_error(ErrorCode::invalid_input, source.path + " is no regular file");
  const ArchiveEntry entry(archive_entry_new());
  archive_entry_set_pathname(entry.get(), source.name.c_str());
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), 0644);
  archive_entry_set_size(entry.get(), status.st_size);
  archive_entry_set_mtime(entry.get(), status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
  if (archive_write_header(zip, entry.get()) < ARCHIVE_WARN) return archive_error(zip, "adding " + source.name);
  for (;;) {
    const auto got = ::read(input.fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno_error("reading " + source.path, errno);
    if (got == 0) break;
    if (archive_write_data(zip, buffer.data(), static_cast<std::size_t>(got)) < 0) return archive_error(zip, "adding " + source.name);
  }
  if (archive_write_finish_entry(zip) < ARCHIVE_WARN) return archive_error(zip, "adding " + source.name);
  return {};
}

}  // namespace

Result<WrittenFile> write_zip(const std::string& target, const std::vector<ZipSource>& sources, int level) {
  const Utf8Locale utf8;
  HashedFile file;
  DRYDOCK_TRY(file.open(target));
  const ArchiveWriter zip(archive_write_new());
  const auto text = std::to_string(level);
  if (archive_write_set_format_zip(zip.get()) != ARCHIVE_OK ||
      archive_write_set_format_option(zip.get(), "zip", "hdrcharset", "UTF-8") < ARCHIVE_WARN ||
      archive_write_set_format_option(zip.get(), "zip", "compression-level", text.c_str()) < ARCHIVE_WARN ||
      archive_write_set_bytes_per_block(zip.get(), static_cast<int>(k_write_buffer)) != ARCHIVE_OK ||
      archive_write_set_bytes_in_last_block(zip.get(), 1) != ARCHIVE_OK ||
      archive_write_open(zip.get(), &file, nullptr, &on_write, nullptr) != ARCHIVE_OK) {
    return archive_error(zip.get(), "making " + target);
  }
  std::vector<char> buffer(k_write_buffer);
  for (const auto& source : sources) DRYDOCK_TRY(add(zip.get(), source, buffer));
  if (archive_write_close(zip.get()) != ARCHIVE_OK) return archive_error(zip.get(), "writing " + target);
  return file.finish();
}

Result<WrittenFile> copy_hashed(const std::string& from, const std::string& target) {
  const Input input(from);
  if (input.fd < 0) return errno_error("reading " + from, errno);
  HashedFile file;
  DRYDOCK_TRY(file.open(target));
  std::vector<char> buffer(k_write_buffer);
  for (;;) {
    const auto got = ::read(input.fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno_error("reading " + from, errno);
    if (got == 0) return file.finish();
    DRYDOCK_TRY(file.write(buffer.data(), static_cast<std::size_t>(got)));
  }
}

}  // namespace drydock::actions
