#pragma once
// Where the runs of this machine and user are kept, and which of them an argument means.

#include <string>

#include "executors/base/result.h"

namespace drydock::runner {

/// <store>/runs, by the user's configuration.
Result<std::string> runs_directory();

/// The directory of the run with this id; "latest", or nothing, is the newest. not_found with what to do.
Result<std::string> directory_of_run(const std::string& runs_directory, const std::string& id);

}  // namespace drydock::runner
