#include "executors/oci/prune_size.h"

#include "executors/oci/prune.h"
#include "executors/oci/store_db.h"

#include <dirent.h>
#include <fts.h>
#include <sys/stat.h>

#include <set>
#include <utility>

namespace drydock::oci {
namespace {

Result<std::int64_t> count_of(Database& database, const char* sql) {
  Query query(database, sql);
  DRYDOCK_ASSIGN(bool row, query.step());
  return row ? query.integer(0) : 0;
}

Result<std::uint64_t> snapshot_bytes(Store& store) {
  auto& database = store.database();
  std::uint64_t total = 0;
  std::vector<std::pair<std::int64_t, std::string>> unmeasured;
  {
    Query query(database, "SELECT id, space, bytes FROM snapshots WHERE state='committed'");
    for (;;) {
      DRYDOCK_ASSIGN(bool row, query.step());
      if (!row) break;
      if (query.is_null(2)) {
        unmeasured.emplace_back(query.integer(0), query.text(1));
      } else {
        total += static_cast<std::uint64_t>(query.integer(2));
      }
    }
  }
  for (const auto& [id, space] : unmeasured) {
    auto bytes = tree_bytes(store.root() + "/snapshots/" + space + "/" + std::to_string(id));
    total += bytes;
    DRYDOCK_TRY(Query(database, "UPDATE snapshots SET bytes=? WHERE id=?")
                    .bind(static_cast<std::int64_t>(bytes)).bind(id).run());
  }
  return total;
}

}  // namespace

std::uint64_t tree_bytes(const std::string& path) {
  std::uint64_t total = 0;
  std::set<std::pair<dev_t, ino_t>> seen;
  std::string root = path;
  char* roots[] = {root.data(), nullptr};
  FTS* walk = ::fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, nullptr);
  if (!walk) return 0;
  while (auto* entry = ::fts_read(walk)) {
    if (entry->fts_info == FTS_DP || !entry->fts_statp || entry->fts_info == FTS_NS) continue;
    const auto& status = *entry->fts_statp;
    bool directory = S_ISDIR(status.st_mode);
    if (!directory && status.st_nlink > 1 && !seen.emplace(status.st_dev, status.st_ino).second) continue;
    total += static_cast<std::uint64_t>(status.st_blocks) * 512;
  }
  ::fts_close(walk);
  return total;
}

Result<DiskUsage> disk_usage(Store& store) {
  auto& database = store.database();
  DiskUsage usage;
  auto blobs = store.root() + "/blobs/sha256";
  if (DIR* directory = ::opendir(blobs.c_str())) {
    while (auto* entry = ::readdir(directory)) {
      struct stat status {};
      if (entry->d_name[0] == '.' || ::fstatat(::dirfd(directory), entry->d_name, &status, 0) != 0) continue;
      ++usage.blobs;
      usage.blob_bytes += static_cast<std::uint64_t>(status.st_blocks) * 512;
    }
    ::closedir(directory);
  }
  struct Count {
    std::size_t& into;
    const char* sql;
  };
  Count counts[] = {{usage.records, "SELECT count(*) FROM records"},
                    {usage.images, "SELECT count(*) FROM images"},
                    {usage.leases, "SELECT count(*) FROM leases"},
                    {usage.snapshots, "SELECT count(*) FROM snapshots WHERE state='committed'"}};
  for (auto& count : counts) {
    DRYDOCK_ASSIGN(auto number, count_of(database, count.sql));
    count.into = static_cast<std::size_t>(number);
  }
  DRYDOCK_ASSIGN(usage.snapshot_bytes, snapshot_bytes(store));
  return usage;
}

}  // namespace drydock::oci
