#pragma once
// Layers between their two forms: a tar stream (maybe compressed) and an overlay layer directory.
// Container ids and version-2 file capabilities in the tar, so root and a user namespace make the same bytes.
// Stateless; each call may be on its own thread. Archives are hostile: nothing is written outside the target.

#include "executors/base/result.h"
#include "executors/oci/blob.h"
#include "executors/oci/digest.h"
#include "executors/oci/records.h"
#include "executors/oci/snapshot.h"
#include "executors/oci/store.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::oci {

/// Fills the buffer and returns how much of it; 0 at the end.
using ByteSource = std::function<Result<std::size_t>(char* buffer, std::size_t size)>;
using ByteSink = std::function<Status(std::string_view)>;

inline constexpr std::string_view k_layer_tar = "application/vnd.oci.image.layer.v1.tar";
inline constexpr std::string_view k_layer_gzip = "application/vnd.oci.image.layer.v1.tar+gzip";
inline constexpr std::string_view k_layer_zstd = "application/vnd.oci.image.layer.v1.tar+zstd";

/// OCI's and Docker's layer types, the foreign ones included; nothing when it is no layer.
std::optional<Compression> compression_of(std::string_view media_type);
/// OCI's type for it.
std::string_view layer_media_type(Compression compression);

/// Ids on disk → ids in the layer. Empty is the identity, which is right for root and inside a user namespace.
struct IdRange {
  std::uint32_t container = 0, host = 0, count = 0;
};
struct IdMap {
  std::vector<IdRange> uids, gids;
};

struct ApplyOptions {
  SnapshotFormat format = SnapshotFormat::root;
  std::vector<std::string> lower;          // fs directories below, topmost first (SnapshotStore::chain of the parent)
  std::optional<Digest> expected_blob;     // of the stream as it comes
  std::optional<Digest> expected_diff_id;  // of the tar
  std::stop_token stop;
  std::function<void(std::uint64_t bytes_read)> on_progress;  // of the compressed stream
};

struct ApplyResult {
  Digest blob;
  Digest diff_id;
  std::uint64_t blob_size = 0, tar_size = 0;
  std::size_t entries = 0;
  std::vector<std::string> notes;  // what could not be done here: "skipped device node dev/null: not permitted"
};

/// Unpacks a layer into the empty overlay layer directory `target` (Snapshot::fs). A wrong digest is `corrupted`;
/// the directory is then to be abandoned.
Result<ApplyResult> apply_layer(const ByteSource& source, std::string_view media_type, const std::string& target,
                                const ApplyOptions& options = {});
Result<ApplyResult> apply_layer(const std::string& blob_path, std::string_view media_type,
                                const std::string& target, const ApplyOptions& options = {});

struct DiffOptions {
  SnapshotFormat format = SnapshotFormat::root;  // of upper and lower
  std::optional<std::int64_t> clamp_mtime;  // later times become this one, seconds since 1970 (SOURCE_DATE_EPOCH)
  IdMap ids;
  std::stop_token stop;
};

struct DiffResult {
  std::size_t entries = 0;  // 0: nothing changed
  std::uint64_t tar_size = 0;
};

/// Writes the tar of what `upper` changes over `lower` (topmost first): sorted and deterministic, whiteouts as
/// .wh. files, times in whole seconds, no entry equal to the one below, sockets left out.
Result<DiffResult> diff_layer(const std::string& upper, const std::vector<std::string>& lower, const ByteSink& sink,
                              const DiffOptions& options = {});

struct CompressOptions {
  Compression compression = Compression::gzip;
  int level = -1;             // gzip 0–3 as ISA-L has them, zstd 1–22; -1 chooses
  unsigned threads = 0;       // all cores when 0; the output does not depend on it
};

struct PackedLayer {
  Digest diff_id;
  BlobInfo blob;              // media type of OCI
  std::uint64_t tar_size = 0;
  std::size_t entries = 0;    // 0: nothing changed; the blob is then that of an empty tar
};

/// diff_layer, compressed into a blob of the store, and noted in its layer table; all stages run side by side.
Result<PackedLayer> diff_to_layer(Store& store, const std::string& upper, const std::vector<std::string>& lower,
                                  const DiffOptions& diff = {}, const CompressOptions& compress = {},
                                  const Lease* lease = nullptr);

/// The same from whoever writes a tar into the sink it is given.
using TarProducer = std::function<Status(const ByteSink&)>;
Result<PackedLayer> pack_layer(Store& store, const TarProducer& producer, const CompressOptions& compress = {},
                               const Lease* lease = nullptr);

/// Hashes the tar and keeps nothing; `blob` of the result stays empty.
Result<PackedLayer> diff_digest(const std::string& upper, const std::vector<std::string>& lower,
                                const DiffOptions& diff = {});

/// A local layer blob in another compression; the one it has when that is the same.
Result<PackedLayer> convert_layer(Store& store, const BlobInfo& blob, const CompressOptions& compress,
                                  const Lease* lease = nullptr);

}  // namespace drydock::oci
