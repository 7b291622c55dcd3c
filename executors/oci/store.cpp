#include "executors/oci/store.h"

#include "executors/base/process.h"
#include "executors/oci/snapshot.h"
#include "executors/oci/store_db.h"
#include "executors/oci/store_schema.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace drydock::oci {
namespace {

namespace fs = std::filesystem;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

Status make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return errno_error("make directory " + path, errno);
}

/// Whole or not at all; the content is small and can be made again, so without fsync.
Status write_small_file(const std::string& path, std::string_view text) {
  auto temporary = path + ".new-" + process_token();
  std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) return make_error(ErrorCode::io, "cannot write " + temporary);
  if (::rename(temporary.c_str(), path.c_str()) != 0) return errno_error("rename to " + path, errno);
  return {};
}

/// Leases of dead processes mean nothing; their rows go now and then.
Status drop_dead_leases(Database& database) {
  std::vector<std::int64_t> dead;
  {
    Query query(database, "SELECT id, pid, start_time, boot_id, pid_namespace FROM leases");
    for (;;) {
      DRYDOCK_ASSIGN(bool row, query.step());
      if (!row) break;
      Owner owner{query.integer(1), query.integer(2), query.text(3), query.text(4)};
      if (!owner.may_live()) dead.push_back(query.integer(0));
    }
  }
  if (dead.empty()) return {};
  Transaction transaction(database);
  DRYDOCK_TRY(transaction.begin());
  for (auto id : dead) {
    DRYDOCK_TRY(Query(database, "DELETE FROM lease_items WHERE lease=?").bind(id).run());
    DRYDOCK_TRY(Query(database, "DELETE FROM leases WHERE id=?").bind(id).run());
  }
  return transaction.commit();
}

}  // namespace

std::string default_store_root() {
  if (auto home = variable("DRYDOCK_HOME"); !home.empty()) return home;
  // Uid 0 of an unprivileged user namespace is still that user.
  bool root = ::geteuid() == 0 && SnapshotNamespace::of_this_process().format == SnapshotFormat::root;
  if (root) return "/var/lib/drydock";
  if (auto data = variable("XDG_DATA_HOME"); !data.empty()) return data + "/drydock";
  return variable("HOME") + "/.local/share/drydock";
}

Result<std::unique_ptr<Store>> Store::open(StoreOptions options) {
  std::unique_ptr<Store> store(new Store);
  auto root = options.root.empty() ? default_store_root() : options.root;
  store->root_ = fs::path(root).is_absolute() ? root : (fs::current_path() / root).string();
  while (store->root_.size() > 1 && store->root_.back() == '/') store->root_.pop_back();
  auto while_opening = [&](Error error) { return std::move(error).while_("opening the store " + store->root_); };
  if (auto made = store->make_layout(); !made) return while_opening(std::move(made).error());
  auto database = Database::open(store->root_ + "/store.db", options.busy_timeout);
  if (!database) return while_opening(std::move(database).error());
  store->database_ = std::move(database).value();
  DRYDOCK_TRY(ensure_schema(*store->database_, store->root_ + "/store.lock", store->root_));
  if (auto dropped = drop_dead_leases(*store->database_); !dropped) return while_opening(std::move(dropped).error());
  store->collect_ingests();
  return store;
}

Store::~Store() { session_.reset(); }

Status Store::make_layout() {
  if (::access((root_ + "/index.json").c_str(), F_OK) == 0) return {};
  std::error_code code;
  fs::create_directories(fs::path(root_).parent_path(), code);
  DRYDOCK_TRY(make_directory(root_));
  for (const char* name : {"/blobs", "/blobs/sha256", "/ingest", "/snapshots"}) {
    DRYDOCK_TRY(make_directory(root_ + name));
  }
  DRYDOCK_TRY(write_small_file(root_ + "/oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}"));
  // Last, because it says that the rest is there.
  return write_small_file(root_ + "/index.json",
                          "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\","
                          "\"manifests\":[]}");
}

Result<Lease> Store::lease(std::string label) {
  const auto& self = Owner::self();
  Transaction transaction(*database_);
  DRYDOCK_TRY(transaction.begin());
  DRYDOCK_TRY(Query(*database_,
                    "INSERT INTO leases(label, pid, start_time, boot_id, pid_namespace, created) "
                    "VALUES(?,?,?,?,?,?)")
                  .bind(label).bind(self.pid).bind(self.start_time).bind(self.boot_id).bind(self.pid_namespace)
                  .bind(now_ms()).run());
  auto id = database_->last_id();
  DRYDOCK_TRY(transaction.commit());
  return Lease(this, id);
}

Result<const Lease*> Store::session() {
  // The database's own lock: this is asked for inside transactions too, which a second lock could wait for.
  const Transaction alone(*database_);
  if (!session_) {
    DRYDOCK_ASSIGN(auto made, lease("session"));
    session_.emplace(std::move(made));
  }
  return &*session_;
}

Result<std::string> Store::directory(std::string_view name) const {
  auto path = root_ + "/" + std::string(name);
  DRYDOCK_TRY(make_directory(path));
  return path;
}

}  // namespace drydock::oci
