#pragma once
// A child process in its own user, mount and pid namespaces, in which it is uid 0. Unprivileged callers get
// 0 → themselves and 1… → their subordinate ids (newuidmap); root keeps its ids. The child and everything
// below it die with the caller. Thread-safe; blocking only where said.

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "executors/base/process.h"
#include "executors/base/result.h"

namespace drydock::sandbox {

struct IdRange {
  std::uint32_t inside = 0, outside = 0, count = 0;
  friend bool operator==(const IdRange&, const IdRange&) = default;
};

struct IdMap {
  std::vector<IdRange> uids, gids;
  /// "u0:1000:1,1:100000:65536 g…", inside:outside:count; equal strings mean snapshots are interchangeable.
  std::string describe() const;
  friend bool operator==(const IdMap&, const IdMap&) = default;
};

/// The map of the namespace this process is in, as describe() gives it; "initial" in the machine's own.
std::string current_id_map();
/// True in the machine's initial user namespace (or one with all ids mapped to themselves).
bool in_initial_user_namespace();

/// Whether a user namespace with more than one id is possible here; found by trying.
struct UserNamespaceSupport {
  bool possible = false;
  std::string why;   // when not
  std::string mend;  // when not
  IdMap map;         // the one that spawn_in_user_namespace would use
};
UserNamespaceSupport probe_user_namespace();

/// The ranges of `user` (a name) or `uid` in the text of /etc/subuid or /etc/subgid.
std::vector<IdRange> subordinate_ranges(const std::string& text, const std::string& user, std::uint32_t uid);

enum class PidNamespace {
  own_if_possible,  // falls back when /proc cannot be mounted in it (inside some containers)
  shared,
};

/// Whose ids the child has. machine: no user namespace at all, for root, which keeps its rights over the machine's
/// control groups and devices; mounts and pids are the child's own all the same.
enum class ChildIds { own_namespace, machine };

struct UserNamespaceOptions {
  std::optional<Environment> environment;  // exactly this; the caller's when empty
  std::string directory;
  // (descriptor here, number in the child). Those of 0, 1, 2 that are not named become /dev/null, /dev/null and
  // the caller's standard error. All others are closed. The caller keeps and closes its own copies.
  std::vector<std::pair<int, int>> descriptors;
  PidNamespace pid = PidNamespace::own_if_possible;
  ChildIds ids = ChildIds::own_namespace;
};

/// A running child. Destroying it kills the child and everything below it, and waits.
class NamespaceProcess {
 public:
  NamespaceProcess(NamespaceProcess&&) noexcept;
  NamespaceProcess& operator=(NamespaceProcess&&) noexcept;
  ~NamespaceProcess();

  /// The supervisor's pid, outside: member of the namespaces (for setns through /proc/<pid>/ns).
  pid_t pid() const;
  /// Sends a signal to the program (not only its supervisor).
  void signal(int number);
  /// Ends everything at once.
  void kill();
  /// Waits for the program; exit code (128 + signal when killed) and signal. May be called again.
  Result<ProcessResult> wait();

 private:
  friend class NamespaceSpawner;
  struct State;
  explicit NamespaceProcess(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Starts argv (argv[0] absolute or found in PATH) inside. Mounts are private there; HOME and user names are the
/// caller's matter. Errors: environment (with the mend) when namespaces are impossible, not_found for the program.
Result<NamespaceProcess> spawn_in_user_namespace(const std::vector<std::string>& argv,
                                                 const UserNamespaceOptions& options = {});

}  // namespace drydock::sandbox
