#pragma once
// Unpacks the tarball of a commit as a server hands it out: everything below one directory. The archive is hostile:
// what leads out of the target, is neither file, directory nor symbolic link, comes twice, or is larger than any action
// should be, refuses all of it. No state.

#include <cstdint>
#include <string>

#include "executors/base/result.h"

namespace drydock::action_store {

struct ArchiveLimits {
  std::uint64_t bytes = 2ULL << 30;  // of all files, unpacked
  std::uint64_t entries = 200'000;
};

/// Into `directory`, which exists and is empty; without the one directory around everything. Modes keep only their
/// execute bits, times are not kept. corrupted with what is wrong; the target holds anything then.
Status unpack_action(const std::string& archive, const std::string& directory, const ArchiveLimits& limits = {});

}  // namespace drydock::action_store
