#include "executors/oci/snapshot_rows.h"

#include <filesystem>

namespace drydock::oci {

Status mark_removed(Database& database, const std::vector<SnapshotId>& ids) {
  Transaction transaction(database);
  DRYDOCK_TRY(transaction.begin());
  for (auto id : ids) {
    DRYDOCK_TRY(Query(database, "UPDATE snapshots SET state='removing', chain_id=NULL WHERE id=?").bind(id).run());
    DRYDOCK_TRY(Query(database, "DELETE FROM record_snapshots WHERE snapshot=?").bind(id).run());
    DRYDOCK_TRY(Query(database, "DELETE FROM lease_items WHERE kind='snapshot' AND name=?")
                    .bind(std::to_string(id)).run());
  }
  return transaction.commit();
}

Status remove_marked(Database& database, const std::string& directory, SnapshotId id) {
  std::error_code code;
  auto path = directory + "/" + std::to_string(id);
  // Another process may be removing the same one: what it takes away between two looks is no failure.
  constexpr int k_most_looks = 1000;
  for (int look = 0; look < k_most_looks; ++look) {
    std::filesystem::remove_all(path, code);
    if (code != std::errc::no_such_file_or_directory && code != std::errc::directory_not_empty) break;
  }
  if (code) return errno_error("remove " + path, code.value());
  return Query(database, "DELETE FROM snapshots WHERE id=? AND state='removing'").bind(id).run();
}

}  // namespace drydock::oci
