#pragma once
// github.actions.results.api.v1.CacheService, as Twirp in JSON: create, finalize, find. Thread-safe.

#include "runner/services/service_state.h"

namespace drydock::runner {

class CacheService {
 public:
  explicit CacheService(ServiceState& state) : state_(state) {}
  HttpReply call(const std::string& method, const std::shared_ptr<const JobAccess>& job, const Json& request);

 private:
  HttpReply create(const std::shared_ptr<const JobAccess>& job, const Json& request);
  HttpReply finalize(const JobAccess& job, const Json& request);
  HttpReply find(const JobAccess& job, const Json& request);

  ServiceState& state_;
};

/// Shared with the first cache service: starts an upload after the checks that both make.
/// invalid_input for a bad key, `failed` when it is taken.
Result<std::shared_ptr<Pending>> begin_cache(ServiceState& state, const std::shared_ptr<const JobAccess>& job,
                                             const std::string& key, const std::string& version);
/// Keeps an upload that was committed, and ends it.
Result<std::int64_t> keep_cache(ServiceState& state, const Pending& pending);
/// The address to fetch an entry from.
std::string cache_address(ServiceState& state, std::int64_t id);

}  // namespace drydock::runner
