#pragma once
// What an upper directory changes, decided before a byte is written: the plan names entries in order.
// Internal to layers.

#include "executors/base/result.h"
#include "executors/oci/layer.h"
#include "executors/oci/layer_lower.h"
#include "executors/oci/layer_xattr.h"
#include "executors/oci/tar.h"

#include <sys/stat.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace drydock::oci {

struct PlannedEntry {
  TarEntry entry;       // files: xattrs are read when the content is, unless they were looked at already
  bool changed = true;  // false: written only when something below or linked to it is
  bool xattrs_read = false;
  std::pair<dev_t, ino_t> inode{};  // of a file with several names; else 0
  std::size_t end = 0;  // directories: index after the last entry below
};

class LayerPlanner {
 public:
  LayerPlanner(const std::string& upper, const std::vector<std::string>& lower, const DiffOptions& options)
      : upper_(upper), lower_(lower, options.format), options_(options) {}

  /// In tar order; what is left out is gone from it.
  Result<std::vector<PlannedEntry>> plan();

 private:
  using Layers = LowerChain::Layers;

  Status root();
  Status directory(int fd, const std::string& path, const Layers& lower);
  Status child(int parent, const std::string& path, const std::string& name, const Layers& lower);
  Status subdirectory(int parent, const std::string& path, const std::string& name, const struct stat& status,
                      const std::optional<LowerChain::Found>& below);
  void whiteout(const std::string& path, const std::string& name);
  Result<TarEntry> entry_of(int parent, const std::string& name, const std::string& path,
                            const struct stat& status) const;
  Result<TarEntry> entry_below(const LowerChain::Found& below, const std::string& path) const;
  Result<bool> same(int parent, const std::string& name, PlannedEntry& planned,
                    const std::optional<LowerChain::Found>& below) const;
  void settle_links();
  void drop_unchanged();

  const std::string& upper_;
  LowerChain lower_;
  const DiffOptions& options_;
  std::vector<PlannedEntry> entries_;
};

/// Attributes that mean the layer's data are not all in its directory.
Status refuse_overlay_features(const Xattrs& xattrs, const std::string& path);

}  // namespace drydock::oci
