#pragma once
// The engine as a process of its own: one request goes in, events and one answer come out, as JSON lines. This is how
// a build gets into a user namespace; the same lines can travel further. serve_engine is the inside, call_engine the
// outside. The call, each event and the result carry their own schema version.

#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "executors/build/build_engine.h"
#include "executors/build/engine.h"

namespace drydock::build {

struct EngineCall {
  BuildRequest request;
  EngineOptions options;
};
std::string encode(const EngineCall& call);
Result<EngineCall> decode_call(const std::string& line);

/// Inside: reads one call from `in_fd`, builds, writes events and the answer to `out_fd`. The secrets of the call are
/// masked here already. Ends early when `in_fd` reaches its end: the caller wants it, or is gone.
/// Returns the process's exit status.
int serve_engine(int in_fd, int out_fd);

/// Outside: writes the call to `in_fd`, republishes events on `bus`, returns the answer. When `stop` is requested,
/// closes `in_fd`, which asks the engine to stop.
Result<EngineResult> call_engine(const EngineCall& call, int in_fd, int out_fd, Bus& bus, std::stop_token stop);

}  // namespace drydock::build
