#pragma once
// What the protocols of one run share: its key, the jobs that were given tokens, the stores, and what is being
// uploaded. Owns no sockets. Thread-safe.

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "runner/services/artifact_store.h"
#include "runner/services/cache_store.h"
#include "runner/services/http_server.h"
#include "runner/services/job_access.h"
#include "runner/services/token.h"

namespace drydock::runner {

enum class UploadKind { artifact, cache };

/// An artifact or cache between its creation and its end.
struct Pending {
  UploadKind kind = UploadKind::artifact;
  std::string id;             // in the address to upload to
  std::int64_t number = 0;    // what the first cache service calls it
  std::shared_ptr<const JobAccess> owner;
  std::string name;           // of the artifact, or the cache's key
  std::string version;        // of the cache
  std::string mime;           // of the artifact
  Time expires;
  std::shared_ptr<Upload> upload;
};

class ServiceState {
 public:
  ServiceState(std::unique_ptr<ServiceDb> db, ServiceDb::Live live, TokenKey key, ServiceLimits limits);

  std::string base_url;  // "http://127.0.0.1:41231", set once before the first call

  TokenKey& key() { return key_; }
  ArtifactStore& artifacts() { return artifacts_; }
  CacheStore& caches() { return caches_; }
  const ServiceLimits& limits() const { return limits_; }

  void admit(std::shared_ptr<const JobAccess> job);
  /// The job that the call's bearer token names; `purpose` is the token's "use". An error is told to the client.
  Result<std::shared_ptr<const JobAccess>> caller(const HttpCall& call, std::string_view purpose) const;

  /// A new upload of the job; replaces its own of the same name. `failed` when another job has one under way.
  Result<std::shared_ptr<Pending>> begin(Pending pending);
  std::shared_ptr<Pending> pending(const std::string& id) const;
  std::shared_ptr<Pending> pending_number(std::int64_t number) const;
  /// The job's own upload of that name.
  std::shared_ptr<Pending> pending(const JobAccess& job, UploadKind kind, const std::string& name,
                                   const std::string& version) const;
  void end(const std::string& id);

 private:
  std::unique_ptr<ServiceDb> db_;
  ServiceDb::Live live_;
  TokenKey key_;
  const ServiceLimits limits_;
  ArtifactStore artifacts_;
  CacheStore caches_;
  UploadBudget artifact_budget_, cache_budget_;
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const JobAccess>> jobs_;  // by backend id
  std::map<std::string, std::shared_ptr<Pending>> pending_;       // by id
  std::int64_t last_number_ = 0;
};

}  // namespace drydock::runner
