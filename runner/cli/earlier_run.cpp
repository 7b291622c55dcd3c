#include "runner/cli/earlier_run.h"

#include <algorithm>

#include "executors/base/fs.h"
#include "runner/cli/run_directories.h"
#include "runner/schedule/kept_jobs.h"

namespace drydock::runner {

bool is_leg_of(const std::string& key, const std::string& job) { return key == job || key.starts_with(job + " ("); }

Result<EarlierRun> earlier_run(const std::string& runs_directory, const std::string& id) {
  DRYDOCK_ASSIGN(const std::string named, directory_of_run(runs_directory, id));
  DRYDOCK_ASSIGN(const RunRecord record, read_run(named));
  auto all = list_runs(runs_directory).runs;
  std::erase_if(all, [&](const RunRecord& each) { return each.run != record.run; });
  EarlierRun out{.newest = record};
  for (const auto& attempt : all) out.attempts.push_back(attempt.id);
  for (auto attempt = all.rbegin(); attempt != all.rend(); ++attempt) {  // the oldest first
    if (attempt->running) {
      return make_error(ErrorCode::usage, "run " + attempt->id + " has not ended yet", "wait for it, or stop it");
    }
    auto results = results_of(runs_directory + "/" + attempt->id);
    if (!results && attempt->id == record.id) return std::move(results).error();
    if (results) {
      for (auto& [key, result] : *results) out.results.insert_or_assign(key, std::move(result));
    }
    if (attempt->attempt >= out.newest.attempt) out.newest = *attempt;
  }
  return out;
}

Result<std::string> run_with_workspace(const std::string& runs_directory, const std::string& directory,
                                       const std::string& workflow_file, const std::string& job) {
  for (const auto& run : list_runs(runs_directory).runs) {
    const bool same = std::any_of(run.workflows.begin(), run.workflows.end(), [&](const auto& each) { return each.file == workflow_file; });
    if (run.directory != directory || !same) continue;
    const auto results = kept_jobs(runs_directory + "/" + run.id);
    if (!results) continue;
    const bool found = std::any_of(results->begin(), results->end(), [&](const step::JobResult& result) {
      return is_leg_of(result.key, job) && result.trail && is_directory(result.trail->workspace);
    });
    if (found) return run.id;
  }
  return make_error(ErrorCode::not_found, "no run of " + workflow_file + " has the workspace of job '" + job + "' any more",
                    "run it with --keep-workspace; that of a job that fails stays until the next run of its workflow");
}

}  // namespace drydock::runner
