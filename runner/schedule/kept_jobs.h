#pragma once
// The results of jobs in a run's directory, for --resume: <run>/jobs/<workflow file>.<job>[.<index>].json. What may hold
// a secret is masked. Functions without state.

#include <map>
#include <string>
#include <vector>

#include "executors/base/masker.h"
#include "executors/base/result.h"
#include "executors/step/job_request.h"

namespace drydock::runner {

/// `workflow_file` is the file that the event triggered, also for the jobs of a called workflow.
Status keep_job(const std::string& run_dir, const std::string& workflow_file, const step::JobRequest& request,
                const step::JobResult& result, const Masker& masker);

/// What a job is found by in an earlier run.
std::string kept_key(const std::string& workflow_file, const std::string& job_key);

/// "<work>/<job>[.<index>]", which the request's own directories lie in.
std::string job_dir(const step::JobRequest& request);

/// The successful jobs that a run has left in its directory, by kept_key().
Result<std::map<std::string, step::JobResult>> finished_jobs(const std::string& run_dir);

/// All results that a run has left, whatever their conclusion, ordered by file name.
Result<std::vector<step::JobResult>> kept_jobs(const std::string& run_dir);

/// The same by kept_key(); not_found where there is no such run.
Result<std::map<std::string, step::JobResult>> results_of(const std::string& run_dir);

}  // namespace drydock::runner
