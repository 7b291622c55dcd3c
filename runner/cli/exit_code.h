#pragma once
// Exit status of the program. Fixed: users' scripts rely on it.

#include "executors/base/result.h"

namespace drydock::runner {

enum ExitCode : int {
  k_exit_ok = 0,
  k_exit_failed = 1,       // the workflow or build failed
  k_exit_usage = 2,
  k_exit_invalid = 3,      // invalid workflow or Dockerfile
  k_exit_environment = 4,  // missing runtime, no emulator
  k_exit_registry = 5,     // registry or network, after retries
  k_exit_cancelled = 130,
};

/// Prints "drydock: …" with context and mend on standard error; returns the exit status.
int report(const Error& error);

}  // namespace drydock::runner
