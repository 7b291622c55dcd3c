#include "executors/sandbox/control_groups.h"

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <set>

#include "executors/sandbox/mountinfo.h"

namespace drydock::sandbox {
namespace {

/// Those below go first; files in a group are the kernel's, and go with it.
Status remove_tree_of_groups(const std::filesystem::path& path) {
  std::error_code gone;
  for (const auto& entry : std::filesystem::directory_iterator(path, gone)) {
    if (entry.is_directory(gone) && !entry.is_symlink(gone)) DRYDOCK_TRY(remove_tree_of_groups(entry.path()));
  }
  if (::rmdir(path.c_str()) == 0 || errno == ENOENT) return {};
  return errno_error("cannot remove control group " + path.string(), errno);
}

}  // namespace

Status remove_control_group(const std::string& group) {
  std::set<std::string> seen;
  for (const auto& mount : current_mounts()) {
    if (!mount.type.starts_with("cgroup") || !seen.insert(mount.target).second) continue;
    DRYDOCK_TRY(remove_tree_of_groups(mount.target + group));
  }
  return {};
}

}  // namespace drydock::sandbox
