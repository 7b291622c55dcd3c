#pragma once
// Caches of all repositories: rows in the services' database, one file each. An entry never changes once it is there.
// Found by key and version within scopes (refs): exact key, then prefix, the newest first, scope by scope.
// Knows no HTTP. Thread-safe, and safe against other processes.

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

struct CacheEntry {
  std::int64_t id = 0;
  std::string repository, version, scope, key;
  std::uint64_t size = 0;
  Time created;
};

/// What a job may reach: it reads its own scope and those it comes from, and writes its own alone.
struct CacheScopes {
  std::string repository;
  std::vector<std::string> read;  // in the order of looking: refs/heads/topic, refs/heads/main
  std::string write;
};

/// Empty when `key` may be a cache's, else what is wrong with it.
std::string cache_key_problem(std::string_view key);

class CacheStore {
 public:
  CacheStore(ServiceDb& db, ServiceLimits limits) : db_(db), limits_(limits) {}

  /// keys: the key asked for, then keys to fall back on. Marks what it finds as used now.
  Result<std::optional<CacheEntry>> find(const CacheScopes& scopes, const std::vector<std::string>& keys,
                                         const std::string& version, Time now);
  /// For people: entries of the readable scopes whose key begins so.
  Result<std::vector<CacheEntry>> like(const CacheScopes& scopes, const std::string& key) const;
  Result<bool> has(const CacheEntry& entry) const;
  /// Makes it durable and visible, then evicts down to the quota. `failed` when the key is taken.
  Result<std::int64_t> add(CacheEntry entry, Upload& upload);
  Result<std::optional<CacheEntry>> entry(std::int64_t id) const;
  Result<OwnedFd> open(std::int64_t id) const;

  /// Removes what was not used for long, then the least used until the quota holds.
  Result<Amount> evict(Time now);
  /// The least used beyond `keep` bytes, and what was not used for `unused_days`.
  Result<Amount> evict(Time now, std::uint64_t keep, std::int64_t unused_milliseconds);
  Result<Amount> usage() const;

 private:
  std::string path(std::int64_t id) const;
  Status remove(std::int64_t id);
  Result<std::optional<CacheEntry>> find_in(const std::string& repository, const std::string& scope,
                                            const std::vector<std::string>& keys, const std::string& version) const;

  ServiceDb& db_;
  const ServiceLimits limits_;
};

}  // namespace drydock::runner
