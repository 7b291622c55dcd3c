#include "executors/actions/cache_archive.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "executors/actions/archive_support.h"
#include "executors/base/fs.h"
#include "executors/oci/digest.h"

namespace drydock::actions {
namespace {

constexpr std::size_t k_buffer = 1 << 20;

/// Writes what lies below one path after the other.
class CacheWriter {
 public:
  CacheWriter(archive* tar, std::string workspace)
      : tar_(tar), workspace_(std::move(workspace)), linked_(archive_entry_linkresolver_new()) {
    archive_entry_linkresolver_set_strategy(linked_.get(), archive_format(tar));
  }

  Status add(const std::string& path) {
    const ArchiveReader disk(archive_read_disk_new());
    archive_read_disk_set_standard_lookup(disk.get());
    archive_read_disk_set_symlink_physical(disk.get());
    archive_read_disk_set_behavior(disk.get(), ARCHIVE_READDISK_NO_XATTR | ARCHIVE_READDISK_NO_ACL | ARCHIVE_READDISK_NO_FFLAGS);
    const auto start = path.starts_with('/') ? path : workspace_ + "/" + path;
    if (archive_read_disk_open(disk.get(), start.c_str()) != ARCHIVE_OK) return archive_error(disk.get(), "reading " + start);
    for (;;) {
      ArchiveEntry entry(archive_entry_new());
      const int got = archive_read_next_header2(disk.get(), entry.get());
      if (got == ARCHIVE_EOF) return {};
      if (got < ARCHIVE_WARN) return archive_error(disk.get(), "reading " + start);
      archive_read_disk_descend(disk.get());
      const std::string source = archive_entry_sourcepath(entry.get());
      if (archive_entry_filetype(entry.get()) == AE_IFSOCK) continue;  // as tar
      archive_entry_set_pathname(entry.get(), name_of(source).c_str());
      DRYDOCK_TRY(write(entry.release(), source));
    }
  }

 private:
  std::string name_of(const std::string& source) const {
    if (!source.starts_with(workspace_ + "/")) return source == workspace_ ? "." : source;
    return source.substr(workspace_.size() + 1);
  }

  Status write(archive_entry* raw, const std::string& source) {
    archive_entry* sparse = nullptr;
    archive_entry_linkify(linked_.get(), &raw, &sparse);
    const ArchiveEntry entry(raw), second(sparse);
    if (!entry) return {};
    if (archive_write_header(tar_, entry.get()) < ARCHIVE_WARN) return archive_error(tar_, "adding " + source);
    if (archive_entry_size(entry.get()) > 0 && archive_entry_filetype(entry.get()) == AE_IFREG && !archive_entry_hardlink(entry.get())) {
      return content(source);
    }
    return {};
  }

  Status content(const std::string& source) {
    const int file = ::open(source.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0) return errno_error("reading " + source, errno);
    Status status;
    for (;;) {
      const auto got = ::read(file, buffer_.data(), buffer_.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) status = errno_error("reading " + source, errno);
      if (got <= 0) break;
      if (archive_write_data(tar_, buffer_.data(), static_cast<std::size_t>(got)) < 0) {
        status = archive_error(tar_, "adding " + source);
        break;
      }
    }
    ::close(file);
    return status;
  }

  archive* tar_;
  std::string workspace_;
  ArchiveLinks linked_;
  std::vector<char> buffer_ = std::vector<char>(k_buffer);
};

Status copy_data(archive* from, archive* to, const std::string& name) {
  for (;;) {
    const void* bytes = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    const int got = archive_read_data_block(from, &bytes, &size, &offset);
    if (got == ARCHIVE_EOF) return {};
    if (got < ARCHIVE_WARN) return archive_error(from, "unpacking " + name, ErrorCode::corrupted);
    if (archive_write_data_block(to, bytes, size, offset) < ARCHIVE_WARN) return archive_error(to, "writing " + name);
  }
}

}  // namespace

std::string cache_version(const std::vector<std::string>& paths, CacheCompression compression) {
  std::string text;
  for (const auto& path : paths) text += path + "|";
  text += compression == CacheCompression::zstd ? "zstd-without-long" : "gzip";
  return std::string(oci::digest_of(text + "|1.0").hex());
}

Result<WrittenFile> write_cache_archive(const std::string& target, const std::string& workspace,
                                        const std::vector<std::string>& paths, CacheCompression compression) {
  const Utf8Locale utf8;
  const ArchiveWriter tar(archive_write_new());
  const bool filtered = compression == CacheCompression::zstd ? archive_write_add_filter_zstd(tar.get()) == ARCHIVE_OK
                                                              : archive_write_add_filter_gzip(tar.get()) == ARCHIVE_OK;
  if (!filtered || archive_write_set_format_pax(tar.get()) != ARCHIVE_OK ||
      archive_write_set_bytes_in_last_block(tar.get(), 1) != ARCHIVE_OK ||
      archive_write_open_filename(tar.get(), target.c_str()) != ARCHIVE_OK) {
    return archive_error(tar.get(), "making " + target);
  }
  {
    CacheWriter writer(tar.get(), normal_path(workspace));
    for (const auto& path : paths) DRYDOCK_TRY(writer.add(path));
  }
  if (archive_write_close(tar.get()) != ARCHIVE_OK) return archive_error(tar.get(), "writing " + target);
  struct stat status {};
  if (::stat(target.c_str(), &status) != 0) return errno_error("looking at " + target, errno);
  return WrittenFile{static_cast<std::uint64_t>(status.st_size), {}};
}

Status extract_cache_archive(const std::string& file, const std::string& workspace) {
  const Utf8Locale utf8;
  DRYDOCK_TRY(make_directories(workspace));
  const ArchiveReader reader(archive_read_new());
  archive_read_support_filter_zstd(reader.get());
  archive_read_support_filter_gzip(reader.get());
  archive_read_support_format_tar(reader.get());
  if (archive_read_open_filename(reader.get(), file.c_str(), k_buffer) != ARCHIVE_OK) {
    return archive_error(reader.get(), "opening the cache", ErrorCode::corrupted);
  }
  const ArchiveWriter disk(archive_write_disk_new());
  const int owner = ::geteuid() == 0 ? ARCHIVE_EXTRACT_OWNER : 0;
  archive_write_disk_set_options(disk.get(), ARCHIVE_EXTRACT_TIME | ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_UNLINK | owner);
  archive_write_disk_set_standard_lookup(disk.get());
  for (archive_entry* entry = nullptr;;) {
    const int got = archive_read_next_header(reader.get(), &entry);
    if (got == ARCHIVE_EOF) break;
    if (got < ARCHIVE_WARN) return archive_error(reader.get(), "reading the cache", ErrorCode::corrupted);
    const auto place = [&](const char* name) {
      const std::string text = name ? name : "";
      return normal_path(text.starts_with('/') ? text : workspace + "/" + text);
    };
    const auto path = place(archive_entry_pathname(entry));
    archive_entry_set_pathname(entry, path.c_str());
    if (const char* link = archive_entry_hardlink(entry)) archive_entry_set_hardlink(entry, place(link).c_str());
    if (archive_write_header(disk.get(), entry) < ARCHIVE_WARN) return archive_error(disk.get(), "writing " + path);
    if (archive_entry_size(entry) > 0) DRYDOCK_TRY(copy_data(reader.get(), disk.get(), path));
    if (archive_write_finish_entry(disk.get()) < ARCHIVE_WARN) return archive_error(disk.get(), "writing " + path);
  }
  if (archive_write_close(disk.get()) < ARCHIVE_WARN) return archive_error(disk.get(), "writing the cache's files");
  return {};
}

}  // namespace drydock::actions
