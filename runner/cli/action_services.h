#pragma once
// What actions get of this program: native forms with registry log-ins and the platforms found here, the store that
// others are fetched into, the Node that runs them.

#include <memory>
#include <string>
#include <vector>

#include "executors/build/engine.h"
#include "executors/step/action_source.h"
#include "executors/step/native_action.h"
#include "executors/step/node_runtime.h"
#include "runner/cli/workflow_arguments.h"

namespace drydock::runner {

void register_actions(step::NativeActions& actions, const PreparedWorkflows& prepared,
                      const build::EngineOptions& options);

/// usage for an --action-source that is none.
Result<std::unique_ptr<step::ActionSource>> make_action_store(const WorkflowArguments& arguments, const Config& config);

/// What is said of each --action-source that a native form keeps from being used.
std::vector<std::string> unused_sources(const WorkflowArguments& arguments, const step::NativeActions& actions);

step::NodeSettings node_settings(const Config& config);

/// Platforms other than the host's that QEMU here would run, cheaply told: not by trying.
std::vector<Platform> emulated_platforms();

}  // namespace drydock::runner
