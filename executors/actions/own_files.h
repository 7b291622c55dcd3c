#pragma once
// The files of a commit of the user's own repository, for actions that a workflow has beside itself (`uses: $/…`).

#include <string>
#include <vector>

#include "executors/base/result.h"

namespace drydock::actions {

/// Writes them below `directory`, which is made. The repository at `source` is only read. not_found without the commit.
/// Gives the tracked files with changes that are not committed, and so are not there.
Result<std::vector<std::string>> write_own_files(const std::string& source, const std::string& commit, const std::string& directory);

}  // namespace drydock::actions
