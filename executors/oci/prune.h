#pragma once
// prune: removes what nothing uses: old cache records and images first, then the snapshots and blobs that neither
// a remaining record or image nor a live lease reaches. Safe beside running builds and against a kill at any
// instant: rows go before what they name, and the next prune finishes.

#include "executors/base/result.h"
#include "executors/oci/records.h"
#include "executors/oci/store.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace drydock::oci {

struct PruneOptions {
  std::optional<std::chrono::seconds> unused_for;  // records and images not used for so long …
  std::optional<std::uint64_t> keep_bytes;         // … and the least recently used until the store is this small
  std::vector<std::string> kinds;                  // only records of these kinds; images are "image"
  bool all = false;                                // every record that no lease holds
};

struct PruneResult {
  std::size_t records = 0, images = 0, snapshots = 0, blobs = 0;
  std::uint64_t bytes = 0;
  std::vector<std::string> problems;  // what could not be removed: snapshots of another user namespace
};

Result<PruneResult> prune(Store& store, const PruneOptions& options);

struct DiskUsage {
  std::size_t records = 0, images = 0, snapshots = 0, blobs = 0, leases = 0;
  std::uint64_t blob_bytes = 0, snapshot_bytes = 0;
};

/// Sizes on disk; snapshots are measured once and remembered.
Result<DiskUsage> disk_usage(Store& store);

}  // namespace drydock::oci
