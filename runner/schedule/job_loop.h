#pragma once
// The loop that runs the jobs of a run: expands what is ready, starts legs within the limits, enters concurrency groups,
// goes into called workflows, takes what has ended, applies fail-fast and cancellation. One thread of its own for each
// leg with steps; everything else happens on the thread of run(). Internal to this room.

#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>

#include "executors/base/events.h"
#include "runner/schedule/run_workflow.h"
#include "runner/schedule/scope.h"

namespace drydock::runner {

class JobLoop {
 public:
  JobLoop(const RunOptions& options, Bus& bus, std::stop_token stop);
  ~JobLoop();

  /// Until all jobs of the scope are done.
  void run(Scope& root);
  /// Of the first job that failed the run.
  const std::optional<ErrorCode>& error() const { return error_; }

 private:
  struct Leg {
    Scope& scope;
    JobEntry& entry;
    std::size_t index;
    LegRun& run() const { return entry.legs[index]; }
    const JobLeg& plan() const { return entry.expansion.legs[index]; }
    const step::JobRequest& request() const { return plan().request; }
  };
  struct Ended {
    Leg leg;
    step::JobResult result;
  };

  bool enter(Scope& scope);
  Status join_group(Scope& scope);
  bool advance(Scope& scope);
  bool advance_leg(const Leg& leg);
  bool queue(const Leg& leg);
  bool may_enter(const Leg& leg);
  void expand(Scope& scope, JobEntry& entry);
  bool start(const Leg& leg);
  bool start_call(const Leg& leg);
  void start_steps(const Leg& leg);
  bool take_resumed(const Leg& leg);
  std::deque<Ended> wait(const Scope& root);
  void take(Ended ended);
  bool keeps_places(const Leg& leg, const step::JobResult& result);
  void end(const Leg& leg, step::JobResult result, bool publish);
  void end_unstarted(const Leg& leg, const std::string& why, Outcome outcome = Outcome::cancelled);
  void end_job(Scope& scope, JobEntry& entry, const std::string& why, Outcome outcome);
  void give_up(Scope& scope, const std::string& why);
  void cancel(Scope& scope);
  void stop(LegRun& leg);
  bool look_at_groups(Scope& scope);
  void tell_once(const std::string& text);
  void tell_places(const Leg& leg);
  void say(const parser::Diagnostics& problems);
  void record(const step::JobResult& result, bool failed_run);

  const RunOptions& options_;
  Bus& bus_;
  std::stop_token stop_;
  std::shared_ptr<JobSlots> slots_;
  int listener_ = 0;
  bool groups_ = false;  // some leg or scope is in a group, so others are to be looked at
  std::set<std::string> told_;
  std::optional<ErrorCode> error_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Ended> ended_;
  bool freed_ = false;  // another workflow gave back a slot
};

}  // namespace drydock::runner
