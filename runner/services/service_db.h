#pragma once
// Where artifacts and caches of all runs are kept: one SQLite database and the files beside it, shared by many
// processes. Owns the layout, the schema version and the mark of a run that lives; the tables are used by
// ArtifactStore and CacheStore. Thread-safe.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "executors/base/fs.h"
#include "executors/base/result.h"
#include "executors/oci/store_db.h"

namespace drydock::runner {

/// What a pruning took away, or what there is.
struct Amount {
  std::size_t entries = 0;
  std::uint64_t bytes = 0;
};

class ServiceDb {
 public:
  static constexpr int k_schema = 1;

  /// `root` is the store's; made when needed. A newer schema is refused as `unsupported`.
  static Result<std::unique_ptr<ServiceDb>> open(const std::string& root);

  oci::Database& database() { return *database_; }
  const std::string& root() const { return root_; }
  /// <root>/services/caches
  std::string caches() const { return root_ + "/services/caches"; }
  /// <root>/runs/<run>/artifacts
  std::string artifacts(const std::string& run) const { return root_ + "/runs/" + run + "/artifacts"; }

  /// A directory for the uploads of a run, and the sign that the run lives, until the object goes.
  struct Live {
    std::string directory;
    FileLock lock;
  };
  /// Also removes what dead runs left.
  Result<Live> enter(const std::string& run);
  bool lives(const std::string& run) const;

 private:
  ServiceDb() = default;
  Status ensure_schema();
  void sweep();

  std::string root_;
  std::unique_ptr<oci::Database> database_;
};

}  // namespace drydock::runner
