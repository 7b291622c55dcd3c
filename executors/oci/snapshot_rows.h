#pragma once
// Removal of snapshots in two steps, so that a kill leaves only marked rows: mark in one transaction, then remove
// the directory and last the row. Internal to the store.

#include "executors/base/result.h"
#include "executors/oci/snapshot.h"
#include "executors/oci/store_db.h"

#include <string>
#include <vector>

namespace drydock::oci {

/// From here on nobody finds them, and no record or lease names them.
Status mark_removed(Database& database, const std::vector<SnapshotId>& ids);
/// Safe to repeat and to run twice at once.
Status remove_marked(Database& database, const std::string& directory, SnapshotId id);

}  // namespace drydock::oci
