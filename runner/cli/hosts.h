#pragma once
// Where the steps of jobs can run here, as the command line and the operator's settings have it. Makes nothing yet.

#include "executors/base/events.h"
#include "executors/step/engine.h"
#include "runner/cli/workflow_arguments.h"

namespace drydock::runner {

/// `bus` (may be null) is told when a sandbox nobody asked for by name cannot be made, and steps run on the host.
step::Hosts hosts_of(const WorkflowArguments& arguments, const Config& config, Bus* bus);

}  // namespace drydock::runner
