#pragma once
// What is known of each job of a run, and what follows for the others: needs contexts, the results of ancestors,
// fail-fast. Decides nothing about threads. Used by one thread; internal to this room.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "executors/step/job_request.h"
#include "parser/workflow/model.h"
#include "runner/plan/expand.h"

namespace drydock::runner {

enum class JobState { waiting, expanded, done };

struct JobEntry {
  const parser::workflow::Job* job = nullptr;
  JobState state = JobState::waiting;
  Expansion expansion;
  std::size_t started = 0, ended = 0;   // legs
  bool stopped = false;                 // fail-fast or cancellation: no more legs
  Outcome result = Outcome::none;
  std::map<std::string, std::string> outputs;
};

class JobTable {
 public:
  /// The jobs wanted and all that they need; every job when `wanted` is empty. An unknown name is kept out.
  JobTable(const parser::workflow::Workflow& workflow, const std::set<std::string>& wanted);

  std::vector<JobEntry>& entries() { return entries_; }
  bool ready(const JobEntry& entry) const;
  bool all_done() const;

  /// needs.<id>.{result, outputs} for one job.
  parser::expression::Value needs_of(const JobEntry& entry) const;
  /// Over all jobs before it: failure over cancelled over skipped over success.
  Outcome ancestors_of(const JobEntry& entry) const;

  /// Adds a leg's end to its job; completes the job with the last one.
  void leg_ended(JobEntry& entry, const step::JobResult& result, bool continue_on_error);
  void skip(JobEntry& entry);

 private:
  const JobEntry* find(const std::string& id) const;
  void collect(const JobEntry& entry, std::set<const JobEntry*>& found) const;

  std::vector<JobEntry> entries_;
};

}  // namespace drydock::runner
