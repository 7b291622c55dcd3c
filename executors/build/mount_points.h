#pragma once
// MountPoints: files and directories that must exist in a root file system only while a command runs there.
// Made beforehand, removed afterwards when still empty, with the times of their parents given back, so that they
// leave no trace in the layer. One object for one run.

#include <filesystem>
#include <string>
#include <vector>

#include "executors/build/file_tree.h"

namespace drydock::build {

class MountPoints {
 public:
  static Result<MountPoints> open(const std::filesystem::path& root);
  MountPoints(MountPoints&&) noexcept = default;
  ~MountPoints();

  enum class Kind { file, directory };
  /// Makes `path` and its parents inside the root when they are missing.
  Status need(const std::string& path, Kind kind);

 private:
  explicit MountPoints(OwnedFd root) : root_(std::move(root)) {}
  struct Made {
    std::string path;
    Kind kind;
    timespec parent_before, parent_after;
  };
  OwnedFd root_;
  std::vector<Made> made_;
};

}  // namespace drydock::build
