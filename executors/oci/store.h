#pragma once
// Store: one directory that many processes share: blobs in an OCI layout, metadata in SQLite (WAL).
// Owns the directory's layout and schema version; knows nothing of images. A kill at any instant loses at most
// the work in flight. Thread-safe; must not be carried over a fork (open it again in the child).

#include "executors/base/result.h"
#include "executors/oci/blob.h"
#include "executors/oci/digest.h"
#include "executors/oci/lease.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::oci {

class Database;

/// DRYDOCK_HOME; else /var/lib/drydock for real root; else $XDG_DATA_HOME/drydock (~/.local/share/drydock).
std::string default_store_root();

struct StoreOptions {
  std::string root;  // default_store_root() when empty
  std::chrono::milliseconds busy_timeout{60000};  // how long to wait for another process's transaction
};

enum class Hashing { here, elsewhere };

class Store {
 public:
  /// Makes the directory when needed. A store of a newer drydock is refused as `unsupported`.
  static Result<std::unique_ptr<Store>> open(StoreOptions options = {});
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  const std::string& root() const { return root_; }

  // Blobs. A lease of nullptr means session(): protected until this Store is closed.
  Result<BlobWriter> write_blob(const Lease* lease = nullptr, Hashing hashing = Hashing::here);
  Result<Digest> put_blob(std::string_view bytes, const Lease* lease = nullptr);
  /// The whole blob, checked against its digest; for manifests and configs. not_found, corrupted.
  Result<std::string> read_blob(const Digest& digest) const;
  bool has_blob(const Digest& digest) const;
  std::optional<std::uint64_t> blob_size(const Digest& digest) const;
  /// Where it is or would be.
  std::string blob_path(const Digest& digest) const;
  /// Reads and hashes it all; `corrupted` removes the blob, so that it is fetched again.
  Status verify_blob(const Digest& digest);

  Result<Lease> lease(std::string label);
  /// The lease of this Store object itself.
  Result<const Lease*> session();

  /// A directory below the root for other keepers (runs, actions); made when needed.
  Result<std::string> directory(std::string_view name) const;

  Database& database() { return *database_; }

 private:
  Store() = default;
  Status make_layout();
  void collect_ingests() const;

  std::string root_;
  std::unique_ptr<Database> database_;
  std::optional<Lease> session_;
};

}  // namespace drydock::oci
