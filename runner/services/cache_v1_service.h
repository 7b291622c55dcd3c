#pragma once
// The first cache service, /_apis/artifactcache/…: look up, reserve, upload by ranges, commit. Thread-safe.

#include "runner/services/service_state.h"

namespace drydock::runner {

class CacheV1Service {
 public:
  explicit CacheV1Service(ServiceState& state) : state_(state) {}
  /// `resource` is what follows /_apis/artifactcache/.
  CallAnswer call(const HttpCall& call, const std::string& resource);

 private:
  HttpReply look_up(const HttpCall& call, const JobAccess& job);
  HttpReply list(const HttpCall& call, const JobAccess& job);
  HttpReply reserve(const std::shared_ptr<const JobAccess>& job, const Json& request);
  CallAnswer upload(const HttpCall& call, const JobAccess& job, const std::string& number);
  HttpReply commit(const JobAccess& job, const std::string& number, const Json& request);
  std::shared_ptr<Pending> own(const JobAccess& job, const std::string& number) const;

  ServiceState& state_;
};

}  // namespace drydock::runner
