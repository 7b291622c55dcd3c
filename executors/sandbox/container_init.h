#pragma once
// A tiny process 1 for containers: starts the program as its child, reaps, and passes its status on. Emulated
// programs need it: QEMU ends a crashed program by a signal to itself, which process 1 ignores, and then waits for
// ever. Native machine code, bound into the container's /dev, so it leaves nothing in a layer. Internal.

#include <filesystem>
#include <optional>
#include <string_view>

#include "executors/base/result.h"
#include "executors/sandbox/runtime.h"

namespace drydock::sandbox {

/// Static ELF file for the architecture; empty where there is none.
std::string_view container_init(std::string_view architecture);

/// Puts it before the program; unchanged when there is none for this machine or the program is not in the root file
/// system (the runtime then says so, or finds it in a mount).
Result<ContainerSpec> with_container_init(ContainerSpec spec, const std::filesystem::path& state_dir);

}  // namespace drydock::sandbox
