#pragma once
// The containers that a job asks for, `container:` and `services:`, with every expression evaluated. Plain values;
// nothing here knows how containers are run.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "executors/base/result.h"
#include "executors/step/evaluator.h"
#include "executors/step/job_request.h"

namespace drydock::step {

struct RegistryLogin {
  std::string username, password;
};

struct JobContainer {
  std::string image;  // without docker://
  std::vector<std::pair<std::string, std::string>> env;
  std::vector<std::string> ports, volumes;
  std::string options;  // as for `docker create`, unsplit
  std::optional<std::string> entrypoint, command;  // of a service, unsplit
  std::optional<RegistryLogin> login;
  Place place, options_place;
};

struct JobContainers {
  std::optional<JobContainer> container;
  std::vector<std::pair<std::string, JobContainer>> services;  // by id, in the workflow's order

  bool empty() const { return !container && services.empty(); }
};

/// An image that comes out empty is no container, and such a service is left out, as on GitHub.
/// Errors are invalid_input; Evaluator::place() tells where.
Result<JobContainers> evaluate_containers(const JobRequest& request, Evaluator& evaluator, const Context& context);

/// Whether the job names a container or services at all; known before anything is evaluated.
bool names_containers(const JobRequest& request);

}  // namespace drydock::step
