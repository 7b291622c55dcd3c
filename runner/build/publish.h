#pragma once
// publish: from the legs that an engine pushed by digest to the image under its tags: each leg read back and checked,
// then the index, then each tag, last. Publishes nothing when anything is missing.

#include "executors/build/build_engine.h"
#include "executors/build/build_service.h"

namespace drydock::runner {

Result<build::BuildResult> publish(const build::BuildRequest& request, const build::EngineOptions& options,
                                   build::EngineResult engine, Bus& bus, std::stop_token stop);

}  // namespace drydock::runner
