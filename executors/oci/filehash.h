#pragma once
// FileHashes: content digests of regular files, remembered by (device, inode, size, mtime, ctime), so that an
// unchanged tree costs an lstat and a row for each file. A file changed within the last two seconds is hashed and
// not remembered: it could change again without its times showing it.
// Thread-safe; a view on a Store that must outlive it.

#include "executors/base/result.h"
#include "executors/oci/digest.h"

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

namespace drydock::oci {

class Store;

struct FileHash {
  Digest digest;           // SHA-256 of the content
  std::uint64_t size = 0;
};

struct FileHashCounts {
  std::size_t remembered = 0;
  std::size_t hashed = 0;
  std::uint64_t bytes_hashed = 0;
};

class FileHashes {
 public:
  explicit FileHashes(Store& store) : store_(store) {}

  /// Digests in the order of `paths`, on all cores; symbolic links are not followed, and anything that is no
  /// regular file is an error.
  Result<std::vector<FileHash>> hash(const std::vector<std::string>& paths, std::stop_token stop = {},
                                     FileHashCounts* counts = nullptr);

 private:
  Store& store_;
};

}  // namespace drydock::oci
