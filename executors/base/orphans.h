#pragma once
// Ends what steps leave running: processes that carry a mark in their environment, as GitHub's runner does it with
// RUNNER_TRACKING_ID. A step keeps a process out of it by starting it with another value of that variable.
// A small process watches over this one, so that nothing goes on when it is killed. Thread-safe.

#include <string>

namespace drydock {

inline constexpr const char* k_tracking_variable = "RUNNER_TRACKING_ID";

/// A value for the variable, of one job: no two are equal, in this process or another. The first call starts the
/// process that ends all that carry such a value when this process is gone, however it went.
std::string new_tracking_id();

/// Kills every process with that value, and those that they start meanwhile; gives their number. Looks at all
/// processes of the machine, unless this one has no child at all.
int end_orphans(const std::string& tracking_id);

}  // namespace drydock
