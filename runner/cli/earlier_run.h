#pragma once
// The earlier run that --resume, --rerun-failed and --from-step go on with: which one is meant, and what its attempts left.

#include <map>
#include <string>
#include <vector>

#include "executors/base/result.h"
#include "executors/step/job_request.h"
#include "runner/events/run_record.h"

namespace drydock::runner {

struct EarlierRun {
  RunRecord newest;  // of its attempts
  std::vector<std::string> attempts;  // their ids, the newest first
  std::map<std::string, step::JobResult> results;  // by kept_key(); of the newest attempt that has one
};

/// The run that `id`, of any of its attempts, names; "latest" is the newest of all. not_found, or usage when it goes on.
Result<EarlierRun> earlier_run(const std::string& runs_directory, const std::string& id);

/// The newest run of a workflow of the clone in `directory` that has the workspace of this job.
Result<std::string> run_with_workspace(const std::string& runs_directory, const std::string& directory,
                                       const std::string& workflow_file, const std::string& job);

/// The results of a job's legs, which are the values whose key is "build" or "build (linux)".
bool is_leg_of(const std::string& key, const std::string& job);

}  // namespace drydock::runner
