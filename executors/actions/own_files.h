#pragma once
// The files of a commit of the user's own repository, for actions that a workflow has beside itself (`uses: $/…`).

#include <string>

#include "executors/base/result.h"

namespace drydock::actions {

/// Writes them below `directory`, which is made. The repository at `source` is only read. not_found without the commit.
Status write_own_files(const std::string& source, const std::string& commit, const std::string& directory);

}  // namespace drydock::actions
