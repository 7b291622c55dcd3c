#pragma once
// Isolation `sandbox`: the steps of a job run in a view of this machine, one for each job, which lives from the job's
// first step to its end. Owns no view itself: the factory's products do. Factories may be called from many threads.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "executors/base/events.h"
#include "executors/sandbox/journal.h"
#include "executors/step/engine.h"

namespace drydock::isolation {

/// What becomes of a job when no view can be made here.
enum class Otherwise { fail, run_on_host };  // the latter says so, once

struct SandboxOptions {
  /// Of the store: the journal lies in it, and what an earlier run left is undone before the first view is made.
  std::filesystem::path state_dir;
  /// Told what a view cannot do here; may be null.
  Bus* bus = nullptr;
  Otherwise otherwise = Otherwise::fail;
  /// Beside the job's own places: directories that steps share with the machine.
  std::vector<std::string> shared;
};

/// The request outlives what is made for it.
step::HostFactory sandbox_hosts(SandboxOptions options);

}  // namespace drydock::isolation
