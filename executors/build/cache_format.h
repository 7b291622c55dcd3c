#pragma once
// The registry cache of drydock: its documents and names. Pure functions.
//
// The truth is one tag for each (target, platform), derived from the ref; each is an OCI image manifest whose config
// (k_cache_config_type) lists step results by key and whose layers hold their content. The ref itself is an index over
// them. See docs/formats/registry-cache.md.

#include <map>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "executors/base/platform.h"
#include "executors/build/cache_import.h"

namespace drydock::build {

inline constexpr const char* k_cache_config_type = "application/vnd.drydock.cache.config.v1+json";
inline constexpr const char* k_cache_index_annotation = "vnd.drydock.cache.schema";
inline constexpr const char* k_cache_target_annotation = "vnd.drydock.cache.target";

/// "buildcache" for target "" and linux/arm64 → "buildcache.linux-arm64"; with a target "buildcache.web.linux-arm64".
/// Cut and hashed where a tag would be longer than 128 characters.
std::string cache_tag(const std::string& tag, const std::string& target, const Platform& platform);

/// One line of the config.
struct CacheEntry {
  oci::Digest key;
  ImportedResult result;
};

nlohmann::json cache_config(const std::vector<CacheEntry>& entries);
/// code unsupported for a newer schema, invalid_input for what is no cache config.
Result<std::vector<CacheEntry>> read_cache_config(std::string_view text);

}  // namespace drydock::build
