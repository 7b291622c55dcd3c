#pragma once
// BuildMachine: the build service of this machine. Runs the engine where it can make the platforms run (in this
// process, or in a user namespace of its own), then merges what the legs pushed into one index and moves the tags,
// last. Thread-safe: each build is independent.

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "executors/build/build_engine.h"
#include "executors/build/build_service.h"
#include "runner/config/config.h"

namespace drydock::runner {

build::EngineOptions engine_options(const Config& config);

/// Where an engine for these platforms must be.
build::EngineSetting choose_setting(const std::vector<Platform>& platforms, const build::EngineOptions& options);

class BuildMachine : public build::BuildService {
 public:
  explicit BuildMachine(build::EngineOptions options) : options_(std::move(options)) {}

  Result<build::BuildResult> build(const build::BuildRequest& request, Bus& bus, std::stop_token stop) override;

  /// Every build that was finished so far, for the summary of a run.
  std::vector<build::BuildResult> finished() const;

 private:
  Result<build::EngineResult> run(const build::BuildRequest& request, const build::EngineOptions& options, Bus& bus,
                                  std::stop_token stop) const;
  std::optional<Result<build::EngineResult>> served_from_cache(const build::BuildRequest& request,
                                                               const build::EngineOptions& options, Bus& bus,
                                                               std::stop_token stop) const;

  build::EngineOptions options_;
  mutable std::mutex mutex_;
  std::vector<build::BuildResult> finished_;
};

}  // namespace drydock::runner
