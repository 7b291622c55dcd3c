#pragma once
// LayerTarget: the overlay layer directory that a tar is unpacked into. Resolves names as if the layer lay on its
// lower ones and never leaves the directory: every component is opened without following links, links are resolved
// here. One thread at a time. Internal to layers.

#include "executors/base/result.h"
#include "executors/oci/layer_lower.h"
#include "executors/oci/snapshot.h"

#include <sys/stat.h>

#include <string>
#include <unordered_map>
#include <vector>

namespace drydock::oci {

class LayerTarget {
 public:
  static Result<LayerTarget> open(const std::string& directory, const std::vector<std::string>& lower,
                                  SnapshotFormat format);
  LayerTarget(LayerTarget&& other) noexcept;
  LayerTarget& operator=(LayerTarget&&) = delete;
  ~LayerTarget();

  /// Where an entry goes. `parent` is open until the next call of anything here.
  struct Slot {
    int parent = -1;
    std::string name;         // empty: the root itself
    std::string directory;    // of the parent, from the root, without links; "" for the root
    std::string path() const { return directory.empty() ? name : directory + "/" + name; }
  };

  /// Makes missing parents, as the layers below have them.
  Result<Slot> locate(const std::string& path);
  /// Status of what the layer itself has there.
  bool look(const Slot& slot, struct stat& status) const;
  /// Removes what is there, with all below.
  Status clear(const Slot& slot, const struct stat& status);
  /// Brings a file from the layers below into this one, for a link to it; not_found when there is none.
  Status copy_up(const Slot& slot);
  Status make_opaque(const Slot& directory);
  /// Opens a directory of the layer.
  Result<int> open_directory(const Slot& slot) const;
  /// A directory's time is set at the end: entries put into it later would change it.
  void set_time_later(const std::string& directory, const struct timespec& mtime);
  Status set_times();

  const LowerChain& lower() const { return lower_; }

 private:
  LayerTarget(int root, const std::vector<std::string>& lower, SnapshotFormat format);
  Result<int> enter(int parent, const std::string& directory, const std::string& name, std::string& link);
  Result<int> make_parent(int parent, const std::string& path, const std::string& name, std::string& link);
  void forget();

  int root_;
  SnapshotFormat format_;
  LowerChain lower_;
  std::unordered_map<std::string, int> open_;  // directories by their path
  std::string last_parent_, last_directory_;   // as asked for, as found
  int last_fd_ = -1;
  std::unordered_map<std::string, struct timespec> times_;
};

}  // namespace drydock::oci
