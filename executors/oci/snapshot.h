#pragma once
// SnapshotStore: layers as overlayfs directories, snapshots/<format>[-<id map hash>]/<id>/{fs,work}.
// A snapshot is in progress under a lease, or committed and immutable. Mounts nothing.
// Thread-safe; a view on a Store that must outlive it. Meant for overlays mounted with
// redirect_dir=off,metacopy=off,index=off.

#include "executors/base/result.h"
#include "executors/oci/digest.h"
#include "executors/oci/lease.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace drydock::oci {

using SnapshotId = std::int64_t;

/// How whiteouts and opaque directories are written: trusted.overlay.* by root, user.overlay.* (mount option
/// userxattr) within a user namespace.
enum class SnapshotFormat { root, user };
std::string_view name_of(SnapshotFormat format);

/// Who may share snapshots: same format and same id map.
struct SnapshotNamespace {
  SnapshotFormat format = SnapshotFormat::root;
  std::string id_map;  // text of /proc/self/uid_map and gid_map within the namespace; empty for root
  /// Directory name: "root", "user-1f3a…".
  std::string name() const;
  /// That of the calling process.
  static SnapshotNamespace of_this_process();
};

struct Snapshot {
  SnapshotId id = 0;
  std::optional<SnapshotId> parent;
  std::string fs;    // the layer's own directory: lower directory when committed, upper directory before
  std::string work;  // overlay work directory, only before commit
  bool committed = false;
  std::optional<Digest> diff_id;   // of its layer
  std::optional<Digest> chain_id;  // of the layers up to here
};

class SnapshotStore {
 public:
  /// Discards what killed processes and other boots left unfinished.
  static Result<SnapshotStore> open(Store& store,
                                    const SnapshotNamespace& space = SnapshotNamespace::of_this_process());

  const SnapshotNamespace& space() const { return space_; }

  // A lease of nullptr means the store's session.
  /// A new empty layer on top of `parent`; not found when the parent is not committed.
  Result<Snapshot> prepare(std::optional<SnapshotId> parent, const Lease* lease = nullptr);
  /// Makes it immutable. When another one has this chain id already, that one is returned and this one removed.
  Result<Snapshot> commit(SnapshotId id, const std::optional<Digest>& diff_id = {},
                          const std::optional<Digest>& chain_id = {}, const Lease* lease = nullptr);
  /// Removes a snapshot in progress.
  Status abandon(SnapshotId id);

  Result<std::optional<Snapshot>> get(SnapshotId id, const Lease* lease = nullptr);
  Result<std::optional<Snapshot>> find_by_chain(const Digest& chain_id, const Lease* lease = nullptr);
  /// The layers' fs directories, topmost first: `lowerdir` of an overlay.
  Result<std::vector<std::string>> chain(SnapshotId id);
  /// Records what a layer turned out to be. An other snapshot that has the chain id keeps it.
  Status set_diff(SnapshotId id, const Digest& diff_id, const std::optional<Digest>& chain_id = {});

  /// One syncfs makes this boot's snapshots durable; the unsynced ones are lost with a power failure only.
  Status sync_all();

 private:
  SnapshotStore(Store& store, SnapshotNamespace space);
  Status reap();

  Store* store_;
  SnapshotNamespace space_;
  std::string name_;
  std::string directory_;
};

}  // namespace drydock::oci
