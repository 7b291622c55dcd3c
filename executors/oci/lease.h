#pragma once
// Lease: keeps blobs, snapshots and cache records from being pruned while their owner lives.
// Held by (pid, process start time, boot id); the leases of a dead owner are void, so a killed process needs no
// clean-up. Thread-safe. Must not outlive its Store.

#include "executors/base/result.h"
#include "executors/oci/digest.h"

#include <cstdint>
#include <string>

namespace drydock::oci {

class Store;

/// Identifies a process over time, on any boot; as stored with leases and unfinished work.
struct Owner {
  std::int64_t pid = 0;
  std::int64_t start_time = 0;  // clock ticks since boot, field 22 of /proc/<pid>/stat
  std::string boot_id;
  std::string pid_namespace;    // pids of another namespace say nothing here

  static const Owner& self();
  /// False only when it certainly is: another boot, or the pid is free or taken by a later process.
  bool may_live() const;
};

class Lease {
 public:
  Lease(Lease&& other) noexcept;
  Lease& operator=(Lease&& other) noexcept;
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  /// Releases what it protects.
  ~Lease();

  /// Protect first, look afterwards: what is found after protecting stays.
  Status protect_blob(const Digest& digest) const;
  Status protect_snapshot(std::int64_t id) const;
  Status protect_record(const Digest& key) const;
  std::int64_t id() const { return id_; }

 private:
  friend class Store;
  Lease(Store* store, std::int64_t id) : store_(store), id_(id) {}
  Status protect(const char* kind, const std::string& name) const;
  void release();

  Store* store_ = nullptr;
  std::int64_t id_ = 0;
};

}  // namespace drydock::oci
