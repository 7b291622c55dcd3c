#pragma once
// github.actions.results.api.v1.ArtifactService, as Twirp in JSON: create, finalize, list, sign, delete. A job makes
// artifacts of its own; jobs of one workflow's run read and delete each other's, as on GitHub. Thread-safe.

#include "runner/services/service_state.h"

namespace drydock::runner {

class ArtifactService {
 public:
  explicit ArtifactService(ServiceState& state) : state_(state) {}
  HttpReply call(const std::string& method, const std::shared_ptr<const JobAccess>& job, const Json& request);

 private:
  HttpReply create(const std::shared_ptr<const JobAccess>& job, const Json& request);
  HttpReply finalize(const JobAccess& job, const Json& request);
  HttpReply list(const JobAccess& job, const Json& request);
  HttpReply sign(const JobAccess& job, const Json& request);
  HttpReply remove(const JobAccess& job, const Json& request);
  Result<std::optional<Artifact>> newest(const Json& request);
  Time expiry(const Json& request, Time now) const;

  ServiceState& state_;
};

}  // namespace drydock::runner
