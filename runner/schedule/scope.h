#pragma once
// One workflow of a run, the event's own or a called one, and what is known of its jobs: needs contexts, the results
// of ancestors, fail-fast. Scopes form a tree: a leg that calls a workflow owns the scope of its jobs. Decides nothing
// about threads. Used by one thread; internal to this room.

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "executors/step/engine.h"
#include "parser/workflow/model.h"
#include "runner/plan/expand.h"
#include "runner/schedule/concurrency.h"

namespace drydock::runner {

struct Scope;

enum class LegState { waiting, in_group, running, ended };

/// One leg of a job while the run lasts.
struct LegRun {
  LegRun();
  ~LegRun();
  LegRun(LegRun&&) noexcept;

  LegState state = LegState::waiting;
  step::JobResult result;
  std::unique_ptr<GroupPlace> group;   // concurrency of the job
  std::unique_ptr<Scope> called;       // of a leg that calls a workflow, from its start on
  std::chrono::steady_clock::time_point began{};  // of such a leg
  std::stop_source stop;               // of a leg with steps
  std::jthread thread;
};

enum class JobState { waiting, expanded, done };

struct JobEntry {
  const parser::workflow::Job* job = nullptr;
  JobState state = JobState::waiting;
  Expansion expansion;
  std::vector<LegRun> legs;             // as many as the expansion has; one, ended, for a job that did not expand
  bool stopped = false;                 // fail-fast or cancellation: no more legs
  Outcome result = Outcome::none;
  std::map<std::string, std::string> outputs;
};

/// Jobs by their needs.
class JobTable {
 public:
  /// The jobs wanted and all that they need; every job when `wanted` is empty. An unknown name is kept out.
  JobTable(const parser::workflow::Workflow& workflow, const std::set<std::string>& wanted);

  std::vector<JobEntry>& entries() { return entries_; }
  const std::vector<JobEntry>& entries() const { return entries_; }
  bool ready(const JobEntry& entry) const;
  bool all_done() const;

  /// needs.<id>.{result, outputs} for one job.
  parser::expression::Value needs_of(const JobEntry& entry) const;
  /// jobs.<id>.{result, outputs}, for the outputs of a called workflow.
  parser::expression::Value jobs() const;
  /// Over all jobs before it: failure over cancelled over skipped over success.
  Outcome ancestors_of(const JobEntry& entry) const;
  /// Failure over cancelled over success; skipped when no job ran.
  Outcome conclusion() const;

  /// A leg has ended with this result; completes the job with the last one.
  void leg_ended(JobEntry& entry, LegRun& leg, step::JobResult result, bool continue_on_error);
  /// The job has no legs.
  void end_without_legs(JobEntry& entry, step::JobResult result);

 private:
  const JobEntry* find(const std::string& id) const;
  void collect(const JobEntry& entry, std::set<const JobEntry*>& found) const;

  std::vector<JobEntry> entries_;
};

struct Scope {
  Scope(const parser::workflow::Workflow& of, const std::set<std::string>& wanted) : workflow(of), table(of, wanted) {}

  const parser::workflow::Workflow& workflow;
  JobTable table;
  const Scope* caller = nullptr;        // nothing for the event's own workflow
  std::string held_group;               // of the leg that calls it: concurrency of that job
  OrderedJson github, inputs;
  RunSettings settings;                 // with the names of the secrets that its jobs may ask for
  step::JobServices services;           // with the secrets behind those names
  CallerPrefix prefix;
  std::unique_ptr<GroupPlace> group;    // concurrency of the workflow
  bool entered = false;                 // its group, if it has one
  bool cancelled = false;

  ExpansionContexts contexts_of(const JobEntry& entry) const;
  /// Whether this scope or one around it is in the group; GitHub calls waiting for it then a deadlock.
  bool holds(const std::string& group_name) const;
};

}  // namespace drydock::runner
