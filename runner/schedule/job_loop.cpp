#include "runner/schedule/job_loop.h"

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "executors/base/fs.h"
#include "executors/base/masker.h"
#include "runner/schedule/called_workflow.h"
#include "runner/schedule/from_step.h"
#include "runner/schedule/kept_jobs.h"

namespace drydock::runner {
namespace {

constexpr std::chrono::milliseconds k_between_looks{50};

/// What nobody asked to keep is not kept on a disk that is nearly full.
constexpr std::uintmax_t k_part_left = 20;

bool has_room(const std::string& directory) {
  std::error_code failed;
  const auto space = std::filesystem::space(directory, failed);
  return !failed && space.available >= space.capacity / k_part_left;
}

std::string replaced(const std::string& group) {
  return "Canceling since a higher priority waiting request for '" + group + "' exists";
}

}  // namespace

JobLoop::JobLoop(const RunOptions& options, Bus& bus, std::stop_token stop)
    : options_(options), bus_(bus), stop_(std::move(stop)),
      slots_(options.slots ? options.slots : std::make_shared<JobSlots>(options.max_jobs)) {
  listener_ = slots_->listen([this] {
    const std::lock_guard lock(mutex_);
    freed_ = true;
    changed_.notify_all();
  });
}

JobLoop::~JobLoop() { slots_->forget(listener_); }

void JobLoop::run(Scope& root) {
  if (const Status joined = join_group(root); !joined) {
    const Error error = Status(joined).error();
    bus_.error(error.to_string());
    error_ = error.code;
    return give_up(root, error.message);
  }
  while (true) {
    if (stop_.stop_requested()) cancel(root);
    groups_ = look_at_groups(root);
    while (advance(root)) {
    }
    if (root.table.all_done()) return;
    for (auto& ended : wait(root)) take(std::move(ended));
  }
}

/// Until something ends or a stop is asked for; for a short time only while other runs may cancel or let in.
std::deque<JobLoop::Ended> JobLoop::wait(const Scope& root) {
  std::unique_lock lock(mutex_);
  const auto arrived = [&] { return freed_ || !ended_.empty(); };
  // A stop that was seen already must not wake the loop again and again.
  const std::stop_token stop = root.cancelled ? std::stop_token() : stop_;
  if (groups_) changed_.wait_for(lock, stop, k_between_looks, arrived);
  else changed_.wait(lock, stop, arrived);
  freed_ = false;
  return std::exchange(ended_, {});
}

/// Takes the place of the workflow's `concurrency:`, if it has one.
Status JobLoop::join_group(Scope& scope) {
  if (!scope.workflow.concurrency || options_.lock_dir.empty()) return {};
  parser::Diagnostics problems;
  TokenValues values(scope.workflow.file, problems);
  ExpansionContexts contexts;
  contexts.github = scope.github;
  contexts.inputs = scope.inputs;
  const auto settings = group_of(*scope.workflow.concurrency, values, leg_context(contexts, scope.settings, {}));
  if (has_errors(problems)) return make_error(ErrorCode::invalid_input, format_line(problems.front()), problems.front().mend);
  if (!settings) return {};
  if (scope.holds(settings->name)) {
    return make_error(ErrorCode::cancelled, "Canceling since a deadlock for concurrency group '" + settings->name +
                                                "' was detected between '" + scope.prefix.key + "' and its caller");
  }
  DRYDOCK_ASSIGN(scope.group, GroupPlace::take(options_.lock_dir, scope.github.value("repository", std::string()), *settings));
  DRYDOCK_ASSIGN(const auto state, scope.group->look());
  groups_ = true;
  if (state == GroupPlace::State::waiting) {
    bus_.notice("concurrency group '" + settings->name + "' is held by another run or job: " +
                (settings->cancel_in_progress ? "it is cancelled" : "waiting for its end"));
  }
  return {};
}

bool JobLoop::enter(Scope& scope) {
  if (scope.entered) return true;
  if (!scope.group) return scope.entered = true;
  const auto state = scope.group->look();
  if (state.ok() && *state == GroupPlace::State::waiting && !scope.cancelled) return false;
  scope.entered = true;
  if (!state.ok()) give_up(scope, state.error().to_string());
  else if (*state == GroupPlace::State::cancelled) give_up(scope, replaced(scope.group->name()));
  else if (*state == GroupPlace::State::waiting) give_up(scope, "cancelled while waiting for concurrency group '" + scope.group->name() + "'");
  return true;
}

/// Nothing of the scope runs.
void JobLoop::give_up(Scope& scope, const std::string& why) {
  bus_.error(why);
  scope.cancelled = scope.entered = true;
  for (auto& entry : scope.table.entries()) end_job(scope, entry, why, Outcome::cancelled);
}

/// One round over the table; true when something changed at once, so that others may be ready now.
bool JobLoop::advance(Scope& scope) {
  if (!enter(scope)) return false;
  bool changed = false;
  for (auto& entry : scope.table.entries()) {
    const JobState before = entry.state;
    if (scope.table.ready(entry)) expand(scope, entry);
    if (entry.state == JobState::expanded) {
      for (std::size_t i = 0; i < entry.legs.size(); ++i) changed = advance_leg({scope, entry, i}) || changed;
    }
    changed = changed || entry.state != before;
  }
  return changed;
}

void JobLoop::expand(Scope& scope, JobEntry& entry) {
  entry.expansion = expand_job(scope.workflow, *entry.job, scope.contexts_of(entry), scope.settings);
  Expansion& expansion = entry.expansion;
  if (!scope.caller) {
    const auto hindered = begin_at_step(options_, *entry.job, expansion);
    expansion.problems.insert(expansion.problems.end(), hindered.begin(), hindered.end());
  }
  if (!entry.job->is_call()) {
    for (auto& leg : expansion.legs) {
      leg.request.leaves_places = options_.work_dirs != WorkDirs::removed;
      auto more = step::check_job(leg.request, scope.services);
      expansion.problems.insert(expansion.problems.end(), more.begin(), more.end());
    }
  }
  if (has_errors(expansion.problems)) {
    say(expansion.problems);
    return end_job(scope, entry, "it cannot run here", Outcome::failure);
  }
  if (expansion.will != Will::run) return end_job(scope, entry, expansion.reason, Outcome::skipped);
  entry.legs.resize(expansion.legs.size());
  entry.state = JobState::expanded;
}

bool JobLoop::advance_leg(const Leg& leg) {
  LegRun& run = leg.run();
  if (run.state == LegState::ended) return false;
  if (run.state == LegState::running) {
    if (!run.called) return false;
    const bool changed = advance(*run.called);
    if (!run.called->table.all_done()) return changed;
    step::JobResult result = leave_call(*run.called, leg.plan(), bus_);
    result.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - run.began);
    end(leg, std::move(result), true);
    return true;
  }
  if (leg.entry.stopped) {
    end_unstarted(leg, "");
    return true;
  }
  if (run.state == LegState::waiting) {
    if (take_resumed(leg)) return true;
    const bool is_target = !leg.scope.caller && goes_on(options_, *leg.entry.job);
    if (options_.from_step && !is_target && !leg.entry.job->is_call()) {
      end_unstarted(leg, "run " + options_.from_step->run + " has no result of job '" + leg.request().key + "', which '" +
                             options_.from_step->job + "' needs: run it with --resume " + options_.from_step->run, Outcome::failure);
      return true;
    }
    if (!queue(leg)) return run.state == LegState::ended;
  }
  if (!may_enter(leg)) return run.state == LegState::ended;
  return start(leg);
}

/// From waiting into its group, when max-parallel lets it. False when it stays where it is, or has ended.
bool JobLoop::queue(const Leg& leg) {
  const auto active = std::count_if(leg.entry.legs.begin(), leg.entry.legs.end(), [](const LegRun& each) {
    return each.state == LegState::in_group || each.state == LegState::running;
  });
  const int most = leg.entry.expansion.max_parallel;
  if (most > 0 && active >= most) return false;
  leg.run().state = LegState::in_group;
  const auto& settings = leg.plan().group;
  if (!settings || options_.lock_dir.empty()) return true;
  if (leg.scope.holds(settings->name)) {
    end_unstarted(leg, "Canceling since a deadlock for concurrency group '" + settings->name +
                           "' was detected between 'top level workflow' and '" + leg.request().key + "'");
    return false;
  }
  auto place = GroupPlace::take(options_.lock_dir, leg.scope.github.value("repository", std::string()), *settings);
  if (!place.ok()) {
    end_unstarted(leg, place.error().to_string(), Outcome::failure);
    return false;
  }
  leg.run().group = std::move(*place);
  groups_ = true;
  const auto state = leg.run().group->look();
  if (state.ok() && *state == GroupPlace::State::waiting) {
    Event event{.job = leg.request().key};
    event.text = "concurrency group '" + settings->name + "' is held by another run or job: " +
                 (settings->cancel_in_progress ? "it is cancelled" : "waiting for its end");
    bus_.publish(std::move(event));
  }
  return true;
}

bool JobLoop::may_enter(const Leg& leg) {
  if (!leg.run().group) return true;
  const auto state = leg.run().group->look();
  if (!state.ok()) end_unstarted(leg, state.error().to_string(), Outcome::failure);
  else if (*state == GroupPlace::State::cancelled) end_unstarted(leg, replaced(leg.run().group->name()));
  return state.ok() && *state == GroupPlace::State::entered;
}

/// A job that an earlier run finished is not run again.
bool JobLoop::take_resumed(const Leg& leg) {
  const auto before = options_.finished.find(kept_key(options_.workflow->file, leg.request().key));
  if (before == options_.finished.end()) return false;
  Event event{.kind = EventKind::job_finished, .job = leg.request().key, .name = leg.request().name,
              .text = "taken from the run resumed"};
  event.outcome = before->second.conclusion;
  bus_.publish(std::move(event));
  if (const Status kept = keep_job(options_.run_dir, options_.workflow->file, leg.request(), before->second, bus_.masker()); !kept) {
    bus_.warning("the result of job '" + leg.request().key + "' was not kept: " + Status(kept).error().to_string());
  }
  end(leg, before->second, false);
  return true;
}

bool JobLoop::start(const Leg& leg) {
  if (leg.entry.job->is_call()) return start_call(leg);
  if (!slots_->take()) return false;
  start_steps(leg);
  return true;
}

bool JobLoop::start_call(const Leg& leg) {
  Event started{.kind = EventKind::job_started, .job = leg.request().key, .name = leg.request().name};
  started.place = leg.request().place;
  bus_.publish(std::move(started));
  Call call = enter_call(leg.scope, leg.entry, leg.plan(), bus_);
  Status joined = call.scope ? join_group(*call.scope) : Status();
  if (!call.scope || !joined) {
    say(call.problems);
    const std::string why = joined ? "its inputs or secrets cannot be given" : joined.error().message;
    const bool cancelled = !joined && joined.error().code == ErrorCode::cancelled;
    end_unstarted(leg, why, cancelled ? Outcome::cancelled : Outcome::failure);
    return true;
  }
  leg.run().called = std::move(call.scope);
  leg.run().began = std::chrono::steady_clock::now();
  leg.run().state = LegState::running;
  return true;
}

void JobLoop::start_steps(const Leg& leg) {
  tell_places(leg);
  leg.run().state = LegState::running;
  leg.run().thread = std::jthread([this, leg, stop = leg.run().stop.get_token()] {
    const step::JobRequest& request = leg.request();
    Event started{.kind = EventKind::job_started, .job = request.key, .name = request.name};
    started.place = request.place;
    bus_.publish(std::move(started));
    step::JobResult result = step::run_job(request, leg.scope.services, stop);
    Event finished{.kind = EventKind::job_finished, .job = request.key, .name = request.name};
    finished.outcome = result.conclusion;
    finished.elapsed = result.elapsed;
    bus_.publish(std::move(finished));
    const std::lock_guard lock(mutex_);
    ended_.push_back({leg, std::move(result)});
    changed_.notify_all();
  });
}

void JobLoop::take(Ended ended) {
  const Leg& leg = ended.leg;
  leg.run().thread.join();
  slots_->give(listener_);
  const step::JobRequest& request = leg.request();
  if (const Status kept = keep_job(options_.run_dir, options_.workflow->file, request, ended.result, bus_.masker()); !kept) {
    bus_.warning("the result of job '" + request.key + "' was not kept: " + Status(kept).error().to_string());
  }
  if (!keeps_places(leg, ended.result)) {
    if (const Status removed = remove_tree(job_dir(request)); !removed) {
      bus_.warning("the directory of job '" + request.key + "' stays: " + Status(removed).error().to_string());
    }
  }
  if (!ended.result.environment_url.empty()) {
    Event event{.job = request.key, .text = "environment " + ended.result.environment + ": " + ended.result.environment_url};
    event.level = Level::notice;
    bus_.publish(std::move(event));
  }
  record(ended.result, ended.result.conclusion == Outcome::failure && !leg.plan().continue_on_error);
  end(leg, std::move(ended.result), false);
}

bool JobLoop::keeps_places(const Leg& leg, const step::JobResult& result) {
  if (options_.work_dirs != WorkDirs::kept_when_failed) return options_.work_dirs == WorkDirs::kept;
  if (result.conclusion != Outcome::failure || !result.trail) return false;
  if (has_room(job_dir(leg.request()))) return true;
  bus_.notice("the workspace of job '" + leg.request().key + "' is not kept: the disk is nearly full");
  return false;
}

/// The leg's result goes to its job; a failure stops the other legs where fail-fast says so.
void JobLoop::end(const Leg& leg, step::JobResult result, bool publish) {
  if (publish) {
    Event event{.kind = EventKind::job_finished, .job = leg.request().key, .name = leg.request().name, .text = result.message};
    event.outcome = result.conclusion;
    event.elapsed = result.elapsed;
    bus_.publish(std::move(event));
  }
  const bool stopped_before = leg.entry.stopped;
  leg.scope.table.leg_ended(leg.entry, leg.run(), std::move(result), leg.plan().continue_on_error);
  if (!leg.entry.stopped || stopped_before) return;
  for (auto& other : leg.entry.legs) stop(other);
}

void JobLoop::end_unstarted(const Leg& leg, const std::string& why, Outcome outcome) {
  step::JobResult result{.key = leg.request().key, .conclusion = outcome, .message = why};
  if (outcome == Outcome::failure) result.error = ErrorCode::failed;
  if (!why.empty()) {
    Event event{.job = leg.request().key, .text = why};
    event.level = Level::error;
    event.place = leg.request().place;
    bus_.publish(std::move(event));
  }
  record(result, outcome == Outcome::failure);
  end(leg, std::move(result), true);
}

/// A job that has no legs: skipped, refused, or given up.
void JobLoop::end_job(Scope& scope, JobEntry& entry, const std::string& why, Outcome outcome) {
  const std::string key = scope.prefix.key + entry.job->id;
  Event event{.kind = EventKind::job_finished, .job = key, .name = scope.prefix.name + entry.job->id, .text = why};
  event.outcome = outcome;
  bus_.publish(std::move(event));
  step::JobResult result{.key = key, .conclusion = outcome, .message = why};
  if (outcome == Outcome::failure) result.error = ErrorCode::unsupported;
  record(result, outcome == Outcome::failure);
  scope.table.end_without_legs(entry, std::move(result));
}

/// Jobs that become ready from now on ask their own conditions: always() ones still run.
void JobLoop::cancel(Scope& scope) {
  if (scope.cancelled) return;
  scope.cancelled = true;
  for (auto& entry : scope.table.entries()) {
    if (entry.state != JobState::expanded) continue;
    entry.stopped = true;
    for (auto& leg : entry.legs) stop(leg);
  }
}

void JobLoop::stop(LegRun& leg) {
  if (leg.state != LegState::running) return;
  if (leg.called) cancel(*leg.called);
  else leg.stop.request_stop();
}

/// Obeys those that cancel what is in progress; tells whether anything is in a group.
bool JobLoop::look_at_groups(Scope& scope) {
  const auto asked = [](GroupPlace& place) {
    const auto state = place.look();
    return state.ok() && *state == GroupPlace::State::cancelled;
  };
  bool any = scope.group != nullptr;
  if (scope.group && scope.entered && !scope.cancelled && asked(*scope.group)) {
    bus_.error(replaced(scope.group->name()));
    cancel(scope);
  }
  for (auto& entry : scope.table.entries()) {
    for (auto& leg : entry.legs) {
      if (leg.called && leg.state == LegState::running) any = look_at_groups(*leg.called) || any;
      if (!leg.group) continue;
      any = true;
      if (leg.state != LegState::running || !asked(*leg.group)) continue;
      tell_once(replaced(leg.group->name()));
      stop(leg);
    }
  }
  return any;
}

void JobLoop::tell_once(const std::string& text) {
  if (told_.insert(text).second) bus_.notice(text);
}

/// What a job asks of GitHub's account, and what becomes of it here.
void JobLoop::tell_places(const Leg& leg) {
  if (!leg.request().environment.empty()) {
    tell_once("environment '" + leg.request().environment +
              "': its protection rules, secrets and variables are kept by GitHub; none of them apply here");
  }
  if (!leg.plan().runner_group.empty()) {
    tell_once("runner group '" + leg.plan().runner_group + "': groups are kept by GitHub; this machine takes the job");
  }
}

void JobLoop::say(const parser::Diagnostics& problems) {
  for (const auto& problem : problems) {
    bus_.error(problem.mend.empty() ? problem.message : problem.message + ". " + problem.mend,
               {problem.file, problem.range.start.line, problem.range.start.column});
  }
}

void JobLoop::record(const step::JobResult& result, bool failed_run) {
  if (failed_run && !error_) error_ = result.error.value_or(ErrorCode::failed);
  if (result.conclusion == Outcome::cancelled && result.error == ErrorCode::timeout && !error_) error_ = ErrorCode::timeout;
}

}  // namespace drydock::runner
