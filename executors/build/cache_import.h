#pragma once
// CacheImports: what --cache-from brings: step results of earlier builds, by key, without their layers' content.
// Loaded once at the start of a build; a cache that cannot be read is a warning, never a failure.
// Thread-safe after load().

#include <map>
#include <optional>
#include <unordered_map>

#include "executors/build/layer_chain.h"

namespace drydock::build {

/// A step's result elsewhere. No layer: the step changed nothing (`empty`), or only its key leads on (`leads_to`).
struct ImportedResult {
  std::optional<oci::Digest> diff_id;
  std::optional<oci::BlobInfo> blob;
  std::vector<oci::RemoteSource> sources;
  bool empty = false;
  std::optional<oci::Digest> leads_to;  // a copy's definition key → its content key
  std::string description;
  oci::TimePoint created{};
};

class CacheImports {
 public:
  /// Reads the caches of the request for these platforms, all at once.
  void load(Engine& engine, const std::vector<Platform>& platforms);
  const ImportedResult* find(const oci::Digest& key) const;
  bool any() const { return !results_.empty(); }

 private:
  std::unordered_map<oci::Digest, ImportedResult> results_;
};

}  // namespace drydock::build
