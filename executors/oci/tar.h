#pragma once
// The tar format, both ways: ustar with PAX records where ustar has no room, GNU long names and sparse files when
// reading. Raw bytes throughout, no locale. Each object belongs to one thread at a time.

#include "executors/base/result.h"
#include "executors/oci/layer.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace drydock::oci {

enum class TarType { file, hard_link, symlink, char_device, block_device, directory, fifo };

struct TarEntry {
  std::string path;         // as written in the archive: not to be trusted
  TarType type = TarType::file;
  std::string link;         // symlink's text or hard link's target
  std::uint32_t mode = 0;   // permission bits, 07777
  std::uint32_t uid = 0, gid = 0;
  std::int64_t mtime = 0;   // seconds
  std::int64_t mtime_ns = 0;  // 0 … 999999999
  std::uint64_t size = 0;   // of the content; of a sparse file with its holes
  std::uint32_t device_major = 0, device_minor = 0;
  std::map<std::string, std::string> xattrs;
};

/// Writes entries into a sink, in pieces that it may keep no reference to.
class TarWriter {
 public:
  explicit TarWriter(ByteSink sink) : sink_(std::move(sink)) {}

  /// For a file exactly `entry.size` bytes of content follow, then end_file().
  Status header(const TarEntry& entry);
  Status content(std::string_view bytes);
  Status end_file();
  /// The two zero blocks.
  Status finish();
  std::uint64_t size() const { return size_; }

 private:
  Status put(std::string_view bytes);

  ByteSink sink_;
  std::uint64_t size_ = 0;
  std::uint64_t content_left_ = 0;
  std::uint64_t padding_ = 0;
};

/// A header's bytes, PAX records included.
std::string tar_header(const TarEntry& entry);

class TarReader {
 public:
  explicit TarReader(ByteSource source) : source_(std::move(source)) {}

  /// The next entry, or nothing at the end. Skips what is left of the content before.
  Result<std::optional<TarEntry>> next();
  /// Content of the file last returned; 0 at its end. Holes of a sparse file come as `hole` > 0 with size 0.
  struct Piece {
    std::size_t size = 0;
    std::uint64_t hole = 0;
  };
  Result<Piece> read(char* buffer, std::size_t size);
  /// Reads the source to its end: archives may have anything after the end mark, and it counts for the digest.
  Status drain();

 private:
  using Extents = std::vector<std::pair<std::uint64_t, std::uint64_t>>;  // offset, length
  struct Pax {
    std::map<std::string, std::string> values;
    std::map<std::string, std::string> xattrs;
    Extents sparse;
  };

  Result<bool> block(char* buffer);
  Status exactly(char* buffer, std::size_t size);
  Status skip(std::uint64_t size);
  Result<std::string> text(std::uint64_t size, const char* what);
  Status read_pax(std::uint64_t size, Pax& pax);
  Status apply_pax(const Pax& pax, TarEntry& entry);
  Result<bool> sparse_header(const char* header, Pax& pax, TarEntry& entry);
  Status gnu_sparse(const char* header, TarEntry& entry);
  Status pax_sparse_map();
  Status check_extents(std::uint64_t real_size) const;

  ByteSource source_;
  Pax global_;
  std::uint64_t stored_left_ = 0;  // content bytes of this entry still in the stream
  std::uint64_t padding_ = 0;
  Extents extents_;                // of a sparse file
  bool sparse_ = false;
  std::size_t extent_ = 0;
  std::uint64_t position_ = 0, real_size_ = 0, in_extent_ = 0;
  bool ended_ = false;
};

}  // namespace drydock::oci
