#include "executors/oci/prune.h"

#include "executors/oci/prune_size.h"
#include "executors/oci/snapshot_rows.h"
#include "executors/oci/store_db.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <tuple>

namespace drydock::oci {
namespace {

// What leases hold is asked in each transaction anew: a build may have found a record meanwhile.
#define HELD(kind, name) "EXISTS(SELECT 1 FROM lease_items h WHERE h.kind='" kind "' AND h.name=" name ")"

constexpr std::int64_t k_file_memory_days = 30;

struct Candidate {
  bool image = false;
  std::string name;
  std::int64_t last_used = 0;
};

Result<std::vector<Candidate>> candidates(Database& database, const PruneOptions& options) {
  std::vector<Candidate> found;
  auto wanted = [&](const std::string& kind) {
    return options.kinds.empty() ||
           std::find(options.kinds.begin(), options.kinds.end(), kind) != options.kinds.end();
  };
  Query records(database, "SELECT key, kind, last_used FROM records WHERE NOT " HELD("record", "key"));
  for (;;) {
    DRYDOCK_ASSIGN(bool row, records.step());
    if (!row) break;
    if (wanted(records.text(1))) found.push_back({false, records.text(0), records.integer(2)});
  }
  Query images(database, "SELECT name, last_used FROM images WHERE NOT " HELD("blob", "target"));
  for (;;) {
    DRYDOCK_ASSIGN(bool row, images.step());
    if (!row) break;
    if (wanted("image")) found.push_back({true, images.text(0), images.integer(1)});
  }
  std::sort(found.begin(), found.end(), [](const Candidate& a, const Candidate& b) {
    return std::tie(a.last_used, a.image, a.name) < std::tie(b.last_used, b.image, b.name);
  });
  return found;
}

Result<int> changed_by(Database& database, const char* sql, const std::string& name) {
  Query query(database, sql);
  query.bind(name);
  DRYDOCK_TRY(query.run());
  return database.changes();
}

Status remove_row(Database& database, const Candidate& candidate, PruneResult& result) {
  Transaction transaction(database);
  DRYDOCK_TRY(transaction.begin());
  const char* sql = candidate.image ? "DELETE FROM images WHERE name=? AND NOT " HELD("blob", "target")
                                    : "DELETE FROM records WHERE key=? AND NOT " HELD("record", "key");
  DRYDOCK_ASSIGN(int gone, changed_by(database, sql, candidate.name));
  if (gone) {
    const char* rest = candidate.image ? "DELETE FROM image_blobs WHERE name=?"
                                       : "DELETE FROM record_snapshots WHERE key=?";
    DRYDOCK_TRY(changed_by(database, rest, candidate.name));
    ++(candidate.image ? result.images : result.records);
  }
  return transaction.commit();
}

// A snapshot is in use when it is held, something builds on it, a record names it, or it is a layer of an image.
#define UNUSED_SNAPSHOT                                                                             \
  "s.state='committed' AND NOT " HELD("snapshot", "CAST(s.id AS TEXT)")                             \
  " AND NOT EXISTS(SELECT 1 FROM snapshots c WHERE c.parent=s.id AND c.state <> 'removing')"        \
  " AND NOT EXISTS(SELECT 1 FROM record_snapshots r WHERE r.snapshot=s.id)"                         \
  " AND NOT EXISTS(SELECT 1 FROM layer_forms f JOIN image_blobs i ON i.blob=f.blob WHERE f.diff_id=s.diff_id)"

/// From the top down until none is left; the rows first, the directories after.
Status remove_snapshots(Store& store, PruneResult& result) {
  auto& database = store.database();
  for (;;) {
    std::vector<SnapshotId> unused;
    Transaction transaction(database);
    DRYDOCK_TRY(transaction.begin());
    {
      Query query(database, "SELECT s.id FROM snapshots s WHERE " UNUSED_SNAPSHOT);
      for (;;) {
        DRYDOCK_ASSIGN(bool row, query.step());
        if (!row) break;
        unused.push_back(query.integer(0));
      }
    }
    if (!unused.empty()) DRYDOCK_TRY(mark_removed(database, unused));
    DRYDOCK_TRY(transaction.commit());
    if (unused.empty()) break;
  }
  std::vector<std::pair<SnapshotId, std::string>> marked;
  {
    Query query(database, "SELECT id, space FROM snapshots WHERE state='removing' ORDER BY id DESC");
    for (;;) {
      DRYDOCK_ASSIGN(bool row, query.step());
      if (!row) break;
      marked.emplace_back(query.integer(0), query.text(1));
    }
  }
  for (const auto& [id, space] : marked) {
    auto directory = store.root() + "/snapshots/" + space;
    auto bytes = tree_bytes(directory + "/" + std::to_string(id));
    if (auto removed = remove_marked(database, directory, id); !removed) {
      result.problems.push_back(removed.error().to_string());
      continue;
    }
    ++result.snapshots;
    result.bytes += bytes;
  }
  return {};
}

// A blob is in use when it is held, a record or image has it, or it is the form of a layer whose diff a record or
// snapshot has: then it need not be compressed again.
constexpr const char* k_blob_in_use =
    "SELECT " HELD("blob", "?1")
    " OR EXISTS(SELECT 1 FROM records WHERE blob=?1) OR EXISTS(SELECT 1 FROM image_blobs WHERE blob=?1)"
    " OR EXISTS(SELECT 1 FROM layer_forms f WHERE f.blob=?1 AND ("
    "EXISTS(SELECT 1 FROM records r WHERE r.diff_id=f.diff_id) OR "
    "EXISTS(SELECT 1 FROM snapshots s WHERE s.diff_id=f.diff_id AND s.state <> 'removing')))";

Result<bool> blob_in_use(Database& database, const std::string& digest) {
  Query query(database, k_blob_in_use);
  query.bind(digest);
  DRYDOCK_ASSIGN(bool row, query.step());
  return row && query.integer(0) != 0;
}

std::vector<std::string> names_in(const std::string& path) {
  std::vector<std::string> names;
  DIR* directory = ::opendir(path.c_str());
  if (!directory) return names;
  while (auto* entry = ::readdir(directory)) {
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  ::closedir(directory);
  return names;
}

/// Asked and unlinked under the write lock, so that nobody protects a blob between the two; in small steps, so that
/// builds are not held up.
Status remove_blobs(Store& store, PruneResult& result) {
  constexpr std::size_t k_step = 64;
  auto& database = store.database();
  auto names = names_in(store.root() + "/blobs/sha256");
  for (std::size_t at = 0; at < names.size(); at += k_step) {
    Transaction transaction(database);
    DRYDOCK_TRY(transaction.begin());
    for (std::size_t i = at; i < std::min(names.size(), at + k_step); ++i) {
      auto digest = "sha256:" + names[i];
      DRYDOCK_ASSIGN(bool used, blob_in_use(database, digest));
      if (used) continue;
      DRYDOCK_TRY(changed_by(database, "DELETE FROM layer_forms WHERE blob=?", digest));
      auto path = store.root() + "/blobs/sha256/" + names[i];
      struct stat status {};
      if (::stat(path.c_str(), &status) != 0 || ::unlink(path.c_str()) != 0) continue;
      ++result.blobs;
      result.bytes += static_cast<std::uint64_t>(status.st_blocks) * 512;
    }
    DRYDOCK_TRY(transaction.commit());
  }
  return {};
}

Status forget_the_rest(Database& database) {
  auto day = now_ms() / (24 * 3600 * 1000LL) - k_file_memory_days;
  DRYDOCK_TRY(Query(database, "DELETE FROM files WHERE seen_day < ?").bind(day).run());
  return Query(database,
               "DELETE FROM layers WHERE diff_id NOT IN (SELECT diff_id FROM layer_forms) AND diff_id NOT IN "
               "(SELECT diff_id FROM records WHERE diff_id IS NOT NULL) AND diff_id NOT IN "
               "(SELECT diff_id FROM snapshots WHERE diff_id IS NOT NULL)")
      .run();
}

Status collect(Store& store, PruneResult& result) {
  DRYDOCK_TRY(remove_snapshots(store, result));
  return remove_blobs(store, result);
}

}  // namespace

Result<PruneResult> prune(Store& store, const PruneOptions& options) {
  auto& database = store.database();
  PruneResult result;
  DRYDOCK_ASSIGN(auto oldest_first, candidates(database, options));
  std::size_t next = 0;
  if (options.all || options.unused_for) {
    auto limit = options.all ? INT64_MAX
                             : now_ms() - std::chrono::duration_cast<std::chrono::milliseconds>(*options.unused_for)
                                              .count();
    for (; next < oldest_first.size() && oldest_first[next].last_used <= limit; ++next) {
      DRYDOCK_TRY(remove_row(database, oldest_first[next], result));
    }
  }
  DRYDOCK_TRY(collect(store, result));
  if (options.keep_bytes) {
    DRYDOCK_ASSIGN(auto usage, disk_usage(store));
    auto used = usage.blob_bytes + usage.snapshot_bytes;
    // A few at a time, because many records share what they reach.
    while (used > *options.keep_bytes && next < oldest_first.size()) {
      auto step = std::max<std::size_t>(1, (oldest_first.size() - next) / 16);
      for (std::size_t i = 0; i < step; ++i) DRYDOCK_TRY(remove_row(database, oldest_first[next++], result));
      auto before = result.bytes;
      DRYDOCK_TRY(collect(store, result));
      used -= std::min(used, result.bytes - before);
    }
  }
  DRYDOCK_TRY(forget_the_rest(database));
  return result;
}

}  // namespace drydock::oci
