#include "executors/oci/store_schema.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

namespace drydock::oci {
namespace {

constexpr const char* k_tables = R"sql(
CREATE TABLE leases(
  id INTEGER PRIMARY KEY AUTOINCREMENT, label TEXT NOT NULL, pid INTEGER NOT NULL, start_time INTEGER NOT NULL,
  boot_id TEXT NOT NULL, pid_namespace TEXT NOT NULL, created INTEGER NOT NULL);
CREATE TABLE lease_items(
  lease INTEGER NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY(lease, kind, name)) WITHOUT ROWID;
CREATE INDEX lease_items_by_name ON lease_items(kind, name);

CREATE TABLE snapshots(
  id INTEGER PRIMARY KEY AUTOINCREMENT, space TEXT NOT NULL, parent INTEGER, state TEXT NOT NULL,
  lease INTEGER, diff_id TEXT, chain_id TEXT, boot_id TEXT NOT NULL, synced INTEGER NOT NULL,
  created INTEGER NOT NULL, last_used INTEGER NOT NULL, bytes INTEGER);
CREATE INDEX snapshots_unsettled ON snapshots(space, state) WHERE state <> 'committed';
CREATE INDEX snapshots_unsynced ON snapshots(space, boot_id) WHERE synced = 0;
CREATE INDEX snapshots_by_parent ON snapshots(parent);
CREATE INDEX snapshots_by_diff ON snapshots(diff_id);
CREATE UNIQUE INDEX snapshots_by_chain ON snapshots(space, chain_id) WHERE chain_id IS NOT NULL;

CREATE TABLE records(
  key TEXT PRIMARY KEY, diff_id TEXT, blob TEXT, blob_info TEXT, parent TEXT, kind TEXT NOT NULL,
  description TEXT NOT NULL, extra TEXT NOT NULL, created INTEGER NOT NULL, last_used INTEGER NOT NULL)
  WITHOUT ROWID;
CREATE INDEX records_by_use ON records(last_used);
CREATE TABLE record_snapshots(
  key TEXT NOT NULL, space TEXT NOT NULL, snapshot INTEGER NOT NULL, PRIMARY KEY(key, space)) WITHOUT ROWID;
CREATE INDEX record_snapshots_by_snapshot ON record_snapshots(snapshot);

CREATE TABLE layers(diff_id TEXT PRIMARY KEY, tar_size INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE layer_forms(
  diff_id TEXT NOT NULL, blob TEXT NOT NULL, compression TEXT NOT NULL, info TEXT NOT NULL,
  PRIMARY KEY(diff_id, blob)) WITHOUT ROWID;
CREATE INDEX layer_forms_by_blob ON layer_forms(blob);

CREATE TABLE images(
  name TEXT PRIMARY KEY, target TEXT NOT NULL, info TEXT NOT NULL, last_used INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE image_blobs(name TEXT NOT NULL, blob TEXT NOT NULL, PRIMARY KEY(name, blob)) WITHOUT ROWID;
CREATE INDEX image_blobs_by_blob ON image_blobs(blob);

CREATE TABLE sources(
  blob TEXT NOT NULL, registry TEXT NOT NULL, repository TEXT NOT NULL, seen INTEGER NOT NULL,
  PRIMARY KEY(blob, registry, repository)) WITHOUT ROWID;

CREATE TABLE files(
  device INTEGER NOT NULL, inode INTEGER NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
  ctime_ns INTEGER NOT NULL, digest TEXT NOT NULL, seen_day INTEGER NOT NULL, PRIMARY KEY(device, inode))
  WITHOUT ROWID;
)sql";

Result<std::int64_t> version_of(Database& database) {
  Query query(database, "PRAGMA user_version");
  DRYDOCK_ASSIGN(bool row, query.step());
  return row ? query.integer(0) : 0;
}

Error newer(std::int64_t version, const std::string& root) {
  return make_error(ErrorCode::unsupported,
                    "the store " + root + " was written by a newer drydock (store version " +
                        std::to_string(version) + ", this one knows " + std::to_string(k_store_schema) + ")",
                    "use that drydock, or set DRYDOCK_HOME to another directory");
}

Status create(Database& database, const std::string& root) {
  DRYDOCK_TRY(database.execute("PRAGMA journal_mode=WAL"));
  Transaction transaction(database);
  DRYDOCK_TRY(transaction.begin());
  DRYDOCK_ASSIGN(auto version, version_of(database));
  if (version > k_store_schema) return newer(version, root);
  if (version == 0) {
    DRYDOCK_TRY(database.execute(k_tables));
    DRYDOCK_TRY(database.execute("PRAGMA user_version=" + std::to_string(k_store_schema)));
  }
  return transaction.commit();
}

}  // namespace

Status ensure_schema(Database& database, const std::string& lock_path, const std::string& root) {
  DRYDOCK_ASSIGN(auto version, version_of(database));
  if (version == k_store_schema) return {};
  if (version > k_store_schema) return newer(version, root);
  // Changing the journal mode is refused while another connection is busy, so one process does it.
  int lock = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) return errno_error("open " + lock_path, errno);
  Status status;
  if (::flock(lock, LOCK_EX) != 0) {
    status = errno_error("lock " + lock_path, errno);
  } else {
    status = create(database, root);
  }
  ::close(lock);
  return status;
}

}  // namespace drydock::oci
