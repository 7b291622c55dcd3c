#pragma once
// Concurrency groups between the runs and jobs of this machine: one at a time in a group, those that wait in the order
// in which they came, and what a newcomer cancels. A group is a directory with a numbered file for each that is in
// it; the file is locked by its process, so the kernel tells who died. Never blocks for longer than a look takes.

#include <memory>
#include <string>

#include "executors/base/fs.h"
#include "executors/base/result.h"
#include "runner/plan/concurrency_group.h"

namespace drydock::runner {

/// At most so many wait in a group with `queue: max`; who comes then is cancelled.
inline constexpr std::size_t k_max_queue = 100;

/// One place in a group, for the object's life. Used by one thread.
class GroupPlace {
 public:
  enum class State { waiting, entered, cancelled };

  /// Takes a place behind those that are there, and cancels whom the settings name. `lock_dir` is shared by all
  /// processes; groups of different repositories are different.
  static Result<std::unique_ptr<GroupPlace>> take(const std::string& lock_dir, const std::string& repository,
                                                  const GroupSettings& settings);
  ~GroupPlace();
  GroupPlace(const GroupPlace&) = delete;
  GroupPlace& operator=(const GroupPlace&) = delete;

  /// Enters when all before it have left; cancelled, also after it has entered, when another asked for it.
  Result<State> look();
  const std::string& name() const { return name_; }

 private:
  GroupPlace(std::string directory, std::string name) : directory_(std::move(directory)), name_(std::move(name)) {}
  Result<State> settle();
  std::string file(const char* suffix = "") const;

  std::string directory_, name_;
  unsigned long number_ = 0;
  State state_ = State::waiting;
  std::optional<FileLock> alive_;
};

}  // namespace drydock::runner
