#pragma once
// RunningContainer: one container with our first process in it, ready to be told what to run. It ends with the object.
// run() may be called from many threads. Internal to this room.

#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>

#include "executors/base/process.h"
#include "executors/base/process_launch.h"
#include "executors/base/result.h"
#include "executors/sandbox/runtime.h"

namespace drydock::container {

class RunningContainer {
 public:
  /// `spec.args` is set here. `state_dir` keeps the first process's program.
  static Result<std::unique_ptr<RunningContainer>> start(const sandbox::Runtime& runtime, sandbox::ContainerSpec spec,
                                                         const std::filesystem::path& state_dir);
  ~RunningContainer();

  /// For exec.h, here or in another process.
  int channel() const { return channel_.get(); }
  /// A program in it; see run_in_container.
  Result<ProcessResult> run(const ProcessSpec& spec, std::stop_token stop = {}) const;
  const std::string& id() const { return id_; }

 private:
  RunningContainer() = default;
  std::string id_;
  OwnedFd channel_;
  std::stop_source stop_;
  std::thread thread_;
  Result<sandbox::ContainerResult> ended_ = sandbox::ContainerResult{};
};

/// Kept beside the state: the program of the first process, made once.
Result<std::filesystem::path> init_program(const std::filesystem::path& state_dir);

}  // namespace drydock::container
