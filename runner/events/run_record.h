#pragma once
// RunRecord: what a run was and how it ended, in <runs>/<id>/run.json: written when it starts, and again when it has
// ended. Beside it lies the run's lock, held while its process lives, so that a killed run is told from a running one.
// Values and functions without state; several processes may read while one writes.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "executors/base/events.h"
#include "executors/base/fs.h"
#include "executors/base/result.h"
#include "executors/base/time.h"

namespace drydock::runner {

struct RunRecord {
  static constexpr int k_schema = 1;
  struct Workflow {
    std::string file, name;
    Outcome conclusion = Outcome::none;
  };
  struct Job {
    std::string key;
    Outcome conclusion = Outcome::none;
    std::chrono::milliseconds elapsed{0};
    std::string workflow;               // its file; empty in records of an older drydock
  };

  std::string id;
  std::string run;                      // the id of its first attempt, GITHUB_RUN_ID; its own where it is that
  int attempt = 1;
  std::string repository, directory;    // "team/app", and where its clone lies
  std::string event, ref, sha, actor;
  std::vector<Workflow> workflows;      // those that the event triggered
  Time started{};
  std::optional<Time> finished;         // nothing while it runs, and for ever when it was killed
  Outcome conclusion = Outcome::none;
  std::vector<Job> jobs;                // of an unfinished run: those that have ended, as its events tell
  bool keeps_workspace = false;         // its work folder stays until the run is pruned
  bool running = false;                 // read from the lock, not written

  /// "success", "failure", "cancelled", "skipped"; "running" or "killed" when it has no end.
  std::string state() const;
};

/// `run_dir` exists.
Status write_run(const std::string& run_dir, const RunRecord& record);

/// invalid_input for a record of a newer drydock; a run without a record, from an older one, has its id and events.
Result<RunRecord> read_run(const std::string& run_dir);

/// All runs of a store, the newest first; what cannot be read is left out and named in `problems`.
struct Runs {
  std::vector<RunRecord> runs;
  std::vector<std::string> problems;
};
Runs list_runs(const std::string& runs_dir);

/// The run's own lock, for the life of the process that performs it.
Result<FileLock> hold_run(const std::string& run_dir);

/// The events that a run kept; a line cut short by a kill ends them.
Result<std::vector<Event>> read_events(const std::string& run_dir);

/// Removes the work folders that nobody asked to keep: of runs whose process is gone, what a kill left behind; of those
/// that failed, when `starting` runs one of their workflows again.
void reap_work_folders(const std::string& runs_dir, const RunRecord& starting);

/// What the work folders of all runs take: those of running jobs, and those that are kept.
struct WorkFolders {
  std::size_t jobs = 0;
  std::uint64_t bytes = 0;
};
WorkFolders work_folders(const std::string& runs_dir);

/// Removes runs that ended (or were killed) before `limit`; gives their number.
Result<std::size_t> prune_runs(const std::string& runs_dir, Time limit);

}  // namespace drydock::runner
