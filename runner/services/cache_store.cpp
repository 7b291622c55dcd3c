#include "runner/services/cache_store.h"

#include <fcntl.h>

#include <cerrno>

#include "executors/base/fs.h"
#include "runner/services/wire.h"

namespace drydock::runner {
namespace {

constexpr std::size_t k_longest_key = 512;
constexpr std::int64_t k_day = 24LL * 60 * 60 * 1000;

/// Columns: id, repository, version, scope, key, size, created.
CacheEntry entry_of(const oci::Query& row) {
  return {.id = row.integer(0),
          .repository = row.text(1),
          .version = row.text(2),
          .scope = row.text(3),
          .key = row.text(4),
          .size = static_cast<std::uint64_t>(row.integer(5)),
          .created = Time(std::chrono::milliseconds(row.integer(6)))};
}

Result<std::optional<CacheEntry>> first_row(oci::Query& query) {
  DRYDOCK_ASSIGN(const bool row, query.step());
  return row ? std::optional(entry_of(query)) : std::optional<CacheEntry>();
}

}  // namespace

std::string cache_key_problem(std::string_view key) {
  if (key.empty()) return "the key is empty";
  if (key.size() > k_longest_key) return "the key is longer than " + std::to_string(k_longest_key) + " bytes";
  if (key.find(',') != std::string_view::npos) return "the key contains a comma";
  if (!is_plain_text(key)) return "the key contains control characters or is not UTF-8";
  return {};
}

std::string CacheStore::path(std::int64_t id) const { return db_.caches() + "/" + std::to_string(id); }

Result<std::optional<CacheEntry>> CacheStore::find_in(const std::string& repository, const std::string& scope,
                                                      const std::vector<std::string>& keys,
                                                      const std::string& version) const {
  for (const auto& key : keys) {
    if (&key == &keys.front()) {
      oci::Query exact(db_.database(),
                       "SELECT id, repository, version, scope, key, size, created FROM caches "
                       "WHERE repository=? AND version=? AND scope=? AND key=?");
      DRYDOCK_ASSIGN(auto found, first_row(exact.bind(repository).bind(version).bind(scope).bind(key)));
      if (found) return found;
    }
    oci::Query prefix(db_.database(),
                      "SELECT id, repository, version, scope, key, size, created FROM caches "
                      "WHERE repository=? AND version=? AND scope=? AND substr(key, 1, length(?))=? "
                      "ORDER BY created DESC, id DESC LIMIT 1");
    DRYDOCK_ASSIGN(auto found, first_row(prefix.bind(repository).bind(version).bind(scope).bind(key).bind(key)));
    if (found) return found;
  }
  return std::optional<CacheEntry>();
}

Result<std::optional<CacheEntry>> CacheStore::find(const CacheScopes& scopes, const std::vector<std::string>& keys,
                                                   const std::string& version, Time now) {
  for (const auto& scope : scopes.read) {
    DRYDOCK_ASSIGN(auto found, find_in(scopes.repository, scope, keys, version));
    if (!found) continue;
    if (!exists(path(found->id))) {
      DRYDOCK_TRY(remove(found->id));
      continue;
    }
    DRYDOCK_TRY(oci::Query(db_.database(), "UPDATE caches SET last_used=? WHERE id=?").bind(unix_milliseconds(now)).bind(found->id).run());
    return found;
  }
  return std::optional<CacheEntry>();
}

Result<std::vector<CacheEntry>> CacheStore::like(const CacheScopes& scopes, const std::string& key) const {
  std::vector<CacheEntry> found;
  for (const auto& scope : scopes.read) {
    oci::Query query(db_.database(),
                     "SELECT id, repository, version, scope, key, size, created FROM caches "
                     "WHERE repository=? AND scope=? AND substr(key, 1, length(?))=? ORDER BY created DESC LIMIT 100");
    query.bind(scopes.repository).bind(scope).bind(key).bind(key);
    for (;;) {
      DRYDOCK_ASSIGN(const bool row, query.step());
      if (!row) break;
      found.push_back(entry_of(query));
    }
  }
  return found;
}

Result<bool> CacheStore::has(const CacheEntry& entry) const {
  oci::Query query(db_.database(), "SELECT 1 FROM caches WHERE repository=? AND version=? AND scope=? AND key=?");
  return query.bind(entry.repository).bind(entry.version).bind(entry.scope).bind(entry.key).step();
}

Result<std::int64_t> CacheStore::add(CacheEntry entry, Upload& upload) {
  auto& database = db_.database();
  DRYDOCK_TRY(upload.sync());
  {
    oci::Transaction transaction(database);
    DRYDOCK_TRY(transaction.begin());
    oci::Query insert(database,
                      "INSERT OR IGNORE INTO caches(repository, version, scope, key, size, created, last_used) "
                      "VALUES(?,?,?,?,?,?,?)");
    DRYDOCK_TRY(insert.bind(entry.repository).bind(entry.version).bind(entry.scope).bind(entry.key)
                    .bind(static_cast<std::int64_t>(entry.size)).bind(unix_milliseconds(entry.created))
                    .bind(unix_milliseconds(entry.created)).run());
    if (database.changes() == 0) return make_error(ErrorCode::failed, "a cache with this key and version already exists");
    entry.id = database.last_id();
    DRYDOCK_TRY(upload.move_to(path(entry.id)));
    DRYDOCK_TRY(transaction.commit());
  }
  DRYDOCK_ASSIGN(const auto evicted, evict(entry.created));
  (void)evicted;
  return entry.id;
}

Result<std::optional<CacheEntry>> CacheStore::entry(std::int64_t id) const {
  oci::Query query(db_.database(), "SELECT id, repository, version, scope, key, size, created FROM caches WHERE id=?");
  return first_row(query.bind(id));
}

Result<OwnedFd> CacheStore::open(std::int64_t id) const {
  OwnedFd file(::open(path(id).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.valid()) return errno_error("opening a cache", errno);
  return file;
}

Status CacheStore::remove(std::int64_t id) {
  // The row first: a file without one is overwritten or in nobody's way.
  DRYDOCK_TRY(oci::Query(db_.database(), "DELETE FROM caches WHERE id=?").bind(id).run());
  return remove_tree(path(id));
}

Result<Amount> CacheStore::evict(Time now) { return evict(now, limits_.cache_bytes, limits_.cache_unused_days * k_day); }

Result<Amount> CacheStore::evict(Time now, std::uint64_t keep, std::int64_t unused_milliseconds) {
  struct Row {
    std::int64_t id;
    std::uint64_t size;
    bool old;
  };
  std::vector<Row> rows;
  std::uint64_t used = 0;
  {
    oci::Query query(db_.database(), "SELECT id, size, last_used FROM caches ORDER BY last_used, id");
    for (;;) {
      DRYDOCK_ASSIGN(const bool row, query.step());
      if (!row) break;
      const bool old = query.integer(2) + unused_milliseconds <= unix_milliseconds(now);
      rows.push_back({query.integer(0), static_cast<std::uint64_t>(query.integer(1)), old});
      used += rows.back().size;
    }
  }
  Amount evicted;
  for (const auto& row : rows) {
    if (!row.old && used <= keep) continue;
    DRYDOCK_TRY(remove(row.id));
    used -= row.size;
    ++evicted.entries;
    evicted.bytes += row.size;
  }
  return evicted;
}

Result<Amount> CacheStore::usage() const {
  oci::Query query(db_.database(), "SELECT count(*), coalesce(sum(size), 0) FROM caches");
  DRYDOCK_ASSIGN(const bool row, query.step());
  if (!row) return Amount{};
  return Amount{static_cast<std::size_t>(query.integer(0)), static_cast<std::uint64_t>(query.integer(1))};
}

}  // namespace drydock::runner
