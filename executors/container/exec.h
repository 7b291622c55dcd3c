#pragma once
// Starting programs in a running container, by its first process (init_protocol.h). Thread-safe: many programs may be
// started over one channel at the same time. The descriptor may be used in another process than the one that made
// the container.

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "executors/base/process.h"
#include "executors/base/result.h"

namespace drydock::container {

/// As run_process, in the container: argv[0] is looked up in the PATH of spec.environment, which is taken as it is.
/// Errors: not_found for the program, environment when the container has ended.
Result<ProcessResult> run_in_container(int channel, const ProcessSpec& spec, std::stop_token stop = {});

/// Absolute path inside.
std::optional<std::string> find_in_container(int channel, std::string_view name, const Environment& environment);

}  // namespace drydock::container
