#pragma once
// RunMounts: makes the sources of RUN --mount ready: files of a stage or the context, cache directories with their
// sharing, secrets. Holds locks and scratch mounts until it is destroyed, after the run.

#include <functional>
#include <list>
#include <memory>
#include <optional>

#include "executors/build/engine.h"
#include "executors/build/file_tree.h"
#include "executors/build/run_step.h"
#include "executors/build/stage_plan.h"
#include "executors/sandbox/overlay.h"

namespace drydock::build {

/// The name under which a cache mount is kept; empty for other mounts.
std::string cache_mount_id(const parser::dockerfile::Mount& mount);

class RunMounts {
 public:
  using TreeOf = std::function<Result<std::shared_ptr<FileTree>>(const FileSource&)>;
  RunMounts(Engine& engine, TreeOf tree_of) : engine_(engine), tree_of_(std::move(tree_of)) {}
  ~RunMounts();

  /// Nothing for an optional secret that was not given. code not_found for a required one.
  Result<std::optional<ReadyMount>> ready(const StepMount& mount);

 private:
  Result<std::optional<ReadyMount>> ready_secret(const parser::dockerfile::Mount& mount);
  Result<std::optional<ReadyMount>> ready_bind(const StepMount& mount);
  Result<std::optional<ReadyMount>> ready_cache(const StepMount& mount);
  Result<std::string> cache_directory(const parser::dockerfile::Mount& mount);
  Result<std::string> scratch_over(const std::string& directory);

  Engine& engine_;
  TreeOf tree_of_;
  std::list<sandbox::Mount> scratch_;
  std::vector<OwnedFd> locks_;  // flock, given back by closing
};

}  // namespace drydock::build
