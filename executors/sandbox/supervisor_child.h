#pragma once
// The half of the supervisor that runs in the cloned process: system calls only, no allocation, no locks.
// Internal to the sandbox.

#include <cstdint>

namespace drydock::sandbox::child {

/// Everything the cloned process needs, made ready before the clone.
struct Plan {
  char* const* argv = nullptr;
  char* const* environment = nullptr;
  char* const* last_words = nullptr;  // null when there are none
  const char* directory = nullptr;    // null: stay
  const int* sources = nullptr;       // descriptors, `count` pairs
  const int* targets = nullptr;
  int count = 0;
  int first_free = 3;  // above every target
  int control_fd = -1, status_fd = -1;
  bool user_namespace = false, mount_namespace = false, pid_namespace = false;
};

/// What goes over the status pipe: one when the program started or could not, one when it ended.
struct Message {
  std::int32_t started = 0;  // 1: started, or ended when `ended`
  std::int32_t ended = 0;
  std::int32_t step = 0;     // StartStep
  std::int32_t error = 0;    // errno
  std::int32_t status = 0;   // wait status
};

[[noreturn]] void supervise(const Plan& plan);

}  // namespace drydock::sandbox::child
