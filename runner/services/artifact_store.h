#pragma once
// Artifacts of all runs: rows in the services' database, files below each run's directory. An artifact is there when
// its row is; its file was synced and renamed before. Knows no HTTP. Thread-safe, and safe against other processes.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "executors/base/owned_fd.h"
#include "executors/base/result.h"
#include "executors/base/time.h"
#include "runner/config/service_limits.h"
#include "runner/services/service_db.h"
#include "runner/services/upload.h"

namespace drydock::runner {

struct Artifact {
  std::int64_t id = 0;
  std::string run;      // the run's id in the store
  std::string backend;  // one workflow of the run, as tokens and clients name it
  std::string job;      // backend id of the job that made it
  std::string name;
  std::uint64_t size = 0;
  std::string digest;   // "sha256:…" as the client told it, or ""
  std::string mime;
  Time created, expires;
};

/// Empty when `name` may be an artifact's, else what is wrong with it.
std::string artifact_name_problem(std::string_view name);

class ArtifactStore {
 public:
  ArtifactStore(ServiceDb& db, ServiceLimits limits) : db_(db), limits_(limits) {}

  /// Makes it durable and visible. already_exists is `failed`; beyond the quota, with everything of ended runs
  /// already gone, is `permission`.
  Result<std::int64_t> add(Artifact artifact, Upload& upload);
  /// Of these backends, by rising id. Without what has expired.
  Result<std::vector<Artifact>> list(const std::vector<std::string>& backends) const;
  Result<std::optional<Artifact>> find(std::int64_t id) const;
  Status remove(std::int64_t id);
  /// not_found when the file is gone.
  Result<OwnedFd> open(const Artifact& artifact) const;

  /// Removes what has expired, then artifacts of ended runs, oldest first, until `room` more bytes fit the quota.
  Result<Amount> evict(Time now, std::uint64_t room = 0);
  Result<Amount> usage() const;

 private:
  std::string path(const Artifact& artifact) const;
  Result<std::vector<Artifact>> all() const;

  ServiceDb& db_;
  const ServiceLimits limits_;
};

}  // namespace drydock::runner
