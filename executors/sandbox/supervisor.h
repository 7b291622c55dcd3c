#pragma once
// A small single-threaded process between us and a program: it ends the program and all that descends from it when
// we end (a pipe tells), whatever way we end. Optionally in namespaces of its own. Thread-safe to start; one owner
// for each Supervised. The supervisor is made by a bare clone(2): between clone and exec only system calls are made.

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "executors/base/process.h"
#include "executors/base/result.h"

namespace drydock::sandbox {

struct SupervisedSpec {
  std::vector<std::string> argv;  // argv[0] is a path
  Environment environment;
  std::string directory;
  // (descriptor here, number in the program); all others are closed there.
  std::vector<std::pair<int, int>> descriptors;
  unsigned long namespaces = 0;  // CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID
  // With CLONE_NEWUSER: writes the id maps of the supervisor, which waits for it.
  std::function<Status(pid_t)> map_ids;
  // Run once when the owner has died and everything has been killed (delete the container's state).
  std::vector<std::string> last_words;
};

/// Which step failed before the program ran.
enum class StartStep { none, propagation, proc, fork, directory, descriptors, exec };

struct StartFailure {
  StartStep step = StartStep::none;
  int error = 0;
};

class Supervised {
 public:
  Supervised(Supervised&& other) noexcept;
  Supervised& operator=(Supervised&& other) noexcept;
  ~Supervised();  // kills and waits

  pid_t pid() const { return pid_; }
  void signal(int number);
  /// Ends the program and its descendants; wait() tells when that is done.
  void kill();
  /// Becomes readable when the program has ended.
  int status_descriptor() const { return status_fd_; }
  /// Blocks until the program has ended: its wait status as waitpid gives it.
  int wait();

  /// `failure` (may be null) tells which step failed, for callers that try again differently.
  static Result<Supervised> start(const SupervisedSpec& spec, StartFailure* failure = nullptr);

 private:
  Supervised() = default;
  void finish();
  pid_t pid_ = -1;
  int control_fd_ = -1, status_fd_ = -1;
  std::optional<int> status_;
};

}  // namespace drydock::sandbox
