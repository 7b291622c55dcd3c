#pragma once
// --pause-on-failure: a shell on the user's terminal in the place of a step that has failed: same isolation, environment
// and working directory. One at a time; the output of other jobs waits until it ends.

#include <stop_token>

#include "executors/step/engine.h"
#include "runner/cli/common.h"

namespace drydock::runner {

/// Whether standard input and output are a terminal.
bool can_pause();

/// Returns when the shell has ended, or on a stop request.
void pause(const step::FailedStep& failed, Console& console, std::stop_token stop);

}  // namespace drydock::runner
