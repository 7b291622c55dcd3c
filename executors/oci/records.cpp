#include "executors/oci/records.h"

#include "executors/oci/records_json.h"
#include "executors/oci/store_db.h"

namespace drydock::oci {
namespace {

using std::chrono::milliseconds;

// A row is marked used at most this often: a warm build then reads and does not write.
constexpr std::int64_t k_touch_step_ms = 60 * 1000;

std::int64_t to_ms(TimePoint time) {
  return std::chrono::duration_cast<milliseconds>(time.time_since_epoch()).count();
}
TimePoint from_ms(std::int64_t ms) { return TimePoint(milliseconds(ms)); }

std::optional<std::string> text_of(const std::optional<Digest>& digest) {
  if (!digest) return std::nullopt;
  return digest->to_string();
}

Result<std::optional<Digest>> digest_in(const Query& query, int column) {
  if (query.is_null(column)) return std::optional<Digest>();
  DRYDOCK_ASSIGN(auto digest, Digest::parse(query.text(column)));
  return std::optional(std::move(digest));
}

#define RECORD_COLUMNS \
  "r.key, r.diff_id, r.blob_info, r.parent, r.kind, r.description, r.extra, r.created, r.last_used, s.snapshot"
#define RECORD_TABLES "records r LEFT JOIN record_snapshots s ON s.key=r.key AND s.space=?1"

Result<CacheRecord> record_from(const Query& query) {
  CacheRecord record;
  DRYDOCK_ASSIGN(record.key, Digest::parse(query.text(0)));
  DRYDOCK_ASSIGN(record.diff_id, digest_in(query, 1));
  if (!query.is_null(2)) {
    DRYDOCK_ASSIGN(record.blob, blob_from_row(query.text(2)));
  }
  DRYDOCK_ASSIGN(record.parent, digest_in(query, 3));
  record.kind = query.text(4);
  record.description = query.text(5);
  record.extra = nlohmann::json::parse(query.text(6), nullptr, false);
  if (record.extra.is_discarded()) {
    return make_error(ErrorCode::corrupted, "the store's record " + record.key.to_string() + " is unreadable");
  }
  record.created = from_ms(query.integer(7));
  record.last_used = from_ms(query.integer(8));
  if (!query.is_null(9)) record.snapshot = query.integer(9);
  return record;
}

}  // namespace

std::string_view name_of(Compression compression) {
  switch (compression) {
    case Compression::none: return "none";
    case Compression::gzip: return "gzip";
    case Compression::zstd: return "zstd";
  }
  return "none";
}

Records::Records(Store& store, const SnapshotStore* snapshots)
    : store_(store), namespace_(snapshots ? snapshots->space().name() : "") {}

Status Records::put(const CacheRecord& record) {
  auto now = now_ms();
  auto created = record.created == TimePoint{} ? now : to_ms(record.created);
  std::optional<std::string> blob, info;
  if (record.blob) {
    blob = record.blob->digest.to_string();
    info = to_row(*record.blob);
  }
  auto& database = store_.database();
  Transaction transaction(database);
  DRYDOCK_TRY(transaction.begin());
  DRYDOCK_TRY(Query(database,
                    "INSERT INTO records(key, diff_id, blob, blob_info, parent, kind, description, extra, created, "
                    "last_used) VALUES(?,?,?,?,?,?,?,?,?,?) ON CONFLICT(key) DO UPDATE SET "
                    "diff_id=coalesce(excluded.diff_id, diff_id), blob=coalesce(excluded.blob, blob), "
                    "blob_info=coalesce(excluded.blob_info, blob_info), parent=coalesce(excluded.parent, parent), "
                    "kind=excluded.kind, description=excluded.description, extra=excluded.extra, "
                    "last_used=excluded.last_used")
                  .bind(record.key.to_string()).bind(text_of(record.diff_id)).bind(blob).bind(info)
                  .bind(text_of(record.parent)).bind(record.kind).bind(record.description)
                  .bind(record.extra.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)).bind(created)
                  .bind(now).run());
  if (record.snapshot && !namespace_.empty()) {
    // Only of a snapshot that is (still) there.
    DRYDOCK_TRY(Query(database,
                      "INSERT OR REPLACE INTO record_snapshots(key, space, snapshot) "
                      "SELECT ?, space, id FROM snapshots WHERE id=? AND space=? AND state='committed'")
                    .bind(record.key.to_string()).bind(*record.snapshot).bind(namespace_).run());
    if (database.changes() != 1) {
      return make_error(ErrorCode::internal, "snapshot " + std::to_string(*record.snapshot) + " of record " +
                                                 record.key.to_string() + " is not committed");
    }
  }
  return transaction.commit();
}

Result<std::optional<CacheRecord>> Records::find(const Digest& key, const Lease* lease) {
  DRYDOCK_ASSIGN(auto found, find_all({key}, lease));
  return std::move(found.front());
}

Result<std::vector<std::optional<CacheRecord>>> Records::find_all(const std::vector<Digest>& keys,
                                                                  const Lease* lease) {
  if (!lease) {
    DRYDOCK_ASSIGN(lease, store_.session());
  }
  auto& database = store_.database();
  auto now = now_ms();
  std::vector<std::optional<CacheRecord>> records;
  Transaction transaction(database);
  DRYDOCK_TRY(transaction.begin());
  for (const auto& key : keys) {
    Query query(database, "SELECT " RECORD_COLUMNS " FROM " RECORD_TABLES " WHERE r.key=?2");
    query.bind(namespace_).bind(key.to_string());
    DRYDOCK_ASSIGN(bool row, query.step());
    if (!row) {
      records.emplace_back();
      continue;
    }
    DRYDOCK_ASSIGN(auto record, record_from(query));
    DRYDOCK_TRY(lease->protect_record(key));
    if (record.snapshot) DRYDOCK_TRY(lease->protect_snapshot(*record.snapshot));
    if (record.blob) DRYDOCK_TRY(lease->protect_blob(record.blob->digest));
    if (now - to_ms(record.last_used) > k_touch_step_ms) DRYDOCK_TRY(touch(key));
    records.emplace_back(std::move(record));
  }
  DRYDOCK_TRY(transaction.commit());
  return records;
}

Status Records::touch(const Digest& key) {
  return Query(store_.database(), "UPDATE records SET last_used=? WHERE key=?").bind(now_ms()).bind(key.to_string())
      .run();
}

Status Records::erase(const Digest& key) {
  auto& database = store_.database();
  Transaction transaction(database);
  DRYDOCK_TRY(transaction.begin());
  DRYDOCK_TRY(Query(database, "DELETE FROM record_snapshots WHERE key=?").bind(key.to_string()).run());
  DRYDOCK_TRY(Query(database, "DELETE FROM records WHERE key=?").bind(key.to_string()).run());
  return transaction.commit();
}

Result<std::vector<CacheRecord>> Records::list(std::size_t limit) {
  Query query(store_.database(),
              "SELECT " RECORD_COLUMNS " FROM " RECORD_TABLES " ORDER BY r.last_used DESC, r.key LIMIT ?2");
  query.bind(namespace_).bind(limit ? static_cast<std::int64_t>(limit) : std::int64_t{-1});
  std::vector<CacheRecord> records;
  for (;;) {
    DRYDOCK_ASSIGN(bool row, query.step());
    if (!row) return records;
    DRYDOCK_ASSIGN(auto record, record_from(query));
    records.push_back(std::move(record));
  }
}

}  // namespace drydock::oci
