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
  std::vector<EngineLeg> legs;            // in the order of the platforms asked for
  std::vector<std::string> repositories;  // to which they were pushed by digest; empty when nothing was pushed
  std::vector<std::string> files;         // archives and directories written
};

nlohmann::json to_json(const EngineResult& result);
Result<EngineResult> engine_result_from_json(const nlohmann::json& json);

/// Where this process is: on the machine itself, or in a user namespace made for this engine.
enum class EngineSetting { machine, own_namespace };

Result<EngineResult> run_engine(const BuildRequest& request, const EngineOptions& options, EngineSetting setting,
                                Bus& bus, std::stop_token stop);

/// Pushing was asked for, by flag or output.
bool wants_push(const BuildRequest& request);
/// Repositories of the tags and of outputs with name=; distinct, in order.
Result<std::vector<oci::Reference>> push_targets(const BuildRequest& request);

}  // namespace drydock::build
