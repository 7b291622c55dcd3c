#pragma once
// --from-step: the one job of a run that goes on at one of its steps, with what an earlier run of it left. A function
// without state; internal to this room.

#include "parser/diagnostics/diagnostic.h"
#include "runner/schedule/run_workflow.h"

namespace drydock::runner {

/// Sets `go_on` of the job's leg. What hinders it is told at a place; the engine's own check tells the rest.
parser::Diagnostics begin_at_step(const RunOptions& options, const parser::workflow::Job& job, Expansion& expansion);

/// Whether it is this job that goes on.
bool goes_on(const RunOptions& options, const parser::workflow::Job& job);

}  // namespace drydock::runner
