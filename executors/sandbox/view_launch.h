#pragma once
// Starts one program in a view, as a child of this process. Internal to the sandbox.

#include <pthread.h>
#include <signal.h>

#include <string>

#include "executors/base/process_launch.h"
#include "executors/sandbox/view_child.h"

namespace drydock::sandbox {

/// Blocks every signal of this thread: a handler must not run in a clone of this process.
class SignalsHeld {
 public:
  SignalsHeld() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsHeld() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;

 private:
  sigset_t before_;
};

struct ViewLaunch {
  std::string program;  // absolute, or relative to the directory, inside
  const Environment* environment = nullptr;
  int handles[view_child::k_handles];
  bool user_namespace = false;
};

/// Like launch(): the program is this process's child and leads its own group; it dies with the calling thread.
Result<Launched> launch_in_view(const ViewLaunch& launch, const ProcessSpec& spec);

}  // namespace drydock::sandbox
