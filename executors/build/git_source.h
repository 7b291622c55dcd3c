#pragma once
// Files of a git commit as a directory, through libgit2. Times of the files are the commit's, so that the same commit
// always makes the same layers. Directories are kept in the store by tree and swept when unused for a week.

#include <string>

#include "executors/build/build_context.h"
#include "executors/build/engine.h"

namespace drydock::build {

/// The directory with the files of the commit (below the subdirectory). code not_found when the repository lacks it;
/// network when a remote one cannot be fetched.
Result<std::string> check_out(Engine& engine, const ContextPlace& place);

}  // namespace drydock::build
