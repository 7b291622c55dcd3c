#pragma once
// What the two halves of this room say to each other: the runner's side asks, the side in the namespaces of its own
// (serve_pod) makes containers and answers. Plain values, as JSON.

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "executors/base/process.h"
#include "executors/base/result.h"
#include "executors/build/engine.h"
#include "executors/step/job_container.h"

namespace drydock::container {

/// How a directory of the machine that is no place of the job comes into a container.
enum class HostFiles {
  shared,  // as it is: what is written there is written
  copied,  // copy-on-write, so that the machine stays as it is
};
/// Whether --privileged may be had.
enum class PrivilegedContainers { refused, allowed };

/// A directory or file of the machine with the same path inside.
struct SharedPath {
  std::string path;
  bool read_only = false;
};

struct PodRequest {
  std::string job;                     // key, for events
  build::EngineOptions engine;
  std::string docker_config;           // the job's credentials
  std::string workspace, temp;
  std::string node;                    // directory that becomes the Node of the job's container
  std::vector<SharedPath> shared;      // in every container of the job, workspace and temp among them
  std::vector<std::uint16_t> loopback; // ports of the machine's loopback that containers reach as their own
  HostFiles host_files = HostFiles::copied;
  PrivilegedContainers privileged = PrivilegedContainers::refused;
  step::JobContainers containers;
};

/// A container action, less its streams.
struct ActionRequest {
  std::string name, image;
  std::optional<std::string> entrypoint;
  std::vector<std::string> args;
  Environment environment;
  std::string directory;
  std::vector<std::pair<std::string, std::string>> mounts;  // of the machine, inside
};

/// The job's container and its services, when all of them are ready.
struct PodAnswer {
  struct Service {
    std::string id;
    std::map<std::string, std::string> ports;  // inside → on the machine
  };
  std::string network;
  std::string container;     // id; empty when the job has none
  Environment environment;   // of the job's container: the image's and its own
  std::vector<std::pair<std::string, Service>> services;
};

nlohmann::json to_json(const PodRequest& request);
nlohmann::json to_json(const ActionRequest& request);
nlohmann::json to_json(const PodAnswer& answer);
nlohmann::json to_json(const Error& error);
/// An unknown form is invalid_input.
Result<PodRequest> pod_request_from_json(const nlohmann::json& json);
Result<ActionRequest> action_request_from_json(const nlohmann::json& json);
Result<PodAnswer> pod_answer_from_json(const nlohmann::json& json);
Error error_from_json(const nlohmann::json& json);

}  // namespace drydock::container
