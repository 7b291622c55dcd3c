#pragma once
// Tarballs with whatever a test wants in them, hostile entries too. Written by libarchive.

#include <archive.h>
#include <archive_entry.h>

#include <memory>
#include <string>
#include <vector>

namespace drydock::test {

struct Entry {
  enum Kind { file, directory, link, hard_link, device };
  std::string path;
  std::string text;  // or what a link names
  Kind kind = file;
  int mode = 0644;
};

inline std::string tarball(const std::vector<Entry>& entries) {
  std::string out(64 << 20, '\0');
  std::size_t used = 0;
  const std::unique_ptr<archive, decltype(&archive_write_free)> writer(archive_write_new(), archive_write_free);
  archive_write_add_filter_gzip(writer.get());
  archive_write_set_format_pax(writer.get());
  archive_write_open_memory(writer.get(), out.data(), out.size(), &used);
  for (const auto& each : entries) {
    const std::unique_ptr<archive_entry, decltype(&archive_entry_free)> entry(archive_entry_new(), archive_entry_free);
    archive_entry_set_pathname(entry.get(), each.path.c_str());
    archive_entry_set_perm(entry.get(), static_cast<unsigned>(each.mode));
    const unsigned types[] = {AE_IFREG, AE_IFDIR, AE_IFLNK, AE_IFREG, AE_IFCHR};
    archive_entry_set_filetype(entry.get(), types[each.kind]);
    if (each.kind == Entry::link) archive_entry_set_symlink(entry.get(), each.text.c_str());
    if (each.kind == Entry::hard_link) archive_entry_set_hardlink(entry.get(), each.text.c_str());
    if (each.kind == Entry::file) archive_entry_set_size(entry.get(), static_cast<la_int64_t>(each.text.size()));
    archive_write_header(writer.get(), entry.get());
    if (each.kind == Entry::file) archive_write_data(writer.get(), each.text.data(), each.text.size());
  }
  archive_write_close(writer.get());
  out.resize(used);
  return out;
}

}  // namespace drydock::test
