#pragma once
// A reusable workflow that a job calls: what its jobs get from the caller, and what the caller gets back. Functions
// without state; internal to this room.

#include <memory>

#include "parser/diagnostics/diagnostic.h"
#include "runner/schedule/scope.h"

namespace drydock::runner {

struct Call {
  std::unique_ptr<Scope> scope;   // nothing when there are errors
  parser::Diagnostics problems;   // inputs and secrets that cannot be given
};

/// `leg` is one of the legs of `entry`, whose called workflow is there. The caller's scope outlives the call's.
Call enter_call(const Scope& caller, const JobEntry& entry, const JobLeg& leg, Bus& bus);

/// The result of the calling leg, when all jobs of its scope are done.
step::JobResult leave_call(const Scope& called, const JobLeg& leg, Bus& bus);

}  // namespace drydock::runner
