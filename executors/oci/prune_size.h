#pragma once
// Sizes on disk. Internal to prune.

#include <cstdint>
#include <string>

namespace drydock::oci {

/// Blocks that a tree occupies, a file of several names once; what cannot be read counts nothing.
std::uint64_t tree_bytes(const std::string& path);

}  // namespace drydock::oci
