#pragma once
// What the native actions need from the rest of the program, injected so that this room knows neither the
// registry client's making nor the machine's probing. Copied into each action; every function may be called
// from several jobs at once.

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "executors/base/events.h"
#include "executors/base/platform.h"
#include "executors/base/result.h"
#include "executors/base/time.h"

namespace drydock::actions {

struct LoginRequest {
  std::string registry;  // "docker.io", "localhost:5000"
  std::string username;
  std::string password;
};

/// One platform that this machine runs, as its probes found it.
struct RunnablePlatform {
  Platform platform;
  Execution execution = Execution::native;  // native or emulated
  std::string emulator;                     // "QEMU 8.2.2"; empty when native
};

/// What a checkout of the user's own repository does with changes of tracked files that are not committed.
enum class Uncommitted { leave_out, include };

struct ActionServices {
  /// Asks the registry whether it takes the password: registry_auth when it does not, network when it is down.
  std::function<Status(const LoginRequest&, std::stop_token)> verify_login;
  std::function<Result<std::vector<RunnablePlatform>>()> platforms;
  std::function<Time()> now;  // the system's clock when empty
  Uncommitted uncommitted = Uncommitted::leave_out;
};

}  // namespace drydock::actions
