#pragma once
// Brings the run's services to its jobs: what the engine asks for each job that runs an action. They are started for
// the first action that asks, and end with the function.

#include <functional>
#include <string>

#include "executors/base/events.h"
#include "executors/step/job_request.h"
#include "runner/services/run_services.h"

namespace drydock::runner {

JobFacts job_facts(const step::JobRequest& request, const std::string& run);

/// For step::JobServices::action_environment. `bus` must outlive it; its masker learns the tokens. Where the services
/// cannot be had, one warning says so and jobs go on without them.
std::function<Environment(const step::JobRequest&)> service_environment(RunServicesOptions options, Bus& bus);

}  // namespace drydock::runner
