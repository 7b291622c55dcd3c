#pragma once
// Caches of the runner's service, as @actions/cache: restore and save. One per step.

#include <optional>
#include <string>
#include <vector>

#include "executors/actions/results_client.h"

namespace drydock::actions {

struct CacheRequest {
  std::vector<std::string> paths;  // as the input has them
  std::string key;
  std::vector<std::string> restore_keys;
  bool lookup_only = false;
};

/// The key that was found; nothing on a miss. usage for keys and paths that no cache can have; whatever else goes
/// wrong is a warning and a miss, because caching is optional.
Result<std::optional<std::string>> restore_cache(step::ActionContext& context, const CacheRequest& request);

/// True when it was saved. usage as above; invalid_source when none of the paths exists; else told in the log and false.
Result<bool> save_cache(step::ActionContext& context, const CacheRequest& request);

}  // namespace drydock::actions
