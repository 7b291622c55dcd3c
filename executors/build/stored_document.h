#pragma once
// Manifests and configs of a registry, through the store: one that is here by its digest is not fetched again.
// Thread-safe as the engine's store and registry are.

#include <string>

#include "executors/build/engine.h"
#include "executors/oci/image.h"
#include "executors/oci/reference.h"

namespace drydock::build {

/// By digest from the store when it is there; by tag always from the registry.
Result<std::string> stored_manifest(Engine& engine, const oci::Reference& reference);
Result<std::string> stored_config(Engine& engine, const oci::Reference& repository, const oci::Descriptor& descriptor);

}  // namespace drydock::build
