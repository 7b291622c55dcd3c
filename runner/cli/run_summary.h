#pragma once
// The summary of a run for a program: --summary-json, docs/formats/summary.md. Pure.

#include <string>
#include <vector>

#include "executors/base/json.h"
#include "executors/base/masker.h"
#include "executors/build/build_service.h"
#include "runner/schedule/run_workflow.h"

namespace drydock::runner {

/// Every text in it is masked; its keys are ours.
Json summary_of(const std::string& run_id, const std::vector<RunResult>& results,
                const std::vector<build::BuildResult>& builds, const Masker& masker);

/// What steps wrote to GITHUB_STEP_SUMMARY, for a person; empty when none did.
std::string summaries_text(const std::vector<step::JobResult>& jobs, const Masker& masker);

}  // namespace drydock::runner
