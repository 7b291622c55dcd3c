#pragma once
// The halves of a view that run in cloned processes: its holder, which makes it and is pid 1 of it, and the way of a
// step into it. System calls only, no allocation, no locks. Internal to the sandbox.

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "executors/sandbox/view_plan.h"

namespace drydock::sandbox::view_child {

/// What the holder hands over: namespaces to enter, and the view's root directory.
enum Handle { k_mount_namespace, k_pid_namespace, k_ipc_namespace, k_uts_namespace, k_user_namespace, k_root, k_handles };

struct Hold {
  const std::vector<ViewStep>* steps = nullptr;
  const char* root = nullptr;
  int channel = -1;  // stream socket; its end is the end of the view
  bool user_namespace = false;
  char* arguments = nullptr;  // of this process, shown by /proc/1/cmdline: they may hold secrets
  unsigned long arguments_size = 0;
};

/// The holder's one message: which step failed (an index, or one of these), or the handles with it.
enum : std::int32_t { k_made = -1, k_private = -2, k_pivot = -3, k_handle = -4 };
struct Made {
  std::int32_t step = k_made;
  std::int32_t error = 0;
};

/// Waits for one byte, makes the view, hands it over, and reaps orphans until the channel ends.
[[noreturn]] void hold(const Hold& plan);

struct Enter {
  const int* handles = nullptr;  // k_handles of them
  int in = -1, out = -1, err = -1;
  int report = -1;
  const char* directory = nullptr;  // null: "/"
  char* const* argv = nullptr;      // argv[0] is a path inside
  char* const* environment = nullptr;
  bool user_namespace = false;
  std::uint64_t keep = ~0ull;  // capabilities that stay
};

/// Reports go through `report`: the pid as the caller sees it, then a failure or, with exec, the end of the pipe.
enum class EnterStep : std::int32_t { entered, name_spaces, fork, set_up, directory, exec };
struct Report {
  EnterStep step = EnterStep::entered;
  std::int32_t error = 0;
  std::int32_t pid = 0;
};

/// Enters, and starts the program as a child of this process's own parent.
[[noreturn]] void enter(const Enter& plan);

}  // namespace drydock::sandbox::view_child
