#pragma once
// Fills the table of native actions with what this program gives them: registry log-ins, the platforms found here.

#include "executors/build/engine.h"
#include "executors/step/native_action.h"
#include "runner/cli/workflow_arguments.h"

namespace drydock::runner {

void register_actions(step::NativeActions& actions, const PreparedWorkflows& prepared,
                      const build::EngineOptions& options);

/// Platforms other than the host's that QEMU here would run, cheaply told: not by trying.
std::vector<Platform> emulated_platforms();

}  // namespace drydock::runner
