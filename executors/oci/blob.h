#pragma once
// Blobs: immutable byte strings named by their SHA-256, in an OCI layout (blobs/sha256/<hex>).
// A blob becomes visible only after fsync and rename, so a file that is there is whole.
// A BlobWriter belongs to one thread at a time; different writers are independent, also for the same content.

#include "executors/base/result.h"
#include "executors/oci/digest.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace drydock::oci {

class Lease;
class Store;

/// What a registry calls a descriptor, as far as the store remembers it.
struct BlobInfo {
  std::string media_type;
  Digest digest;
  std::uint64_t size = 0;
  std::map<std::string, std::string> annotations;
};

/// Takes a blob's bytes in pieces and hashes them on the way. Destroying it uncommitted leaves nothing.
class BlobWriter {
 public:
  BlobWriter(BlobWriter&& other) noexcept;
  BlobWriter& operator=(BlobWriter&& other) noexcept;
  BlobWriter(const BlobWriter&) = delete;
  BlobWriter& operator=(const BlobWriter&) = delete;
  ~BlobWriter();

  Status write(std::string_view piece);
  std::uint64_t size() const { return size_; }
  /// Makes the blob durable and visible and protects it by the writer's lease. With `expected`, other content is
  /// refused as `corrupted`.
  Result<Digest> commit(const std::optional<Digest>& expected = {});
  /// The same when the bytes were hashed elsewhere, on another thread: pass hashing off when opening.
  Result<Digest> commit_as(const Digest& known);
  void abort();

 private:
  friend class Store;
  BlobWriter() = default;
  Status make_durable();
  Status publish(const Digest& digest);

  Store* store_ = nullptr;
  const Lease* lease_ = nullptr;
  std::string path_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
  std::uint64_t written_back_ = 0;  // bytes whose write-back was started
  std::optional<Sha256> hash_;
};

}  // namespace drydock::oci
