#include "executors/oci/snapshot.h"

#include "executors/oci/snapshot_rows.h"
#include "executors/oci/store.h"
#include "executors/oci/store_db.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace drydock::oci {
namespace {

std::string whole_file(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Columns of every read: id, parent, state, diff_id, chain_id.
Result<Snapshot> read_row(const Query& query, const std::string& directory) {
  Snapshot snapshot;
  snapshot.id = query.integer(0);
  if (!query.is_null(1)) snapshot.parent = query.integer(1);
  snapshot.committed = query.text(2) == "committed";
  auto base = directory + "/" + std::to_string(snapshot.id);
  snapshot.fs = base + "/fs";
  if (!snapshot.committed) snapshot.work = base + "/work";
  if (!query.is_null(3)) {
    DRYDOCK_ASSIGN(snapshot.diff_id, Digest::parse(query.text(3)));
  }
  if (!query.is_null(4)) {
    DRYDOCK_ASSIGN(snapshot.chain_id, Digest::parse(query.text(4)));
  }
  return snapshot;
}

std::optional<std::string> digest_text(const std::optional<Digest>& digest) {
  if (!digest) return std::nullopt;
  return digest->to_string();
}

/// The upper directory is the root of the merged view, so it shows the metadata of the root below.
Status make_layer_root(const std::string& path, const std::string& parent_fs) {
  struct stat below {};
  below.st_mode = 0755;
  if (!parent_fs.empty() && ::lstat(parent_fs.c_str(), &below) != 0) return errno_error("stat " + parent_fs, errno);
  if (::mkdir(path.c_str(), 0755) != 0) return errno_error("make directory " + path, errno);
  if (!parent_fs.empty() && (below.st_uid != ::geteuid() || below.st_gid != ::getegid()) &&
      ::chown(path.c_str(), below.st_uid, below.st_gid) != 0) {
    return errno_error("chown " + path, errno);
  }
  if (::chmod(path.c_str(), below.st_mode & 07777) != 0) return errno_error("chmod " + path, errno);
  if (parent_fs.empty()) return {};
  struct timespec times[2] = {below.st_atim, below.st_mtim};
  ::utimensat(AT_FDCWD, path.c_str(), times, 0);
  return {};
}

}  // namespace

std::string_view name_of(SnapshotFormat format) { return format == SnapshotFormat::root ? "root" : "user"; }

std::string SnapshotNamespace::name() const {
  std::string name(name_of(format));
  if (!id_map.empty()) name += "-" + std::string(digest_of(id_map).short_hex());
  return name;
}

SnapshotNamespace SnapshotNamespace::of_this_process() {
  SnapshotNamespace space;
  auto uids = whole_file("/proc/self/uid_map");
  unsigned long long inside = 1, outside = 1, count = 0;
  std::sscanf(uids.c_str(), "%llu %llu %llu", &inside, &outside, &count);
  if (inside == 0 && outside == 0 && count == 4294967295ULL) {
    space.format = ::geteuid() == 0 ? SnapshotFormat::root : SnapshotFormat::user;
    return space;
  }
  space.format = SnapshotFormat::user;
  space.id_map = uids + whole_file("/proc/self/gid_map");
  return space;
}

SnapshotStore::SnapshotStore(Store& store, SnapshotNamespace space)
    : store_(&store), space_(std::move(space)), name_(space_.name()),
      directory_(store.root() + "/snapshots/" + name_) {}

Result<SnapshotStore> SnapshotStore::open(Store& store, const SnapshotNamespace& space) {
  SnapshotStore snapshots(store, space);
  if (::mkdir(snapshots.directory_.c_str(), 0711) != 0 && errno != EEXIST) {
    return errno_error("make directory " + snapshots.directory_, errno);
  }
  DRYDOCK_TRY(snapshots.reap());
  return snapshots;
}

Status SnapshotStore::reap() {
  auto& database = store_->database();
  std::vector<SnapshotId> garbage;
  {
    // Leases of dead owners were dropped when the store was opened.
    Query query(database,
                "SELECT id FROM snapshots WHERE space=?1 AND state <> 'committed' AND (state = 'removing' OR "
                "lease NOT IN (SELECT id FROM leases)) "
                "UNION SELECT id FROM snapshots WHERE space=?1 AND synced=0 AND boot_id <> ?2");
    query.bind(name_).bind(Owner::self().boot_id);
    for (;;) {
      DRYDOCK_ASSIGN(bool row, query.step());
      if (!row) break;
      garbage.push_back(query.integer(0));
    }
  }
  if (garbage.empty()) return {};
  DRYDOCK_TRY(mark_removed(database, garbage));
  // What cannot be removed now stays marked, for the next one who opens.
  for (auto id : garbage) (void)remove_marked(database, directory_, id);
  return {};
}

Result<Snapshot> SnapshotStore::prepare(std::optional<SnapshotId> parent, const Lease* lease) {
  if (!lease) {
    DRYDOCK_ASSIGN(lease, store_->session());
  }
  std::string parent_fs;
  auto& database = store_->database();
  Transaction transaction(database);
  DRYDOCK_TRY(transaction.begin());
  if (parent) {
    DRYDOCK_ASSIGN(auto found, get(*parent, lease));
    if (!found || !found->committed) {
      return make_error(ErrorCode::not_found, "snapshot " + std::to_string(*parent) + " is not there to build on");
    }
    parent_fs = found->fs;
  }
  auto now = now_ms();
  DRYDOCK_TRY(Query(database,
                    "INSERT INTO snapshots(space, parent, state, lease, boot_id, synced, created, last_used) "
                    "VALUES(?,?,'active',?,?,0,?,?)")
                  .bind(name_).bind(parent).bind(lease->id()).bind(Owner::self().boot_id).bind(now).bind(now).run());
  Snapshot snapshot;
  snapshot.id = database.last_id();
  snapshot.parent = parent;
  DRYDOCK_TRY(lease->protect_snapshot(snapshot.id));
  DRYDOCK_TRY(transaction.commit());

  auto base = directory_ + "/" + std::to_string(snapshot.id);
  snapshot.fs = base + "/fs";
  snapshot.work = base + "/work";
  for (const auto& path : {base, snapshot.work}) {
    if (::mkdir(path.c_str(), 0711) != 0) return errno_error("make directory " + path, errno);
  }
  DRYDOCK_TRY(make_layer_root(snapshot.fs, parent_fs));
  return snapshot;
}

Result<Snapshot> SnapshotStore::commit(SnapshotId id, const std::optional<Digest>& diff_id,
                                       const std::optional<Digest>& chain_id, const Lease* lease) {
  auto& database = store_->database();
  {
    Transaction transaction(database);
    DRYDOCK_TRY(transaction.begin());
    if (chain_id) {
      DRYDOCK_ASSIGN(auto other, find_by_chain(*chain_id, lease));
      if (other && other->id != id) {
        DRYDOCK_TRY(transaction.commit());
        DRYDOCK_TRY(abandon(id));
        return *other;
      }
    }
    {
      Query query(database,
                  "UPDATE snapshots SET state='committed', lease=NULL, diff_id=coalesce(?,diff_id), "
                  "chain_id=coalesce(?,chain_id), last_used=? WHERE id=? AND space=? AND state='active'");
      DRYDOCK_TRY(query.bind(digest_text(diff_id)).bind(digest_text(chain_id)).bind(now_ms()).bind(id).bind(name_).run());
      if (database.changes() != 1) {
        return make_error(ErrorCode::not_found, "snapshot " + std::to_string(id) + " is not in progress");
      }
    }
    if (lease) DRYDOCK_TRY(lease->protect_snapshot(id));
    DRYDOCK_TRY(transaction.commit());
  }
  std::error_code ignored;  // an empty directory too much
  std::filesystem::remove_all(directory_ + "/" + std::to_string(id) + "/work", ignored);
  DRYDOCK_ASSIGN(auto snapshot, get(id, lease));
  if (!snapshot) return make_error(ErrorCode::internal, "snapshot " + std::to_string(id) + " is gone");
  return *snapshot;
}

Status SnapshotStore::abandon(SnapshotId id) {
  auto& database = store_->database();
  {
    Query query(database, "SELECT state FROM snapshots WHERE id=? AND space=?");
    query.bind(id).bind(name_);
    DRYDOCK_ASSIGN(bool row, query.step());
    if (!row) return {};
    if (query.text(0) == "committed") {
      return make_error(ErrorCode::internal, "snapshot " + std::to_string(id) + " is committed");
    }
  }
  DRYDOCK_TRY(mark_removed(database, {id}));
  return remove_marked(database, directory_, id);
}

Result<std::optional<Snapshot>> SnapshotStore::get(SnapshotId id, const Lease* lease) {
  if (!lease) {
    DRYDOCK_ASSIGN(lease, store_->session());
  }
  DRYDOCK_TRY(lease->protect_snapshot(id));
  Query query(store_->database(),
              "SELECT id, parent, state, diff_id, chain_id FROM snapshots "
              "WHERE id=? AND space=? AND state <> 'removing'");
  query.bind(id).bind(name_);
  DRYDOCK_ASSIGN(bool row, query.step());
  if (!row) return std::optional<Snapshot>();
  DRYDOCK_ASSIGN(auto snapshot, read_row(query, directory_));
  return std::optional(std::move(snapshot));
}

Result<std::optional<Snapshot>> SnapshotStore::find_by_chain(const Digest& chain_id, const Lease* lease) {
  SnapshotId id = 0;
  {
    Query query(store_->database(),
                "SELECT id FROM snapshots WHERE space=? AND chain_id=? AND state='committed'");
    query.bind(name_).bind(chain_id.to_string());
    DRYDOCK_ASSIGN(bool row, query.step());
    if (!row) return std::optional<Snapshot>();
    id = query.integer(0);
  }
  // Looked up again under protection: it may be pruned between the two.
  DRYDOCK_TRY(Query(store_->database(), "UPDATE snapshots SET last_used=? WHERE id=?").bind(now_ms()).bind(id).run());
  return get(id, lease);
}

Result<std::vector<std::string>> SnapshotStore::chain(SnapshotId id) {
  Query query(store_->database(),
              "WITH RECURSIVE line(id, parent, depth) AS ("
              "SELECT id, parent, 0 FROM snapshots WHERE id=?1 AND space=?2 AND state='committed' "
              "UNION ALL SELECT s.id, s.parent, depth+1 FROM snapshots s JOIN line ON s.id=line.parent "
              "WHERE s.state='committed') SELECT id, parent FROM line ORDER BY depth");
  query.bind(id).bind(name_);
  std::vector<std::string> directories;
  bool whole = false;
  for (;;) {
    DRYDOCK_ASSIGN(bool row, query.step());
    if (!row) break;
    directories.push_back(directory_ + "/" + std::to_string(query.integer(0)) + "/fs");
    whole = query.is_null(1);
  }
  if (!whole) {
    return make_error(ErrorCode::not_found, "snapshot " + std::to_string(id) + " or one below it is not there");
  }
  return directories;
}

Status SnapshotStore::set_diff(SnapshotId id, const Digest& diff_id, const std::optional<Digest>& chain_id) {
  auto& database = store_->database();
  Transaction transaction(database);
  DRYDOCK_TRY(transaction.begin());
  DRYDOCK_TRY(Query(database, "UPDATE snapshots SET diff_id=? WHERE id=? AND space=?")
                  .bind(diff_id.to_string()).bind(id).bind(name_).run());
  if (chain_id) {
    DRYDOCK_TRY(Query(database, "UPDATE OR IGNORE snapshots SET chain_id=? WHERE id=? AND space=?")
                    .bind(chain_id->to_string()).bind(id).bind(name_).run());
  }
  return transaction.commit();
}

Status SnapshotStore::sync_all() {
  auto& database = store_->database();
  // Named before the sync: what is committed while it runs may be half written.
  std::vector<SnapshotId> ids;
  {
    Query query(database,
                "SELECT id FROM snapshots WHERE space=? AND synced=0 AND boot_id=? AND state='committed'");
    query.bind(name_).bind(Owner::self().boot_id);
    for (;;) {
      DRYDOCK_ASSIGN(bool row, query.step());
      if (!row) break;
      ids.push_back(query.integer(0));
    }
  }
  if (ids.empty()) return {};
  int fd = ::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return errno_error("open " + directory_, errno);
  int code = ::syncfs(fd) == 0 ? 0 : errno;
  ::close(fd);
  if (code) return errno_error("sync " + directory_, code);
  Transaction transaction(database);
  DRYDOCK_TRY(transaction.begin());
  for (auto id : ids) {
    DRYDOCK_TRY(Query(database, "UPDATE snapshots SET synced=1 WHERE id=?").bind(id).run());
  }
  return transaction.commit();
}

}  // namespace drydock::oci
