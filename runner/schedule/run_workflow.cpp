#include "runner/schedule/run_workflow.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "executors/base/fs.h"
#include "executors/base/json.h"
#include "executors/base/masker.h"
#include "runner/schedule/concurrency.h"
#include "runner/schedule/job_table.h"

namespace drydock::runner {
namespace model = parser::workflow;
namespace {

using Clock = std::chrono::steady_clock;

std::chrono::milliseconds since(Clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
}

/// "<work>/<job>[.<index>]", which the request's own directories lie in.
std::filesystem::path job_dir(const step::JobRequest& request) {
  return std::filesystem::path(request.places.temp).parent_path();
}

/// What may be written to disk: outputs of steps and messages can hold secrets, outputs of jobs cannot.
step::JobResult masked(step::JobResult result, const Masker& masker) {
  result.message = masker.mask(result.message);
  for (auto& step : result.steps) {
    step.message = masker.mask(step.message);
    step.name = masker.mask(step.name);
    for (auto& [name, value] : step.outputs) value = masker.mask(value);
  }
  return result;
}

class Run {
 public:
  Run(const RunOptions& options, const step::JobServices& services, std::stop_token stop)
      : options_(options), services_(services), bus_(*services.bus), settings_(options.settings),
        table_(*options.workflow, options.jobs), stop_(std::move(stop)) {
    if (settings_.work_dir.empty()) settings_.work_dir = options.run_dir + "/work";
    limit_ = options.max_jobs > 0 ? options.max_jobs : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  }

  RunResult run();

 private:
  struct Ended {
    JobEntry* entry;
    std::size_t leg;
    step::JobResult result;
  };
  struct Running {
    JobEntry* entry;
    std::size_t leg;
    std::stop_source stop;
    std::jthread thread;
  };

  Status prepare();
  void check_all();
  void loop();
  bool advance();
  void expand(JobEntry& entry);
  void start_legs(JobEntry& entry);
  void start(JobEntry& entry, std::size_t leg);
  void take(Ended ended);
  void stop_rest(JobEntry& entry);
  void skip(JobEntry& entry, const std::string& why, Outcome outcome = Outcome::skipped);
  void record(const step::JobResult& result, bool failed_run);
  void save(const step::JobRequest& request, const step::JobResult& result);
  void say(const parser::Diagnostics& problems);
  ExpansionContexts contexts_of(const JobEntry& entry) const;
  void conclude();

  const RunOptions& options_;
  const step::JobServices& services_;
  Bus& bus_;
  RunSettings settings_;
  JobTable table_;
  std::stop_token stop_;
  OrderedJson github_, inputs_;
  int limit_ = 1;
  bool cancelled_ = false;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Ended> ended_;
  std::vector<std::unique_ptr<Running>> running_;
  std::map<const model::Job*, std::vector<step::JobResult>> results_;
  RunResult result_;
};

RunResult Run::run() {
  const auto start = Clock::now();
  const auto verdict = model::triggered_by(*options_.workflow, options_.event.trigger);
  if (!verdict.runs) {
    result_.conclusion = Outcome::skipped;
    result_.reason = verdict.reason;
    return std::move(result_);
  }
  for (const auto& id : options_.jobs) {
    if (!options_.workflow->find_job(id)) {
      result_.error = ErrorCode::usage;
      result_.conclusion = Outcome::failure;
      result_.reason = "the workflow " + options_.workflow->file + " has no job '" + id + "'";
      return std::move(result_);
    }
  }
  if (const Status ready = prepare(); !ready) {
    const Error error = Status(ready).error();
    result_.error = error.code;
    result_.reason = error.to_string();
    result_.conclusion = Outcome::failure;
    return std::move(result_);
  }
  check_all();
  if (has_errors(result_.problems)) {
    result_.conclusion = Outcome::failure;
    return std::move(result_);
  }
  ConcurrencyGroup group(*options_.workflow, github_, inputs_, settings_, options_.lock_dir, bus_);
  if (const Status entered = group.enter(stop_); !entered) {
    const Error error = Status(entered).error();
    result_.conclusion = error.code == ErrorCode::cancelled ? Outcome::cancelled : Outcome::failure;
    result_.error = error.code;
    result_.reason = error.to_string();
    return std::move(result_);
  }
  Event started{.kind = EventKind::run_started, .name = github_.value("workflow", options_.workflow->file)};
  started.text = options_.run_id;
  bus_.publish(std::move(started));
  loop();
  conclude();
  Event finished{.kind = EventKind::run_finished, .name = github_.value("workflow", options_.workflow->file)};
  finished.text = options_.run_id;
  finished.outcome = result_.conclusion;
  finished.elapsed = since(start);
  bus_.publish(std::move(finished));
  return std::move(result_);
}

Status Run::prepare() {
  github_ = github_for(options_.event, *options_.workflow);
  if (!options_.run_id.empty()) github_["run_id"] = options_.run_id;
  DRYDOCK_ASSIGN(inputs_, inputs_for(options_.event, *options_.workflow));
  DRYDOCK_TRY(make_directories(options_.run_dir + "/jobs"));
  DRYDOCK_TRY(make_directories(settings_.work_dir));
  return {};
}

ExpansionContexts Run::contexts_of(const JobEntry& entry) const {
  ExpansionContexts contexts;
  contexts.github = github_;
  contexts.inputs = inputs_;
  contexts.needs = table_.needs_of(entry);
  contexts.ancestors = table_.ancestors_of(entry);
  contexts.cancelled = cancelled_;
  return contexts;
}

/// Everything that can be refused is refused before the first job starts: what later jobs use, too.
void Run::check_all() {
  for (auto& entry : table_.entries()) {
    ExpansionContexts contexts;
    contexts.github = github_;
    contexts.inputs = inputs_;
    contexts.needs = entry.job->needs.empty() ? parser::expression::Value(parser::expression::Object())
                                              : parser::expression::Value::unknown("needs");
    const Expansion trial = expand_job(*options_.workflow, *entry.job, contexts, settings_);
    auto& problems = result_.problems;
    problems.insert(problems.end(), trial.problems.begin(), trial.problems.end());
    for (const auto& leg : trial.legs) {
      auto more = step::check_job(leg.request, services_);
      problems.insert(problems.end(), more.begin(), more.end());
    }
  }
  sort_unique(result_.problems);
}

void Run::loop() {
  while (true) {
    if (stop_.stop_requested() && !cancelled_) {
      cancelled_ = true;
      for (auto& running : running_) running->stop.request_stop();
      // Jobs that become ready from now on ask their own conditions: always() ones still run.
      for (auto& entry : table_.entries()) entry.stopped = entry.stopped || entry.state == JobState::expanded;
    }
    while (advance()) {
    }
    if (running_.empty()) return;  // all are done: needs are never circular
    std::deque<Ended> arrived;
    {
      std::unique_lock lock(mutex_);
      if (cancelled_) changed_.wait(lock, [&] { return !ended_.empty(); });
      else changed_.wait(lock, stop_, [&] { return !ended_.empty(); });
      arrived.swap(ended_);
    }
    for (auto& ended : arrived) take(std::move(ended));
  }
}

/// One round over the table; true when something changed at once, so that others may be ready now.
bool Run::advance() {
  bool changed = false;
  for (auto& entry : table_.entries()) {
    const JobState before = entry.state;
    if (table_.ready(entry)) expand(entry);
    if (entry.state == JobState::expanded) start_legs(entry);
    changed = changed || entry.state != before;
  }
  return changed;
}

void Run::expand(JobEntry& entry) {
  entry.expansion = expand_job(*options_.workflow, *entry.job, contexts_of(entry), settings_);
  Expansion& expansion = entry.expansion;
  for (const auto& leg : expansion.legs) {
    auto more = step::check_job(leg.request, services_);
    expansion.problems.insert(expansion.problems.end(), more.begin(), more.end());
  }
  if (has_errors(expansion.problems)) {
    say(expansion.problems);
    return skip(entry, "it cannot run here", Outcome::failure);
  }
  if (expansion.will != Will::run) return skip(entry, expansion.reason);
  entry.state = JobState::expanded;
}

void Run::say(const parser::Diagnostics& problems) {
  for (const auto& problem : problems) {
    bus_.error(problem.mend.empty() ? problem.message : problem.message + ". " + problem.mend,
               {problem.file, problem.range.start.line, problem.range.start.column});
  }
}

void Run::skip(JobEntry& entry, const std::string& why, Outcome outcome) {
  table_.skip(entry);
  entry.result = outcome;
  Event event{.kind = EventKind::job_finished, .job = entry.job->id, .name = entry.job->id, .text = why};
  event.outcome = outcome;
  bus_.publish(std::move(event));
  step::JobResult result{.key = entry.job->id, .conclusion = outcome, .message = why};
  if (outcome == Outcome::failure) result.error = ErrorCode::unsupported;
  results_[entry.job].push_back(result);
  record(result, outcome == Outcome::failure);
}

void Run::start_legs(JobEntry& entry) {
  const Expansion& expansion = entry.expansion;
  while (entry.started < expansion.legs.size()) {
    const std::size_t own = entry.started - entry.ended;
    if (entry.stopped) return stop_rest(entry);
    if (static_cast<int>(running_.size()) >= limit_) return;
    if (expansion.max_parallel > 0 && static_cast<int>(own) >= expansion.max_parallel) return;
    start(entry, entry.started++);
  }
}

/// Legs that will not start any more end as cancelled.
void Run::stop_rest(JobEntry& entry) {
  while (entry.started < entry.expansion.legs.size()) {
    const step::JobRequest& request = entry.expansion.legs[entry.started++].request;
    step::JobResult result{.key = request.key, .conclusion = Outcome::cancelled};
    Event event{.kind = EventKind::job_finished, .job = request.key, .name = request.name};
    event.outcome = Outcome::cancelled;
    bus_.publish(std::move(event));
    results_[entry.job].push_back(result);
    table_.leg_ended(entry, result, false);
  }
}

void Run::start(JobEntry& entry, std::size_t leg) {
  const step::JobRequest& request = entry.expansion.legs[leg].request;
  if (const auto before = options_.finished.find(request.workflow_file + "#" + request.key); before != options_.finished.end()) {
    Event event{.kind = EventKind::job_finished, .job = request.key, .name = request.name, .text = "taken from the run resumed"};
    event.outcome = before->second.conclusion;
    bus_.publish(std::move(event));
    results_[entry.job].push_back(before->second);
    save(request, before->second);
    return table_.leg_ended(entry, before->second, false);
  }
  auto running = std::make_unique<Running>();
  running->entry = &entry;
  running->leg = leg;
  running->thread = std::jthread([this, &entry, leg, &request, stop = running->stop.get_token()] {
    Event started{.kind = EventKind::job_started, .job = request.key, .name = request.name};
    started.place = request.place;
    bus_.publish(std::move(started));
    step::JobResult result = step::run_job(request, services_, stop);
    Event finished{.kind = EventKind::job_finished, .job = request.key, .name = request.name};
    finished.outcome = result.conclusion;
    finished.elapsed = result.elapsed;
    bus_.publish(std::move(finished));
    const std::lock_guard lock(mutex_);
    ended_.push_back({&entry, leg, std::move(result)});
    changed_.notify_all();
  });
  running_.push_back(std::move(running));
}

void Run::take(Ended ended) {
  std::erase_if(running_, [&](const auto& running) { return running->entry == ended.entry && running->leg == ended.leg; });
  const bool go_on = ended.entry->expansion.legs[ended.leg].continue_on_error;
  const bool stopped_before = ended.entry->stopped;
  results_[ended.entry->job].push_back(ended.result);
  const step::JobRequest& request = ended.entry->expansion.legs[ended.leg].request;
  save(request, ended.result);
  if (options_.work_dirs == WorkDirs::removed) {
    if (const Status removed = remove_tree(job_dir(request).string()); !removed) {
      bus_.warning("the directory of job '" + request.key + "' stays: " + Status(removed).error().to_string());
    }
  }
  record(ended.result, ended.result.conclusion == Outcome::failure && !go_on);
  table_.leg_ended(*ended.entry, ended.result, go_on);
  if (ended.entry->stopped && !stopped_before) {
    for (auto& running : running_) {
      if (running->entry == ended.entry) running->stop.request_stop();
    }
  }
}

void Run::record(const step::JobResult& result, bool failed_run) {
  if (failed_run && !result_.error) result_.error = result.error.value_or(ErrorCode::failed);
  if (result.conclusion == Outcome::cancelled && result.error == ErrorCode::timeout && !result_.error) {
    result_.error = ErrorCode::timeout;
  }
}

void Run::save(const step::JobRequest& request, const step::JobResult& result) {
  // Several workflows of one run may have jobs of the same name.
  const std::string stem = std::filesystem::path(request.workflow_file).filename().string();
  const std::string file = options_.run_dir + "/jobs/" + stem + "." + job_dir(request).filename().string() + ".json";
  OrderedJson json = to_json(masked(result, bus_.masker()));
  json["workflow"] = request.workflow_file;
  if (const auto written = write_file_atomic(file, dump_json(json, 1) + "\n"); !written) {
    bus_.warning("the result of job '" + result.key + "' was not kept: " + Status(written).error().to_string());
  }
}

void Run::conclude() {
  bool failed = false, cancelled = false, ran = false;
  for (auto& entry : table_.entries()) {
    failed = failed || entry.result == Outcome::failure;
    cancelled = cancelled || entry.result == Outcome::cancelled;
    ran = ran || entry.result != Outcome::skipped;
    auto& legs = results_[entry.job];
    const auto position = [&](const step::JobResult& result) {
      const auto& all = entry.expansion.legs;
      return std::find_if(all.begin(), all.end(), [&](const JobLeg& leg) { return leg.request.key == result.key; }) - all.begin();
    };
    std::stable_sort(legs.begin(), legs.end(), [&](const auto& a, const auto& b) { return position(a) < position(b); });
    std::move(legs.begin(), legs.end(), std::back_inserter(result_.jobs));
  }
  result_.conclusion = failed ? Outcome::failure : cancelled || cancelled_ ? Outcome::cancelled : ran ? Outcome::success : Outcome::skipped;
  if (result_.conclusion == Outcome::skipped) result_.reason = "no job ran";
}

}  // namespace

int run_exit_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::usage: return 2;
    case ErrorCode::invalid_input:
    case ErrorCode::invalid_source:
    case ErrorCode::unsupported: return 3;
    case ErrorCode::environment: return 4;
    case ErrorCode::registry_auth:
    case ErrorCode::registry_refused:
    case ErrorCode::network: return 5;
    case ErrorCode::cancelled: return 130;
    default: return 1;
  }
}

int RunResult::exit_code() const {
  if (has_errors(problems)) return 3;
  if (conclusion == Outcome::success || conclusion == Outcome::skipped) return 0;
  if (conclusion == Outcome::cancelled) return error == ErrorCode::timeout ? 1 : 130;
  if (!error) return 1;
  // A wrong value inside a running workflow is the workflow's failure, not a file that cannot be read.
  if (!jobs.empty() && (*error == ErrorCode::invalid_input || *error == ErrorCode::usage)) return 1;
  return run_exit_code(*error);
}

RunResult run_workflow(const RunOptions& options, const step::JobServices& services, std::stop_token stop) {
  return Run(options, services, std::move(stop)).run();
}

Result<std::string> new_run(const std::string& runs_dir) {
  DRYDOCK_TRY(make_directories(runs_dir));
  auto number = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  constexpr int k_attempts = 1000;
  for (int attempt = 0; attempt < k_attempts; ++attempt, ++number) {
    std::error_code failure;
    if (std::filesystem::create_directory(runs_dir + "/" + std::to_string(number), failure)) return std::to_string(number);
    if (failure) return errno_error("making a directory in " + runs_dir, failure.value());
  }
  return make_error(ErrorCode::io, "no free run number in " + runs_dir);
}

Result<std::map<std::string, step::JobResult>> finished_jobs(const std::string& run_dir) {
  std::map<std::string, step::JobResult> out;
  std::error_code failure;
  for (const auto& file : std::filesystem::directory_iterator(run_dir + "/jobs", failure)) {
    if (file.path().extension() != ".json") continue;
    DRYDOCK_ASSIGN(const std::string text, read_file(file.path().string()));
    DRYDOCK_ASSIGN(const OrderedJson json, parse_ordered_json(text, file.path().string()));
    DRYDOCK_ASSIGN(step::JobResult result, step::job_result_from_json(json));
    DRYDOCK_ASSIGN(const std::string workflow, json_get<std::string>(json, "workflow", file.path().string()));
    const std::string key = workflow + "#" + result.key;
    if (result.conclusion == Outcome::success) out.insert_or_assign(key, std::move(result));
  }
  if (failure) return make_error(ErrorCode::not_found, "there is no run in " + run_dir, "name a directory of the store's runs/ folder");
  return out;
}

}  // namespace drydock::runner
