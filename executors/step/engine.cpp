#include "executors/step/engine.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <limits>

#include "executors/base/masker.h"
#include "executors/step/background.h"
#include "executors/step/deadline.h"
#include "executors/step/from_model.h"
#include "executors/step/go_on.h"
#include "executors/step/load_action.h"
#include "executors/step/run_step.h"

namespace drydock::step {
namespace {

using Clock = std::chrono::steady_clock;
namespace fs = std::filesystem;

std::chrono::milliseconds since(Clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
}

std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : ", ") + name;
  return out.empty() ? "(none)" : out;
}

const std::string k_pre = "Pre ";

std::string position_of(std::size_t index, ActionStage stage) {
  std::string position = std::to_string(index + 1);
  if (stage == ActionStage::pre) position += ".pre";
  if (stage == ActionStage::post) position += ".post";
  return position;
}

struct Post {
  std::size_t index;  // of its step
  std::string name;
};

/// Changes when somebody writes the credentials of registries.
std::string stamp_of_logins(const std::string& docker_config) {
  struct stat file {};
  if (docker_config.empty() || ::stat((docker_config + "/config.json").c_str(), &file) != 0) return {};
  return std::to_string(file.st_ino) + " " + std::to_string(file.st_size) + " " + std::to_string(file.st_mtim.tv_sec) + "." +
         std::to_string(file.st_mtim.tv_nsec);
}

/// Room that the first failing step gives back: if it has filled the disk, the steps that clean up find some.
void reserve_room(const std::string& file) {
  constexpr off_t k_bytes = 64 * 1024;
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return;
  const int failed = ::posix_fallocate(fd, 0, k_bytes);
  ::close(fd);
  if (failed != 0) ::unlink(file.c_str());
}

class JobRun {
 public:
  JobRun(const JobRequest& request, const JobServices& services, std::stop_token stop)
      : request_(request), services_(services), bus_(*services.bus),
        evaluator_(bus_, request.key, request.secrets), trail_(request, services.bus->masker()), on_stop_(std::move(stop), Forward{&job_stop_}),
        deadline_(request.timeout, job_stop_), cancel_limit_(job_stop_.get_token(), request.cancel_timeout, kill_stop_) {}

  JobResult run() {
    const auto start = Clock::now();
    result_.key = request_.key;
    result_.environment = request_.environment;
    if (const auto problem = set_up()) {
      fail(*problem);
    } else {
      run_steps();
      finish();
    }
    clean_places();
    result_.elapsed = since(start);
    return std::move(result_);
  }

 private:
  struct Forward {
    std::stop_source* target;
    void operator()() const { target->request_stop(); }
  };

  std::optional<Problem> set_up();
  Status set_up_state();
  Status make_places();
  std::string room_to_clean_up() const;
  void clean_places() const;
  Status make_environment();
  Lane lane();
  void fail(const Problem& problem);
  Status make_host(const std::map<std::string, std::string>& secrets);

  void run_steps();
  void run_pre(std::size_t index);
  void run_main(std::size_t index);
  void run_post(const Post& post);
  bool take_from_earlier_run(std::size_t index, ActionStage stage);
  void take_over(const RestoredStage& stage);
  void tell_where_it_goes_on();
  void execute(const StepTask& task, std::size_t index);
  void start_in_background(const StepTask& task, std::size_t index);
  void control(const StepRequest& step, std::size_t index);
  std::vector<std::size_t> targets_of(const StepRequest& step) const;
  /// When a failure of theirs becomes one of the job: `cancel` itself succeeds.
  enum class Counts { now, at_the_end };
  Outcome take(const std::vector<std::size_t>& running, Counts counts, const std::string& position);
  void wait_for_rest();
  StepTask task_for(std::size_t index, ActionStage stage);
  void register_post(std::size_t index, const std::string& name);

  void tell_begin(const StepResult& result, const Place& place);
  void tell_end(const StepResult& result);
  void conclude(const StepResult& result);
  void count(const StepResult& result);
  void finish();
  void sort_results();
  void read_environment_url();
  void set_outputs();
  void report(Level level, std::string text, const Place& place);
  void log(const std::string& position, std::string text);

  const JobRequest& request_;
  const JobServices& services_;
  Bus& bus_;
  Evaluator evaluator_;
  TrailKeeper trail_;
  std::vector<RestoredStage> before_;  // what an earlier run of the job has done
  std::stop_source job_stop_, kill_stop_;
  std::stop_callback<Forward> on_stop_;
  Deadline deadline_;
  CancelLimit cancel_limit_;
  std::unique_ptr<StepHost> host_;
  std::optional<JobState> state_;
  std::optional<ActionLoader> loader_;
  Scope scope_;
  std::vector<ActionUse> uses_;
  std::vector<Post> posts_;
  std::vector<StepResult> late_;  // of steps that were cancelled on purpose
  JobResult result_;
  BackgroundSteps background_;  // last: its threads end before what they use goes
};

void JobRun::report(Level level, std::string text, const Place& place) {
  result_.annotations.push_back({level, bus_.masker().mask(text), "", place});
  Event event{.kind = EventKind::message, .job = request_.key};
  event.level = level;
  event.text = std::move(text);
  event.place = place;
  bus_.publish(std::move(event));
}

void JobRun::log(const std::string& position, std::string text) {
  bus_.publish({.kind = EventKind::log, .job = request_.key, .step = position, .text = std::move(text) + "\n"});
}

void JobRun::fail(const Problem& problem) {
  report(Level::error, problem.error.to_string(), problem.place.line ? problem.place : request_.place);
  result_.conclusion = job_stop_.stop_requested() ? Outcome::cancelled : Outcome::failure;
  result_.error = job_stop_.stop_requested() ? ErrorCode::cancelled : problem.error.code;
  result_.message = problem.error.to_string();
}

Status JobRun::make_places() {
  std::error_code failure;
  for (const std::string& directory :
       {request_.places.workspace, request_.places.temp, request_.places.temp + "/_github_workflow",
        request_.places.tool_cache, request_.places.docker_config}) {
    if (directory.empty()) continue;
    fs::create_directories(directory, failure);
    if (failure) return errno_error("making " + directory, failure.value());
  }
  if (!request_.places.docker_config.empty()) {
    fs::permissions(request_.places.docker_config, fs::perms::owner_all, failure);
  }
  const std::string file = request_.places.temp + "/_github_workflow/event.json";
  std::ofstream out(file, std::ios::trunc);
  const auto event = request_.github.find("event");
  out << dump_json(event == request_.github.end() ? OrderedJson::object() : *event, 2) << "\n";
  out.close();
  if (!out) return errno_error("writing " + file, errno);
  reserve_room(room_to_clean_up());
  return {};
}

std::string JobRun::room_to_clean_up() const { return request_.places.temp + "/_reserve"; }

/// Credentials end with the job; scripts hold whatever was put into them, secrets too.
void JobRun::clean_places() const {
  std::error_code ignored;
  fs::remove_all(request_.places.docker_config, ignored);
  if (!request_.leaves_places) return;
  std::vector<fs::path> scripts;
  for (const auto& entry : fs::directory_iterator(request_.places.temp, ignored)) {
    if (entry.path().filename().string().starts_with("step_")) scripts.push_back(entry.path());
  }
  for (const auto& script : scripts) fs::remove(script, ignored);
}

Status JobRun::make_host(const std::map<std::string, std::string>& secrets) {
  HostRequest wanted(request_, {}, job_stop_.get_token());
  if (names_containers(request_)) {
    JobState before(request_, secrets, {});
    for (const auto& layer : request_.env) {
      DRYDOCK_ASSIGN(const Layer values, evaluator_.map(layer, before.job_env_context()));
      for (const auto& [name, value] : values) before.set_environment(name, value);
    }
    DRYDOCK_ASSIGN(wanted.containers,
                   evaluate_containers(request_, evaluator_, before.context(before.scope(), {})));
  }
  if (services_.action_environment) wanted.runner_services = [this] { return services_.action_environment(request_); };
  const auto place = wanted.containers.empty() ? request_.runner.isolation : Isolation::container;
  DRYDOCK_ASSIGN(host_, services_.hosts.at(place)(wanted));
  return {};
}

Status JobRun::set_up_state() {
  std::map<std::string, std::string> secrets;
  for (const auto& name : request_.secrets) {
    auto value = services_.secret ? services_.secret(name) : std::nullopt;
    if (!value) continue;
    if (is_masked(name)) bus_.masker().add(*value);
    secrets[name] = std::move(*value);
  }
  trail_.set_secrets(secrets);
  if (request_.go_on) {
    DRYDOCK_ASSIGN(before_, restore_stages(*request_.go_on, secrets));
  }
  const auto token = secrets.find("GITHUB_TOKEN");
  const std::string github_token = token == secrets.end() ? "" : token->second;
  DRYDOCK_TRY(make_places());
  DRYDOCK_TRY(make_host(secrets));
  Object members = host_->job_members();
  const Value of_schedule = Value::from_json(request_.job);
  for (const auto& member : of_schedule.object()) members.set(member.name, member.value);
  state_.emplace(request_, std::move(secrets), host_->environment(), members);
  scope_ = state_->scope();
  loader_.emplace(request_, services_, *host_, github_token);
  return make_environment();
}

Status JobRun::make_environment() {
  for (const auto& layer : request_.env) {
    DRYDOCK_ASSIGN(const Layer values, evaluator_.map(layer, state_->job_env_context()));
    for (const auto& [name, value] : values) state_->set_environment(name, value);
  }
  return {};
}

std::optional<Problem> JobRun::set_up() {
  if (const auto refusals = check_job(request_, services_); !refusals.empty()) {
    return Problem{make_error(ErrorCode::unsupported, format_line(refusals.front()), refusals.front().mend), request_.place};
  }
  if (const Status ready = set_up_state(); !ready) return Problem{Status(ready).error(), evaluator_.place()};
  return loader_->load(request_.steps, uses_, job_stop_.get_token());
}

Lane JobRun::lane() {
  return {request_, services_, *host_, *loader_, *state_, evaluator_, result_.annotations, job_stop_.get_token(), kill_stop_.get_token()};
}

void JobRun::run_steps() {
  tell_where_it_goes_on();
  for (std::size_t i = 0; i < request_.steps.size(); ++i) {
    if (!take_from_earlier_run(i, ActionStage::pre) && uses_[i].has_pre()) run_pre(i);
  }
  for (std::size_t i = 0; i < request_.steps.size(); ++i) {
    if (!take_from_earlier_run(i, ActionStage::main)) run_main(i);
  }
  wait_for_rest();
  for (std::size_t i = 0; i < request_.steps.size(); ++i) take_from_earlier_run(i, ActionStage::post);
  for (auto post = posts_.rbegin(); post != posts_.rend(); ++post) run_post(*post);
  result_.trail = std::move(trail_).take();
  result_.trail->workspace = request_.places.workspace;
  result_.trail->isolation = name_of(request_.runner.isolation);
  result_.trail->outside = host_->outside_changes();
}

void JobRun::tell_where_it_goes_on() {
  if (!request_.go_on) return;
  const std::size_t first = request_.go_on->first;
  Event event{.kind = EventKind::message, .job = request_.key};
  event.text = "goes on at step " + std::to_string(first + 1) + ", in the workspace of run " + request_.go_on->run;
  event.place = request_.steps[first].place;
  bus_.publish(std::move(event));
  const bool failed = std::any_of(before_.begin(), before_.end(), [](const RestoredStage& stage) { return stage.result.conclusion == Outcome::failure; });
  if (failed) report(Level::warning, "a step before it failed there, so steps run only where their condition says always() or failure()", request_.steps[first].place);
}

/// True when nothing of this stage is to be run.
bool JobRun::take_from_earlier_run(std::size_t index, ActionStage stage) {
  if (!request_.go_on || !is_taken(*request_.go_on, index)) return false;
  if (stage == ActionStage::post && !post_is_done(*request_.go_on, index)) return false;  // its turn comes
  const std::string position = position_of(index, stage);
  for (const auto& each : before_) {
    // What ran in the background came into force where it was waited for.
    const std::string& waited_for = each.kept->waited_for;
    if (waited_for.empty() ? each.kept->position == position : waited_for == position) take_over(each);
  }
  return true;
}

void JobRun::take_over(const RestoredStage& stage) {
  trail_.keep(*stage.kept);
  result_.steps.push_back(stage.result);
  const std::string& position = stage.result.position;
  Event event{.kind = EventKind::step_finished, .job = request_.key, .step = position, .name = stage.result.name};
  event.outcome = stage.result.conclusion;
  event.text = "taken from run " + request_.go_on->run;
  bus_.publish(std::move(event));
  count(stage.result);
  if (position.ends_with(".post")) return;
  state_->restore(stage.effects);
  scope_.set_step(stage.result);
  ActionUse& use = uses_[stage.index];
  restore_use(use, stage.use);
  const bool known = std::any_of(posts_.begin(), posts_.end(), [&](const Post& post) { return post.index == stage.index; });
  if (!use.post_registered || known || post_is_done(*request_.go_on, stage.index)) return;
  posts_.push_back({stage.index, position.ends_with(".pre") ? stage.result.name.substr(k_pre.size()) : stage.result.name});
  // What goes wrong here does so again, and is told, when its turn comes.
  const StepRequest& step = request_.steps[stage.index];
  if (!use.action && is_local_action(step.uses.text)) loader_->load_local(step, use, 0, job_stop_.get_token());
}

StepTask JobRun::task_for(std::size_t index, ActionStage stage) {
  const std::string position = position_of(index, stage);
  evaluator_.set_step(position);
  if (job_stop_.stop_requested()) state_->status = Outcome::cancelled;
  return {.step = request_.steps[index], .use = uses_[index], .stage = stage, .position = position, .file_tag = position};
}

void JobRun::run_pre(std::size_t index) {
  StepTask task = task_for(index, ActionStage::pre);
  task.name = k_pre + name_of_step(task.step, evaluator_, state_->context(scope_, {}));
  execute(task, index);
}

void JobRun::run_main(std::size_t index) {
  const StepTask task = task_for(index, ActionStage::main);
  if (task.step.control != StepControl::none) return control(task.step, index);
  if (task.step.background) return start_in_background(task, index);
  execute(task, index);
}

void JobRun::run_post(const Post& post) {
  StepTask task = task_for(post.index, ActionStage::post);
  task.name = "Post " + post.name;
  execute(task, post.index);
}

void JobRun::register_post(std::size_t index, const std::string& name) {
  if (uses_[index].post_registered || !uses_[index].has_post()) return;
  uses_[index].post_registered = true;
  posts_.push_back({index, name});
}

void JobRun::execute(const StepTask& task, std::size_t index) {
  const std::string logins = stamp_of_logins(request_.places.docker_config);
  StepExecution execution(lane(), scope_, task);
  if (kill_stop_.stop_requested()) {
    execution.give_up();  // nothing begins any more once a cancelled job has used its time
  } else if (execution.begin()) {
    tell_begin(execution.result(), task.step.place);
    execution.run();
  }
  conclude(execution.result());
  tell_end(execution.result());
  const bool registers = task.stage != ActionStage::post && execution.result().outcome != Outcome::skipped;
  if (registers) register_post(index, task.stage == ActionStage::pre ? task.name.substr(k_pre.size()) : execution.result().name);
  trail_.keep(index, execution.result(), execution.effects(), &task.use).logs_in =
      task.stage == ActionStage::main && stamp_of_logins(request_.places.docker_config) != logins;
}

void JobRun::start_in_background(const StepTask& task, std::size_t index) {
  if (kill_stop_.stop_requested()) return execute(task, index);
  const auto skipped = background_.start(
      lane(), scope_, task, index, [this, place = task.step.place](const StepResult& result) { tell_begin(result, place); },
      [this](const StepResult& result) { tell_end(result); });
  if (!skipped) return;
  conclude(*skipped);
  tell_end(*skipped);
  trail_.keep(index, *skipped, {}, nullptr);
}

std::vector<std::size_t> JobRun::targets_of(const StepRequest& step) const {
  return step.control == StepControl::wait_all ? background_.left() : background_.left(step.targets);
}

/// wait, wait-all, cancel: these run whatever happened before.
void JobRun::control(const StepRequest& step, std::size_t index) {
  const std::string position = position_of(index, ActionStage::main);
  const auto start = Clock::now();
  const auto running = targets_of(step);
  std::vector<std::string> names;
  for (const auto each : running) names.push_back(background_.name_of(each));
  const bool cancels = step.control == StepControl::cancel;
  StepResult result{.id = step.id, .position = position};
  const auto named = evaluator_.string(step.name, state_->context(scope_, {}));
  result.name = named && !named->empty() ? *named : name_of_control(step);
  tell_begin(result, step.place);
  log(position, (cancels ? "Cancelling background step(s): " : "Waiting for background step(s) to complete: ") + listed(names));
  if (cancels) {
    for (const auto each : running) background_.cancel(each);
  }
  const Outcome outcome = take(running, cancels ? Counts::at_the_end : Counts::now, position);
  for (std::size_t i = 0; i < running.size(); ++i) {
    const StepResult& ended = result_.steps[result_.steps.size() - running.size() + i];
    log(position, "  " + names[i] + ": " + std::string(name_of(ended.conclusion)));
  }
  result.outcome = cancels ? Outcome::success : outcome;
  result.conclusion = result.outcome;
  result.elapsed = since(start);
  scope_.set_step(result);
  tell_end(result);
  trail_.keep(index, result, {}, nullptr);
  result_.steps.push_back(std::move(result));
}

/// What these background steps did comes into force, in the order of their start.
Outcome JobRun::take(const std::vector<std::size_t>& running, Counts counts, const std::string& position) {
  Outcome worst = Outcome::success;
  for (const auto each : running) {
    auto ended = background_.take(each);
    result_.annotations.insert(result_.annotations.end(), ended.annotations.begin(), ended.annotations.end());
    state_->apply(ended.effects);
    scope_.set_step(ended.result);
    register_post(ended.index, ended.result.name);
    trail_.keep(ended.index, ended.result, ended.effects, &uses_[ended.index]).waited_for = position;
    const Outcome outcome = ended.result.conclusion;
    const bool expected = ended.cancelled_on_purpose && outcome == Outcome::cancelled;
    if (outcome == Outcome::cancelled && !expected) worst = Outcome::cancelled;
    if (outcome == Outcome::failure && worst == Outcome::success) worst = Outcome::failure;
    if (counts == Counts::at_the_end) late_.push_back(ended.result);
    else count(ended.result);
    result_.steps.push_back(std::move(ended.result));
  }
  return worst;
}

/// Background steps that nobody waited for, and the failures of those that were cancelled.
void JobRun::wait_for_rest() {
  if (!background_.left().empty()) {
    const StepRequest wait{.id = "__implicit_wait_all", .control = StepControl::wait_all, .place = request_.place};
    control(wait, request_.steps.size());
  }
  for (const auto& result : late_) count(result);
}

void JobRun::tell_begin(const StepResult& result, const Place& place) {
  Event event{.kind = EventKind::step_started, .job = request_.key, .step = result.position, .name = result.name};
  event.place = place;
  bus_.publish(std::move(event));
}

void JobRun::tell_end(const StepResult& result) {
  Event event{.kind = EventKind::step_finished, .job = request_.key, .step = result.position, .name = result.name};
  event.outcome = result.conclusion;
  event.elapsed = result.elapsed;
  if (result.outcome != result.conclusion) event.text = "failed, and the job goes on (continue-on-error)";
  bus_.publish(std::move(event));
}

void JobRun::conclude(const StepResult& result) {
  scope_.set_step(result);
  std::error_code ignored;
  if (result.outcome == Outcome::failure) fs::remove(room_to_clean_up(), ignored);
  if (result.conclusion == Outcome::cancelled || job_stop_.stop_requested()) state_->status = Outcome::cancelled;
  count(result);
  result_.steps.push_back(result);
}

/// What a failed step means for its job.
void JobRun::count(const StepResult& result) {
  if (result.conclusion != Outcome::failure) return;
  if (state_->status != Outcome::cancelled) state_->status = Outcome::failure;
  if (result_.error) return;
  result_.error = result.error.value_or(ErrorCode::failed);
  result_.message = result.message;
}

/// Pre steps, the job's steps as they stand in it, post steps: background steps end in any order.
void JobRun::sort_results() {
  const auto rank = [](const StepResult& result) {
    if (result.position.ends_with(".pre")) return 0;
    return result.position.ends_with(".post") ? std::numeric_limits<int>::max() : std::stoi(result.position);
  };
  std::stable_sort(result_.steps.begin(), result_.steps.end(), [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
}

void JobRun::finish() {
  sort_results();
  result_.conclusion = state_->status;
  if (job_stop_.stop_requested()) result_.conclusion = Outcome::cancelled;
  if (deadline_.passed()) {
    result_.error = ErrorCode::timeout;
    result_.message = "The job has exceeded the maximum execution time of " +
                      parser::expression::format_number(request_.timeout->count() / 60000.0) + " minutes.";
    report(Level::error, result_.message, request_.place);
  } else if (result_.conclusion == Outcome::cancelled) {
    result_.error = ErrorCode::cancelled;
  }
  read_environment_url();
  set_outputs();
}

/// A URL that cannot be evaluated is told and fails no job, as on GitHub.
void JobRun::read_environment_url() {
  if (request_.environment_url.empty()) return;
  auto url = evaluator_.string(request_.environment_url, state_->context(scope_, {}));
  if (!url) return report(Level::warning, "environment url: " + url.error().to_string(), evaluator_.place());
  if (bus_.masker().mask(*url) != *url) {
    return report(Level::warning, "Skip setting environment url as it may contain secret.", request_.environment_url.place);
  }
  result_.environment_url = std::move(*url);
}

void JobRun::set_outputs() {
  auto outputs = evaluator_.map(request_.outputs, state_->context(scope_, {}));
  if (!outputs) {
    report(Level::error, outputs.error().to_string(), evaluator_.place());
    if (result_.conclusion == Outcome::success) result_.conclusion = Outcome::failure;
    if (!result_.error) result_.error = outputs.error().code;
    return;
  }
  for (auto& [name, value] : *outputs) {
    if (bus_.masker().mask(value) != value) {
      report(Level::warning, "Skip output '" + name + "' since it may contain secret.", request_.place);
    } else {
      result_.outputs[name] = std::move(value);
    }
  }
}

}  // namespace

bool is_masked(std::string_view secret_name) {
  return secret_name != "ACTIONS_STEP_DEBUG" && secret_name != "ACTIONS_RUNNER_DEBUG";
}

JobResult run_job(const JobRequest& request, const JobServices& services, std::stop_token stop) {
  return JobRun(request, services, std::move(stop)).run();
}

}  // namespace drydock::step
