#pragma once
// The inputs of docker/build-push-action as a BuildRequest. Reads the environment and secret files that inputs
// name; builds nothing.

#include <string>
#include <vector>

#include "executors/base/result.h"
#include "executors/build/build_service.h"
#include "executors/step/action_context.h"

namespace drydock::actions {

/// What is built when no context is given: the commit of the event, from the user's repository, and not the
/// workspace, whatever the steps before changed in it.
std::string default_build_context(const step::ActionContext& context);

/// usage or unsupported, naming the input. Warnings go to the context; secrets are masked.
Result<build::BuildRequest> read_build_request(step::ActionContext& context);

/// What `provenance`, `attests` and the defaults come to, for the request: "", "false", "mode=max", ….
Result<std::string> provenance_of(const step::ActionContext& context, const std::vector<std::string>& attests,
                                  const std::vector<build::OutputSpec>& outputs, bool load);

}  // namespace drydock::actions
