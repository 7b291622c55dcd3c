#pragma once
// Which versions of an action its native form answers for. Pure functions.

#include <optional>
#include <string_view>

#include "executors/base/result.h"

namespace drydock::actions {

/// 5 for "v5", "v5.1.0" and "5"; nothing for a branch or a commit.
std::optional<int> major_of(std::string_view version);

struct Majors {
  int oldest = 0, newest = 0;
};
/// Majors within the range, commits (40 hex digits) and branches are served; a branch or commit gets the newest
/// meaning. Other majors are refused with the range.
Status serves_majors(std::string_view action, std::string_view version, Majors majors);

/// The part after the last "@" of "docker/login-action@v3".
std::string_view version_of(std::string_view uses);

}  // namespace drydock::actions
