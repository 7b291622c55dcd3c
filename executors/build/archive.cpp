#include "executors/build/archive.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "executors/base/archive_library.h"

namespace drydock::build {

namespace {

Error archive_error(archive* a, const std::string& path) {
  const auto* text = archive_error_string(a);
  return make_error(ErrorCode::invalid_input, "archive \"/" + path + "\": " + (text ? text : "damaged"));
}

ArchiveReader open_reader(int fd) {
  ArchiveReader reader(archive_read_new());
  archive_read_support_filter_gzip(reader.get());
  archive_read_support_filter_bzip2(reader.get());
  archive_read_support_filter_xz(reader.get());
  archive_read_support_filter_zstd(reader.get());
  archive_read_support_format_tar(reader.get());
  if (archive_read_open_fd(reader.get(), fd, 1 << 16) != ARCHIVE_OK) return nullptr;
  return reader;
}

Status copy_entry_data(archive* from, archive* to, const std::string& path) {
  const void* block = nullptr;
  std::size_t size = 0;
  la_int64_t offset = 0;
  for (;;) {
    const int status = archive_read_data_block(from, &block, &size, &offset);
    if (status == ARCHIVE_EOF) return {};
    if (status < ARCHIVE_WARN) return archive_error(from, path);
    if (archive_write_data_block(to, block, size, offset) < ARCHIVE_WARN) return archive_error(to, path);
  }
}

/// libarchive writes below the current directory only through paths, so each one is put below `directory`.
Status unpack(archive* reader, archive_entry* first, const std::string& directory, const std::string& path) {
  ArchiveWriter disk(archive_write_disk_new());
  archive_write_disk_set_options(disk.get(), ARCHIVE_EXTRACT_PERM | ARCHIVE_EXTRACT_TIME | ARCHIVE_EXTRACT_OWNER |
                                                   ARCHIVE_EXTRACT_XATTR | ARCHIVE_EXTRACT_SECURE_SYMLINKS |
                                                   ARCHIVE_EXTRACT_SECURE_NODOTDOT);
  int status = ARCHIVE_OK;
  for (auto* entry = first; status != ARCHIVE_EOF; status = archive_read_next_header(reader, &entry)) {
    if (status < ARCHIVE_WARN) return archive_error(reader, path);
    const auto name = clean_relative(archive_entry_pathname(entry));
    if (name.empty()) continue;
    archive_entry_set_pathname(entry, (directory + "/" + name).c_str());
    if (const auto* link = archive_entry_hardlink(entry)) {
      archive_entry_set_hardlink(entry, (directory + "/" + clean_relative(link)).c_str());
    }
    if (archive_write_header(disk.get(), entry) < ARCHIVE_WARN) return archive_error(disk.get(), path);
    DRYDOCK_TRY(copy_entry_data(reader, disk.get(), path));
  }
  if (archive_write_close(disk.get()) < ARCHIVE_WARN) return archive_error(disk.get(), path);
  return {};
}

}  // namespace

Result<std::shared_ptr<FileTree>> unpack_if_archive(Engine& engine, FileTree& tree, const std::string& path) {
  const auto none = std::shared_ptr<FileTree>{};
  DRYDOCK_ASSIGN(const auto fd, tree.open_at(path, O_RDONLY));
  struct stat st {};
  if (::fstat(fd.get(), &st) != 0 || !S_ISREG(st.st_mode)) return none;
  const auto reader = open_reader(fd.get());
  archive_entry* first = nullptr;
  if (!reader || archive_read_next_header(reader.get(), &first) < ARCHIVE_WARN) return none;
  if ((archive_format(reader.get()) & ARCHIVE_FORMAT_TAR) != ARCHIVE_FORMAT_TAR || !first) return none;
  DRYDOCK_ASSIGN(const auto directory, engine.new_directory("unpacked"));
  DRYDOCK_TRY(unpack(reader.get(), first, directory, path));
  return FileTree::open(directory);
}

}  // namespace drydock::build
