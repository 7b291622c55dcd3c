#pragma once
// How much artifacts and caches may take, and for how long. Plain values, from `services:` of the user's drydock.yaml.

#include <cstdint>

namespace drydock::runner {

struct ServiceLimits {
  std::uint64_t cache_bytes = 10ULL << 30;     // of all caches; the least used go first
  int cache_unused_days = 7;                   // a cache that nothing asked for so long goes
  std::uint64_t artifact_bytes = 10ULL << 30;  // of all artifacts; those of ended runs go first
  int artifact_days = 90;                      // retention where an upload asks for none, and the most it may ask for
};

}  // namespace drydock::runner
