#pragma once
// Starting one child through Boost.Process: own process group, death with the parent, no inherited
// descriptors. For process.cpp, and for those who start a child in another way and want it run to its end alike.

#include <sys/types.h>

#include <string>

#include "executors/base/owned_fd.h"
#include "executors/base/process.h"

namespace drydock {

struct Launched {
  pid_t pid = -1;
  OwnedFd out, err;  // the parent's ends
};

/// The caller waits for the child. The child dies with the calling thread, which therefore must outlive it.
Result<Launched> launch(const ProcessSpec& spec);

/// What becomes standard input: an anonymous file with the text, or /dev/null.
Result<OwnedFd> input_descriptor(const std::string& input);

/// A program that somebody started, perhaps somewhere else: what running it to its end needs.
class RunningProgram {
 public:
  virtual ~RunningProgram() = default;
  /// Becomes readable when there is something to ask ended() about; -1: ask from time to time.
  virtual int end_descriptor() const = 0;
  virtual bool ended() = 0;
  /// To the program and what it started in its process group.
  virtual void signal(int number) = 0;
  /// After ended(): the status as waitpid gives it.
  virtual Result<int> status() = 0;
};

/// Streams, timeout, stop and end, as run_process has them. Takes `spec` for its callbacks and times.
Result<ProcessResult> run_to_end(const ProcessSpec& spec, RunningProgram& program, OwnedFd out, OwnedFd err,
                                 std::stop_token stop);

/// What run_process does with a child of this process that leads its own process group.
Result<ProcessResult> run_launched(const ProcessSpec& spec, Launched launched, std::stop_token stop);

}  // namespace drydock
