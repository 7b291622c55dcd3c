#pragma once
// The build engine: reads the Dockerfile, solves every leg side by side, writes or pushes each leg's image by digest,
// exports caches. Moves no tag: the index over the legs and the tags are made by whoever called (runner/result).
// One call builds one request; calls are independent of each other.

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "executors/build/build_service.h"
#include "executors/build/engine.h"
#include "executors/oci/image.h"

namespace drydock::build {

/// A finished leg as a registry has it.
struct EngineLeg {
  LegResult result;
  oci::Descriptor manifest;  // with platform and descriptor annotations
  std::optional<oci::Descriptor> attestation;
};

struct EngineResult {
  bool needs_execution = false;           // ExecutionPolicy::forbidden, and a step or layer had to be made
  std::vector<EngineLeg> legs;            // in the order of the platforms asked for
  std::vector<std::string> repositories;  // to which they were pushed by digest; empty when nothing was pushed
  std::vector<std::string> files;         // archives and directories written
};

nlohmann::json to_json(const EngineResult& result);
Result<EngineResult> engine_result_from_json(const nlohmann::json& json);

/// Where this process is: on the machine itself, or in a user namespace made for this engine.
enum class EngineSetting { machine, own_namespace };

/// forbidden: only what needs no mount and no process: a build served from caches whole. Anything else ends at once
/// with EngineResult::needs_execution, so that a caller can look before it goes to the trouble of a namespace.
enum class ExecutionPolicy { allowed, forbidden };

Result<EngineResult> run_engine(const BuildRequest& request, const EngineOptions& options, EngineSetting setting,
                                Bus& bus, std::stop_token stop, ExecutionPolicy execution = ExecutionPolicy::allowed);

/// Pushing was asked for, by flag or output.
bool wants_push(const BuildRequest& request);
/// The tags, and the names of image outputs ("name=a/b:1,c/d").
std::vector<std::string> image_names(const BuildRequest& request);
/// Repositories of the image names; distinct, in order.
Result<std::vector<oci::Reference>> push_targets(const BuildRequest& request);

}  // namespace drydock::build
