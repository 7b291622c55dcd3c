#pragma once
// The paths that container actions know by heart, as GitHub's runner gives them: /github/workspace and its kin. Pure.

#include <string>
#include <utility>
#include <vector>

#include "executors/base/process.h"
#include "executors/step/job_request.h"

namespace drydock::container {

struct ActionPaths {
  /// (on the machine, inside), what lies deeper first.
  std::vector<std::pair<std::string, std::string>> pairs;

  /// A path below one of ours as the action sees it; any other text as it is.
  std::string inside(const std::string& value) const;
  Environment inside(Environment environment) const;
};

ActionPaths action_paths(const step::JobPlaces& places);

}  // namespace drydock::container
