#pragma once
// The store's tables and their version. Internal to the store.

#include "executors/base/result.h"
#include "executors/oci/store_db.h"

#include <string>

namespace drydock::oci {

inline constexpr int k_store_schema = 1;

/// Creates the tables in an empty database; `lock_path` serialises processes that do so at once.
Status ensure_schema(Database& database, const std::string& lock_path, const std::string& root);

}  // namespace drydock::oci
