#pragma once
// /proc/self/mountinfo as values. Internal to the sandbox.

#include <string>
#include <string_view>
#include <vector>

namespace drydock::sandbox {

struct MountedAt {
  int id = 0;
  std::string root, target, type, source;
};
/// In mount order; octal escapes undone.
std::vector<MountedAt> parse_mountinfo(std::string_view text);
std::vector<MountedAt> current_mounts();

}  // namespace drydock::sandbox
