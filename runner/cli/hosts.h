#pragma once
// Where the steps of jobs can run here, as the command line and the operator's settings have it. Makes nothing yet.

#include "executors/base/events.h"
#include "executors/step/engine.h"
#include "runner/cli/workflow_arguments.h"

namespace drydock::runner {

/// `bus` (null for a plan, which runs nothing) hears of containers, and of a sandbox nobody asked for by name that cannot
/// be made, so that steps run on the host. `builder` makes the images of actions that have a Dockerfile.
step::Hosts hosts_of(const WorkflowArguments& arguments, const Config& config, Bus* bus,
                     build::BuildService* builder = nullptr);

}  // namespace drydock::runner
