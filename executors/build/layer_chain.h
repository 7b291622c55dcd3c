#pragma once
// LayerRef and Chain: the layers of a root file system, each wherever it is at the moment: a local snapshot, a blob
// in the store, a blob in a registry. Brings a layer into the form somebody needs, and only then.
// Thread-safe: a LayerRef is shared by legs and stages.

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "executors/build/engine.h"
#include "executors/oci/layer.h"

namespace drydock::build {

struct LayerRef {
  std::mutex mutex;
  std::optional<oci::Digest> key;          // of the step that made it; none for a base image's
  std::string description;
  std::optional<oci::Snapshot> snapshot;   // local directory
  std::optional<oci::Digest> diff_id;
  std::optional<oci::BlobInfo> blob;
  std::vector<oci::RemoteSource> sources;  // where the blob can be had
  bool fresh = false;                      // made in this build
  bool empty = false;                      // packing showed that it changes nothing
  oci::TimePoint created{};                // when the step was done; part of the image's history
};
using LayerPtr = std::shared_ptr<LayerRef>;

/// Bottom first.
using Chain = std::vector<LayerPtr>;

/// Makes every layer of the chain a local directory (pulls and unpacks what is not); the directories, topmost
/// first, as an overlay takes them.
Result<std::vector<std::filesystem::path>> unpack_chain(Engine& engine, const Chain& chain);

/// The snapshot that a new layer on top of the chain has as its parent.
std::optional<oci::SnapshotId> parent_snapshot(const Chain& chain);

/// Packs the layers that have no blob yet; afterwards each has diff_id and blob. Layers that turn out to change
/// nothing are marked and left out of the result.
Result<Chain> pack_chain(Engine& engine, const Chain& chain, const oci::CompressOptions& compress);

/// The blob's bytes in the local store, fetched from its sources when they are not there.
Status ensure_blob(Engine& engine, LayerRef& layer);

/// OCI image specification, "Layer ChainID".
oci::Digest chain_id(const std::optional<oci::Digest>& parent, const oci::Digest& diff_id);

}  // namespace drydock::build
