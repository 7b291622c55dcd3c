#pragma once
// libarchive's functions under their own names and its objects with owners, from a library that is loaded when the first of them is called
// (docs/adr/0018-libraries-loaded-at-first-use.md). Include it instead of <archive.h>, and call them unqualified.
// Thread-safe. Without the library the process ends with the loader's message, as it would at its start.

#include <archive.h>
#include <archive_entry.h>

#include <atomic>
#include <memory>

namespace drydock {

void* archive_function(const char* name);

template <class Function>
class ArchiveFunction {
 public:
  constexpr explicit ArchiveFunction(const char* name) : name_(name) {}
  template <class... Arguments>
  auto operator()(Arguments... arguments) const {
    auto* function = function_.load(std::memory_order_relaxed);
    if (!function) {
      function = reinterpret_cast<Function*>(archive_function(name_));
      function_.store(function, std::memory_order_relaxed);
    }
    return function(arguments...);
  }

 private:
  const char* name_;
  mutable std::atomic<Function*> function_{nullptr};
};

// A type in a template's argument loses attributes, such as that of archive_set_error's format.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"
#define DRYDOCK_ARCHIVE_FUNCTION(name) inline constinit const ArchiveFunction<decltype(::name)> name(#name)
DRYDOCK_ARCHIVE_FUNCTION(archive_entry_filetype);
DRYDOCK_ARCHIVE_FUNCTION(archive_entry_free);
DRYDOCK_ARCHIVE_FUNCTION(archive_entry_hardlink);
DRYDOCK_ARCHIVE_FUNCTION(archive_entry_linkify);
DRYDOCK_ARCHIVE_FUNCTION(archive_entry_linkresolver_free);
DRYDOCK_ARCHIVE_FUNCTION(archive_entry_linkresolver_new);
DRYDOCK_ARCHIVE_FUNCTION(archive_entry_linkresolver_set_strategy);
DRYDOCK_ARCHIVE_FUNCTION(archive_entry_new);
DRYDOCK_ARCHIVE_FUNCTION(archive_entry_pathname);
DRYDOCK_ARCHIVE_FUNCTION(archive_entry_perm);
DRYDOCK_ARCHIVE_FUNCTION(archive_entry_set_filetype);
DRYDOCK_ARCHIVE_FUNCTION(archive_entry_set_gid);
DRYDOCK_ARCHIVE_FUNCTION(archive_entry_set_hardlink);
DRYDOCK_ARCHIVE_FUNCTION(archive_entry_set_mode);
DRYDOCK_ARCHIVE_FUNCTION(archive_entry_set_mtime);
DRYDOCK_ARCHIVE_FUNCTION(archive_entry_set_pathname);
DRYDOCK_ARCHIVE_FUNCTION(archive_entry_set_perm);
DRYDOCK_ARCHIVE_FUNCTION(archive_entry_set_rdev);
DRYDOCK_ARCHIVE_FUNCTION(archive_entry_set_size);
DRYDOCK_ARCHIVE_FUNCTION(archive_entry_set_symlink);
DRYDOCK_ARCHIVE_FUNCTION(archive_entry_set_uid);
DRYDOCK_ARCHIVE_FUNCTION(archive_entry_size);
DRYDOCK_ARCHIVE_FUNCTION(archive_entry_sourcepath);
DRYDOCK_ARCHIVE_FUNCTION(archive_entry_symlink);
DRYDOCK_ARCHIVE_FUNCTION(archive_error_string);
DRYDOCK_ARCHIVE_FUNCTION(archive_format);
DRYDOCK_ARCHIVE_FUNCTION(archive_read_data);
DRYDOCK_ARCHIVE_FUNCTION(archive_read_data_block);
DRYDOCK_ARCHIVE_FUNCTION(archive_read_disk_descend);
DRYDOCK_ARCHIVE_FUNCTION(archive_read_disk_new);
DRYDOCK_ARCHIVE_FUNCTION(archive_read_disk_open);
DRYDOCK_ARCHIVE_FUNCTION(archive_read_disk_set_behavior);
DRYDOCK_ARCHIVE_FUNCTION(archive_read_disk_set_standard_lookup);
DRYDOCK_ARCHIVE_FUNCTION(archive_read_disk_set_symlink_physical);
DRYDOCK_ARCHIVE_FUNCTION(archive_read_free);
DRYDOCK_ARCHIVE_FUNCTION(archive_read_new);
DRYDOCK_ARCHIVE_FUNCTION(archive_read_next_header);
DRYDOCK_ARCHIVE_FUNCTION(archive_read_next_header2);
DRYDOCK_ARCHIVE_FUNCTION(archive_read_open_fd);
DRYDOCK_ARCHIVE_FUNCTION(archive_read_open_filename);
DRYDOCK_ARCHIVE_FUNCTION(archive_read_set_format_option);
DRYDOCK_ARCHIVE_FUNCTION(archive_read_support_filter_bzip2);
DRYDOCK_ARCHIVE_FUNCTION(archive_read_support_filter_gzip);
DRYDOCK_ARCHIVE_FUNCTION(archive_read_support_filter_xz);
DRYDOCK_ARCHIVE_FUNCTION(archive_read_support_filter_zstd);
DRYDOCK_ARCHIVE_FUNCTION(archive_read_support_format_tar);
DRYDOCK_ARCHIVE_FUNCTION(archive_read_support_format_zip);
DRYDOCK_ARCHIVE_FUNCTION(archive_set_error);
DRYDOCK_ARCHIVE_FUNCTION(archive_write_add_filter_gzip);
DRYDOCK_ARCHIVE_FUNCTION(archive_write_add_filter_zstd);
DRYDOCK_ARCHIVE_FUNCTION(archive_write_close);
DRYDOCK_ARCHIVE_FUNCTION(archive_write_data);
DRYDOCK_ARCHIVE_FUNCTION(archive_write_data_block);
DRYDOCK_ARCHIVE_FUNCTION(archive_write_disk_new);
DRYDOCK_ARCHIVE_FUNCTION(archive_write_disk_set_options);
DRYDOCK_ARCHIVE_FUNCTION(archive_write_disk_set_standard_lookup);
DRYDOCK_ARCHIVE_FUNCTION(archive_write_finish_entry);
DRYDOCK_ARCHIVE_FUNCTION(archive_write_free);
DRYDOCK_ARCHIVE_FUNCTION(archive_write_header);
DRYDOCK_ARCHIVE_FUNCTION(archive_write_new);
DRYDOCK_ARCHIVE_FUNCTION(archive_write_open);
DRYDOCK_ARCHIVE_FUNCTION(archive_write_open_fd);
DRYDOCK_ARCHIVE_FUNCTION(archive_write_open_filename);
DRYDOCK_ARCHIVE_FUNCTION(archive_write_set_bytes_in_last_block);
DRYDOCK_ARCHIVE_FUNCTION(archive_write_set_bytes_per_block);
DRYDOCK_ARCHIVE_FUNCTION(archive_write_set_format_option);
DRYDOCK_ARCHIVE_FUNCTION(archive_write_set_format_pax);
DRYDOCK_ARCHIVE_FUNCTION(archive_write_set_format_pax_restricted);
DRYDOCK_ARCHIVE_FUNCTION(archive_write_set_format_zip);
#undef DRYDOCK_ARCHIVE_FUNCTION
#pragma GCC diagnostic pop

struct ArchiveEnd {
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
  void operator()(archive_entry_linkresolver* resolver) const { archive_entry_linkresolver_free(resolver); }
};
struct ArchiveReadEnd {
  void operator()(archive* handle) const { archive_read_free(handle); }
};
struct ArchiveWriteEnd {
  void operator()(archive* handle) const { archive_write_free(handle); }
};
using ArchiveEntry = std::unique_ptr<archive_entry, ArchiveEnd>;
using ArchiveLinks = std::unique_ptr<archive_entry_linkresolver, ArchiveEnd>;
using ArchiveReader = std::unique_ptr<archive, ArchiveReadEnd>;
using ArchiveWriter = std::unique_ptr<archive, ArchiveWriteEnd>;

}  // namespace drydock
