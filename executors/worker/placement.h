#pragma once
// Decides where each leg of a build runs, and says why. A pure function of what is wanted and what is offered:
// native here, then native on another machine, then emulated; among equals the least load for its speed.
// Knows no connection and starts nothing.

#include <optional>
#include <string>
#include <vector>

#include "executors/base/events.h"
#include "executors/base/platform.h"

namespace drydock::worker {

enum class Locality { local, remote };

struct Worker {
  std::string name;                       // "local", "ssh://build@arm-1"
  Locality locality = Locality::local;
  std::vector<Platform> native;           // of its processor
  std::vector<Platform> emulated;         // tried and found to run
  double load = 0;                        // legs at work there
  double speed = 1;                       // relative; above zero
  std::vector<std::string> capabilities;  // "insecure", "network.host", "ssh", …
};

struct Leg {
  std::string name;                // "linux/arm64", or with its target
  Platform platform;
  std::vector<std::string> needs;  // capabilities
};

struct Placement {
  std::string leg;
  Platform platform;
  std::optional<std::size_t> worker;  // index; nothing when no worker can run the leg
  std::string worker_name;
  Execution execution = Execution::none;  // native, remote (native there), emulated
  std::string reason;
};

/// In the order of the legs; each placed leg counts as load for those after it.
/// Equal workers are taken in the order of their names.
std::vector<Placement> place(const std::vector<Leg>& legs, std::vector<Worker> workers);

/// This machine: its platform natively (and what that runs without an emulator), the others as given.
Worker local_worker(std::vector<Platform> emulated);

}  // namespace drydock::worker
