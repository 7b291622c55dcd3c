#include "runner/services/service_db.h"

#include <chrono>
#include <filesystem>

namespace drydock::runner {
namespace {

constexpr std::chrono::seconds k_busy_timeout{60};

constexpr const char* k_tables = R"sql(
CREATE TABLE artifacts(
  id INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL, backend TEXT NOT NULL, job TEXT NOT NULL,
  name TEXT NOT NULL, size INTEGER NOT NULL, digest TEXT NOT NULL, mime TEXT NOT NULL,
  created INTEGER NOT NULL, expires INTEGER NOT NULL);
CREATE UNIQUE INDEX artifacts_by_name ON artifacts(backend, name);
CREATE INDEX artifacts_by_end ON artifacts(expires);

CREATE TABLE caches(
  id INTEGER PRIMARY KEY AUTOINCREMENT, repository TEXT NOT NULL, version TEXT NOT NULL, scope TEXT NOT NULL,
  key TEXT NOT NULL, size INTEGER NOT NULL, created INTEGER NOT NULL, last_used INTEGER NOT NULL);
CREATE UNIQUE INDEX caches_by_key ON caches(repository, version, scope, key);
CREATE INDEX caches_by_use ON caches(last_used);

CREATE TABLE resumed(run TEXT PRIMARY KEY, before TEXT NOT NULL) WITHOUT ROWID;
)sql";

}  // namespace

Result<std::unique_ptr<ServiceDb>> ServiceDb::open(const std::string& root) {
  std::unique_ptr<ServiceDb> db(new ServiceDb);
  db->root_ = root;
  DRYDOCK_TRY(make_directories(root, 0700));
  for (const char* name : {"/services", "/services/caches", "/services/live"}) DRYDOCK_TRY(make_directories(root + name, 0700));
  DRYDOCK_ASSIGN(db->database_, oci::Database::open(root + "/services/services.db", k_busy_timeout));
  if (auto ready = db->ensure_schema(); !ready) return std::move(ready).error().while_("opening the artifacts and caches in " + root);
  return db;
}

Status ServiceDb::ensure_schema() {
  const auto version = [this]() -> Result<std::int64_t> {
    oci::Query query(*database_, "PRAGMA user_version");
    DRYDOCK_ASSIGN(const bool row, query.step());
    return row ? query.integer(0) : 0;
  };
  DRYDOCK_ASSIGN(auto found, version());
  if (found == 0) {
    // Changing the journal mode is refused while another connection is busy, so one process does it.
    DRYDOCK_ASSIGN(const auto lock, FileLock::acquire(root_ + "/services/services.lock"));
    DRYDOCK_TRY(database_->execute("PRAGMA journal_mode=WAL"));
    oci::Transaction transaction(*database_);
    DRYDOCK_TRY(transaction.begin());
    DRYDOCK_ASSIGN(found, version());
    if (found == 0) {
      DRYDOCK_TRY(database_->execute(k_tables));
      DRYDOCK_TRY(database_->execute("PRAGMA user_version=" + std::to_string(k_schema)));
      found = k_schema;
    }
    DRYDOCK_TRY(transaction.commit());
  }
  if (found == k_schema) return {};
  return make_error(ErrorCode::unsupported, "artifacts and caches were written by another version of drydock (form " +
                                                std::to_string(found) + ", this one knows " + std::to_string(k_schema) + ")",
                    "use that drydock, or set DRYDOCK_HOME to another directory");
}

Result<ServiceDb::Live> ServiceDb::enter(const std::string& run) {
  sweep();
  const auto directory = root_ + "/services/live/" + run;
  constexpr int k_attempts = 10;
  for (int attempt = 0; attempt < k_attempts; ++attempt) {
    DRYDOCK_TRY(make_directories(directory, 0700));
    auto lock = FileLock::acquire(directory + "/lock");
    // Another process may have taken the new directory for a dead one before it was locked.
    if (lock.ok() && exists(directory + "/lock")) return Live{directory, std::move(*lock)};
    if (!lock.ok() && lock.error().code != ErrorCode::not_found) return std::move(lock).error();
  }
  return make_error(ErrorCode::io, directory + " cannot be kept");
}

bool ServiceDb::lives(const std::string& run) const {
  const auto path = root_ + "/services/live/" + run + "/lock";
  if (!exists(path)) return false;
  const auto lock = FileLock::try_acquire(path, LockMode::shared);
  return !lock.ok() || !lock->has_value();
}

void ServiceDb::sweep() {
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(root_ + "/services/live", failure)) {
    const auto path = entry.path().string();
    if (!exists(path + "/lock")) continue;
    const auto lock = FileLock::try_acquire(path + "/lock");
    if (lock.ok() && lock->has_value()) (void)remove_tree(path);
  }
}

}  // namespace drydock::runner
