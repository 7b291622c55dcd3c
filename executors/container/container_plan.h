#pragma once
// From what a job asks for, its options and its image to what the OCI runtime gets. Pure, but for the users and groups
// that are looked up in the image. Internal to this room.

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "executors/base/result.h"
#include "executors/container/create_options.h"
#include "executors/container/pod_request.h"
#include "executors/container/port_mapping.h"
#include "executors/container/volume.h"
#include "executors/oci/image.h"
#include "executors/sandbox/runtime.h"

namespace drydock::container {

/// A container with everything read that can be wrong in it.
struct ContainerPlan {
  std::string name;  // for people: "job", "service 'db'", an action's
  ContainerRole role = ContainerRole::service;
  step::JobContainer wish;
  CreateOptions options;
  std::vector<PortMapping> ports;
  std::vector<Volume> volumes;
};
/// Errors begin with the place in the workflow, when it is known.
Result<ContainerPlan> plan_container(std::string name, ContainerRole role, const step::JobContainer& wish);

/// How often a container is asked for its health, and how.
struct HealthCheck {
  std::vector<std::string> test;  // argv
  std::chrono::milliseconds interval{30000}, timeout{30000}, start_period{0};
  int retries = 3;
};
/// Nothing when neither the options nor the image have one.
std::optional<HealthCheck> health_check_of(const HealthOptions& options, const oci::ContainerConfig& image);

/// The image's environment with the job's over it, and PATH.
Environment environment_of(const oci::ContainerConfig& image, const ContainerPlan& plan);

/// What the container's program is: entrypoint and command as docker puts them together; empty when there is neither.
std::vector<std::string> command_of(const oci::ContainerConfig& image, const std::optional<std::string>& entrypoint,
                                    const std::optional<std::vector<std::string>>& command);

struct HostName {
  std::string name, address;
};
/// "127.0.0.1 localhost …", then these.
std::string hosts_text(const std::vector<HostName>& names);
/// With name servers of the options, or the job's network's; `own` is the machine's text, for its search list.
std::string resolv_text(const CreateOptions& options, const std::string& server, const std::string& own);

/// Everything of the spec that follows from the options: limits, capabilities, mounts of tmpfs, user, directory.
Result<sandbox::ContainerSpec> container_spec(const ContainerPlan& plan, const oci::ContainerConfig& image,
                                              const std::filesystem::path& root);

}  // namespace drydock::container
