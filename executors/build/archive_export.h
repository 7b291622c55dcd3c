#pragma once
// Outputs that are files: an OCI layout (type=oci), an archive for `docker load` (type=docker), the root file system as
// a directory (type=local) or an archive (type=tar). Written beside the destination and renamed over it when whole.

#include <string>
#include <vector>

#include "executors/build/image_export.h"

namespace drydock::build {

/// Returns what was written. `images` and `legs` are in the same order.
Result<std::string> export_archive(Engine& engine, const OutputSpec& output, const std::vector<const LegImage*>& images,
                                   const std::vector<Leg*>& legs);

}  // namespace drydock::build
