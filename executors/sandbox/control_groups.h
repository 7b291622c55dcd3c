#pragma once
// What OCI runtimes leave of control groups when they are killed while they make them. Internal to the sandbox.

#include <string>

#include "executors/base/result.h"

namespace drydock::sandbox {

/// Removes `group` ("/drydock/ID") with those below it wherever control groups are mounted. A group that is not there
/// is no error; one with processes is.
Status remove_control_group(const std::string& group);

}  // namespace drydock::sandbox
