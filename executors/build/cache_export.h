#pragma once
// Writes the caches that --cache-to asks for: one manifest for each leg under its derived tag, then the index over
// them. Not being able to is a warning, unless ignore-error=false asks for more.

#include <vector>

#include "executors/build/leg.h"

namespace drydock::build {

Status export_caches(Engine& engine, const std::vector<Leg*>& legs);

}  // namespace drydock::build
