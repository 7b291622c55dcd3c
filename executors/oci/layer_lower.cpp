#include "executors/oci/layer_lower.h"

#include "executors/oci/layer_xattr.h"

#include <sys/sysmacros.h>

#include <algorithm>
#include <utility>

namespace drydock::oci {

bool is_whiteout(const struct stat& status) { return S_ISCHR(status.st_mode) && status.st_rdev == makedev(0, 0); }

LowerChain::LowerChain(std::vector<std::string> directories, SnapshotFormat format)
    : directories_(std::move(directories)), format_(format) {}

std::optional<LowerChain::Found> LowerChain::root() const {
  if (directories_.empty()) return std::nullopt;
  Found found;
  found.path = directories_.front();
  if (::lstat(found.path.c_str(), &found.status) != 0) return std::nullopt;
  for (std::size_t i = 0; i < directories_.size(); ++i) found.layers.push_back(i);
  return found;
}

std::optional<LowerChain::Found> LowerChain::find(const Layers& parents, const std::string& path) const {
  std::optional<Found> found;
  for (auto layer : parents) {
    auto here = directories_[layer] + "/" + path;
    struct stat status {};
    if (::lstat(here.c_str(), &status) != 0) continue;
    if (is_whiteout(status)) break;
    bool directory = S_ISDIR(status.st_mode);
    if (found && !directory) break;
    if (!found) {
      found.emplace();
      found->path = here;
      found->status = status;
    }
    if (!directory) break;
    found->layers.push_back(layer);
    if (is_opaque(here, format_)) break;
  }
  return found;
}

std::optional<LowerChain::Found> LowerChain::lookup(const std::string& path) const {
  auto found = root();
  for (std::size_t end = 0; found && end < path.size();) {
    end = std::min(path.find('/', end + 1), path.size());
    found = find(found->layers, path.substr(0, end));
  }
  return found;
}

}  // namespace drydock::oci
