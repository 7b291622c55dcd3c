#pragma once
// The services that one run gives its jobs, on a free port of the loopback interface: artifacts (v4), caches (v1 and
// v2), identity tokens. Starts with the run and ends with it; what was kept stays in the store for later runs.
// Gives each job its own token. Thread-safe.

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "executors/base/process.h"
#include "runner/services/artifact_service.h"
#include "runner/services/blob_service.h"
#include "runner/services/cache_service.h"
#include "runner/services/cache_v1_service.h"
#include "runner/services/identity_service.h"

namespace drydock::runner {

struct RunServicesOptions {
  std::string store_root;
  std::string run;      // the run's id
  std::string resumed;  // the run that it resumes; its artifacts can be read. "" when none
  std::vector<std::string> attempts;  // earlier ones of the same run, of which some may have had no services; also read
  ServiceLimits limits;
};

class RunServices {
 public:
  static Result<std::unique_ptr<RunServices>> start(const RunServicesOptions& options);
  ~RunServices();

  /// What the job's actions find in their environment; the same at each call for one job.
  Environment environment_for(const JobFacts& facts);
  /// Those of its values that must not be shown.
  static std::vector<std::string> secrets_of(const Environment& environment);

  const std::string& base_url() const { return state_->base_url; }

 private:
  explicit RunServices(std::unique_ptr<ServiceState> state);
  CallAnswer answer(const HttpCall& call);
  CallAnswer twirp(const HttpCall& call);

  std::unique_ptr<ServiceState> state_;
  ArtifactService artifacts_;
  CacheService caches_;
  CacheV1Service caches_v1_;
  BlobService blobs_;
  IdentityService identity_;
  std::vector<std::string> before_;  // runs that this one resumes
  std::mutex mutex_;
  std::map<std::string, Environment> environments_;  // by the job's backend id
  std::unique_ptr<HttpServer> server_;               // ends first
};

}  // namespace drydock::runner
