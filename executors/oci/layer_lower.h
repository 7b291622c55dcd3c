#pragma once
// LowerChain: looks names up in the layers below as overlayfs would: whiteouts hide, opaque directories end a merge.
// The layers are immutable. Thread-safe. Internal to layers.

#include "executors/oci/snapshot.h"

#include <sys/stat.h>

#include <optional>
#include <string>
#include <vector>

namespace drydock::oci {

bool is_whiteout(const struct stat& status);

class LowerChain {
 public:
  /// fs directories, topmost first.
  LowerChain(std::vector<std::string> directories, SnapshotFormat format);

  /// Indexes of the layers that a directory is merged from.
  using Layers = std::vector<std::size_t>;
  struct Found {
    std::string path;      // on disk, of the topmost one
    struct stat status {};
    Layers layers;         // when it is a directory
  };

  bool empty() const { return directories_.empty(); }
  /// The root directory; nothing in an empty chain.
  std::optional<Found> root() const;
  /// `path` relative to the root, its parent merged from `parents`.
  std::optional<Found> find(const Layers& parents, const std::string& path) const;
  /// The same from the root; no component may be "." or "..".
  std::optional<Found> lookup(const std::string& path) const;

 private:
  std::vector<std::string> directories_;
  SnapshotFormat format_;
};

}  // namespace drydock::oci
