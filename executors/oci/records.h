#pragma once
// Records: what the store remembers about results: cache records by key, layers by diff id, images by name, and
// where blobs can be had remotely. Rows never promise that a blob is here: ask Store::has_blob after protecting.
// Thread-safe; a view on a Store that must outlive it.

#include "executors/base/result.h"
#include "executors/oci/blob.h"
#include "executors/oci/digest.h"
#include "executors/oci/snapshot.h"
#include "executors/oci/store.h"

#include <nlohmann/json.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::oci {

using TimePoint = std::chrono::system_clock::time_point;

enum class Compression { none, gzip, zstd };
std::string_view name_of(Compression compression);

/// The result of one build step, under its content key.
struct CacheRecord {
  Digest key;
  std::optional<SnapshotId> snapshot;  // local layer, in the namespace of this view
  std::optional<Digest> diff_id;       // of the layer, once known
  std::optional<BlobInfo> blob;        // its blob, local or not
  std::optional<Digest> parent;        // key of the record below
  std::string kind;                    // "layer", "empty", "context", …: the writer's word
  std::string description;             // what a person calls it: "RUN npm ci"
  nlohmann::json extra;                // the writer's, with its own "schema"
  TimePoint created{};                 // set by put when left empty
  TimePoint last_used{};
};

/// One uncompressed layer and the blobs that hold it.
struct LayerForm {
  Compression compression = Compression::none;
  BlobInfo blob;
};
struct LayerInfo {
  Digest diff_id;
  std::uint64_t tar_size = 0;  // 0 when unknown
  std::vector<LayerForm> forms;
};

/// A pulled or made image: keeps its manifest, config and layers from being pruned while it is in use.
struct ImageRecord {
  std::string name;              // the caller's: "docker.io/library/node:22-slim linux/arm64"
  BlobInfo target;               // manifest or index
  std::vector<Digest> contents;  // all blobs that it reaches
  TimePoint last_used{};
};

/// A repository in which a blob is known to be.
struct RemoteSource {
  std::string registry;    // "host:port"
  std::string repository;  // "library/node"
  friend bool operator==(const RemoteSource&, const RemoteSource&) = default;
};

class Records {
 public:
  /// `snapshots` decides which snapshot ids are seen; without it records have none.
  explicit Records(Store& store, const SnapshotStore* snapshots = nullptr);

  /// Inserts or replaces; absent snapshot, diff_id and blob do not erase known ones of an equal key.
  Status put(const CacheRecord& record);
  /// Protects the record and its snapshot by the lease (the session's when nullptr) before returning it, and
  /// marks it used.
  Result<std::optional<CacheRecord>> find(const Digest& key, const Lease* lease = nullptr);
  /// All of them in one transaction; answers in the order of the keys.
  Result<std::vector<std::optional<CacheRecord>>> find_all(const std::vector<Digest>& keys,
                                                           const Lease* lease = nullptr);
  Status touch(const Digest& key);
  Status erase(const Digest& key);
  /// Most recently used first.
  Result<std::vector<CacheRecord>> list(std::size_t limit = 0);

  Status put_layer(const Digest& diff_id, std::uint64_t tar_size, const std::vector<LayerForm>& forms);
  Result<std::optional<LayerInfo>> find_layer(const Digest& diff_id);
  Result<std::optional<Digest>> diff_id_of(const Digest& blob);

  Status put_image(const ImageRecord& image);
  Result<std::optional<ImageRecord>> find_image(const std::string& name, const Lease* lease = nullptr);
  Status erase_image(const std::string& name);
  Result<std::vector<ImageRecord>> images();

  Status add_source(const Digest& blob, const RemoteSource& source);
  /// Most recently seen first.
  Result<std::vector<RemoteSource>> sources(const Digest& blob);
  /// For a registry that denies it after all.
  Status forget_source(const Digest& blob, const RemoteSource& source);

 private:
  Store& store_;
  std::string namespace_;
};

}  // namespace drydock::oci
