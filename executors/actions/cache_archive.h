#pragma once
// The archives of caches: tar, compressed by zstd or gzip, as @actions/cache makes them with GNU tar. Names are relative
// to the workspace and may lead out of it ("../../home/me/.npm"), as there: whoever may save a cache of a scope decides
// what a restore in that scope writes, so this runs where the job's steps run, with their rights. Blocking; no state.

#include <cstdint>
#include <string>
#include <vector>

#include "executors/actions/zip_file.h"
#include "executors/base/result.h"

namespace drydock::actions {

enum class CacheCompression { zstd, gzip };

/// SHA-256 over paths and compression, as @actions/cache computes it: the same cache for both.
std::string cache_version(const std::vector<std::string>& paths, CacheCompression compression);

/// `paths` are relative to the workspace; directories with all below them. Links stay links.
Result<WrittenFile> write_cache_archive(const std::string& target, const std::string& workspace,
                                        const std::vector<std::string>& paths, CacheCompression compression);

/// Either compression is recognised. Existing files are replaced; owners are set for root alone.
Status extract_cache_archive(const std::string& file, const std::string& workspace);

}  // namespace drydock::actions
