#pragma once
// Runs the jobs of one workflow for one event: by needs, side by side within a limit, results and outputs handed
// on, matrices with fail-fast and max-parallel, called workflows, concurrency groups, cancellation. Publishes run and job events; steps are the engine's.
// Blocking; starts its own threads. Does not print, and writes only below the run's directory.

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "executors/step/engine.h"
#include "parser/workflow/model.h"
#include "runner/plan/event.h"
#include "runner/plan/expand.h"
#include "runner/schedule/job_slots.h"
#include "runner/schedule/kept_jobs.h"

namespace drydock::runner {

/// What becomes of a job's directory when it has ended.
enum class WorkDirs { removed, kept_when_failed, kept };

/// --from-step: one job goes on at one of its steps, where an earlier run of it has ended.
struct FromStep {
  std::string job;   // its id
  std::string step;  // its id, number or name
  std::string run;   // the earlier run, for messages
  std::map<std::string, step::JobTrail> trails;  // of the job's legs, by their keys
};

struct RunOptions {
  const parser::workflow::Workflow* workflow = nullptr;
  TriggerEvent event;
  RunSettings settings;              // work_dir is set from run_dir when empty
  std::set<std::string> jobs;        // -j: these and what they need; all when empty
  int max_jobs = 0;                  // at the same time; 0: as many as there are cores
  std::shared_ptr<JobSlots> slots;   // shared with other workflows, instead of max_jobs
  std::function<void(const std::string& name)> on_start;  // called with the run's name when nothing was refused
  std::string run_id;
  std::string github_run_id;         // of the first attempt, as github.run_id shows it; run_id when empty
  int attempt = 1;
  std::string run_dir;               // <state>/runs/<id>: work/, jobs/<file>.<job>[.<index>].json
  WorkDirs work_dirs = WorkDirs::removed;
  std::string lock_dir;              // concurrency groups, shared by the runs of this machine; none when empty
  std::map<std::string, step::JobResult> finished;  // --resume: jobs that are not run again, by kept_key()
  std::optional<FromStep> from_step;  // all jobs but this one are then taken from `finished`
};

struct RunResult {
  std::string file;                          // of the workflow
  std::string name;                          // run-name, else the workflow's name; empty when nothing ran
  Outcome conclusion = Outcome::none;        // success, failure, cancelled, skipped (nothing to do)
  std::vector<step::JobResult> jobs;         // in the order of the workflow, skipped ones included
  parser::Diagnostics problems;              // refusals: nothing was run then
  std::optional<ErrorCode> error;            // the first job's that failed the run
  std::string reason;                        // why nothing ran

  /// 0, 1 (failed), 3 (problems), 4 (environment), 5 (registry or network), 130 (cancelled).
  int exit_code() const;
};

/// The exit status for an error's code.
int run_exit_code(ErrorCode code);

/// `services.bus` and the rest are shared by all jobs.
RunResult run_workflow(const RunOptions& options, const step::JobServices& services, std::stop_token stop = {});

/// A new run's id: decimal, rising with time, unique among the directories of `runs_dir`, which it makes.
Result<std::string> new_run(const std::string& runs_dir);

}  // namespace drydock::runner
