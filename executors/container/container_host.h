#pragma once
// Places for jobs with containers: steps run in the job's container, or on the inner place beside services; container
// actions run beside either. Owns no containers itself: the factories' products do. Factories may be called from many
// threads.

#include <string>
#include <vector>

#include "executors/base/events.h"
#include "executors/build/build_service.h"
#include "executors/container/pod_request.h"
#include "executors/step/engine.h"

namespace drydock::container {

struct ContainerOptions {
  std::string program = "/proc/self/exe";  // this program, for `containers --stdio`
  build::EngineOptions engine;
  Bus* bus = nullptr;                      // required
  build::BuildService* builder = nullptr;  // for actions with a Dockerfile; without it they are refused
  std::string default_image;               // of jobs that name none, with isolation `container`
  std::vector<SharedPath> shared;          // beside the job's own places
  std::string node_directory;              // where Nodes for containers are kept; without it there are none
};

/// `inner` for host and sandbox, each with services and container actions where a job has them; and `container`.
step::Hosts with_containers(ContainerOptions options, step::Hosts inner);

}  // namespace drydock::container
