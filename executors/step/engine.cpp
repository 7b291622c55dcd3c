#include "executors/step/engine.h"

#include <atomic>
#include <cerrno>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "executors/base/masker.h"
#include "executors/step/deadline.h"
#include "executors/step/step_frame.h"

namespace drydock::step {
namespace {

using Clock = std::chrono::steady_clock;
namespace fs = std::filesystem;

std::chrono::milliseconds since(Clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
}

std::string first_line(std::string_view text) {
  const auto start = text.find_first_not_of(" \t\r\n");
  if (start == std::string_view::npos) return "";
  text.remove_prefix(start);
  return std::string(text.substr(0, text.find_first_of("\r\n")));
}

/// What a registered post step needs of its main step.
struct Post {
  const StepRequest* step;
  const NativeAction* action;
  std::string name, position;
  Layer layer;
  NoCaseMap<std::string> inputs;
  std::map<std::string, std::string> state;
};

class JobRun {
 public:
  JobRun(const JobRequest& request, const JobServices& services, std::stop_token stop)
      : request_(request), services_(services), bus_(*services.bus),
        evaluator_(bus_, request.key, request.secrets),
        on_stop_(std::move(stop), Forward{&job_stop_}), deadline_(request.timeout, job_stop_),
        cancel_limit_(job_stop_.get_token(), request.cancel_timeout, end_now_) {}

  JobResult run() {
    const auto start = Clock::now();
    result_.key = request_.key;
    result_.environment = request_.environment;
    if (const Status ready = set_up(); ready) {
      run_steps();
      finish();
    } else {
      const Error error = Status(ready).error();
      report(Level::error, error.to_string(), "", evaluator_.place().line ? evaluator_.place() : request_.place);
      result_.conclusion = Outcome::failure;
      result_.error = error.code;
      result_.message = error.to_string();
    }
    std::error_code ignored;
    fs::remove_all(request_.places.docker_config, ignored);
    result_.elapsed = since(start);
    return std::move(result_);
  }

 private:
  struct Forward {
    std::stop_source* target;
    void operator()() const { target->request_stop(); }
  };

  bool refused();
  Status set_up();
  Status make_places();
  void run_steps();
  void run_step(const StepRequest& step, int number);
  void run_post(Post& post);
  void not_started(StepResult result, const std::string& name);
  void finish();
  void read_environment_url();
  Result<std::optional<std::chrono::milliseconds>> timeout_of(const StepRequest& step, const Context& context);
  Handled perform(StepFrame& frame, const std::string& name);
  void settle(StepFrame& frame, StepResult& result, const Handled& handled, bool timed_out, const std::string& limit);
  void apply(const ActionEffects& effects);
  void conclude(StepResult result);
  GithubExtras extras_of(const StepRequest& step) const;
  std::string name_of_step(StepFrame& frame);
  void report(Level level, std::string text, const std::string& step, const Place& place);

  const JobRequest& request_;
  const JobServices& services_;
  Bus& bus_;
  Evaluator evaluator_;
  std::stop_source job_stop_, end_now_;
  std::stop_callback<Forward> on_stop_;
  Deadline deadline_;
  CancelLimit cancel_limit_;
  std::unique_ptr<StepHost> host_;
  std::optional<JobState> state_;
  std::vector<Post> posts_;
  JobResult result_;
};

void JobRun::report(Level level, std::string text, const std::string& step, const Place& place) {
  result_.annotations.push_back({level, bus_.masker().mask(text), "", place});
  Event event{.kind = EventKind::message, .job = request_.key, .step = step};
  event.level = level;
  event.text = std::move(text);
  event.place = place;
  bus_.publish(std::move(event));
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
  return {};
}

Status JobRun::set_up() {
  if (const auto refusals = check_job(request_, services_); !refusals.empty()) {
    return make_error(ErrorCode::unsupported, format_line(refusals.front()), refusals.front().mend);
  }
  std::map<std::string, std::string> secrets;
  for (const auto& name : request_.secrets) {
    auto value = services_.secret ? services_.secret(name) : std::nullopt;
    if (!value) continue;
    bus_.masker().add(*value);
    secrets[name] = std::move(*value);
  }
  DRYDOCK_TRY(make_places());
  DRYDOCK_ASSIGN(host_, services_.hosts.at(request_.runner.isolation)(request_));
  Object members = host_->job_members();
  const Value of_schedule = Value::from_json(request_.job);
  for (const auto& member : of_schedule.object()) members.set(member.name, member.value);
  state_.emplace(request_, std::move(secrets), host_->environment(), members);
  for (const auto& layer : request_.env) {
    DRYDOCK_ASSIGN(const Layer values, evaluator_.map(layer, state_->job_env_context()));
    for (const auto& [name, value] : values) state_->set_environment(name, value);
  }
  return {};
}

void JobRun::run_steps() {
  int number = 0;
  for (const auto& step : request_.steps) run_step(step, ++number);
  for (auto post = posts_.rbegin(); post != posts_.rend(); ++post) run_post(*post);
}

GithubExtras JobRun::extras_of(const StepRequest& step) const {
  GithubExtras extras{{"action", step.id}};
  if (const auto reference = parse_action_reference(step.uses.text); step.is_action() && reference) {
    extras.emplace_back("action_repository", reference->repository);
    extras.emplace_back("action_ref", reference->version);
  }
  return extras;
}

std::string JobRun::name_of_step(StepFrame& frame) {
  if (!frame.step.name.empty()) {
    auto name = evaluator_.string(frame.step.name, frame.context());
    return name ? *name : frame.step.name.shown();
  }
  if (frame.step.is_action()) return "Run " + frame.step.uses.text;
  auto run = evaluator_.string(frame.step.run, frame.context());
  return "Run " + first_line(run ? *run : frame.step.run.shown());
}

Result<std::optional<std::chrono::milliseconds>> JobRun::timeout_of(const StepRequest& step, const Context& context) {
  if (step.timeout_minutes.empty()) return std::optional<std::chrono::milliseconds>();
  DRYDOCK_ASSIGN(const double minutes, evaluator_.number(step.timeout_minutes, context));
  if (!(minutes > 0)) return std::optional<std::chrono::milliseconds>();
  constexpr double k_longest = 60.0 * 24 * 365;
  return std::optional(std::chrono::milliseconds(std::llround(std::min(minutes, k_longest) * 60000)));
}

Handled JobRun::perform(StepFrame& frame, const std::string& name) {
  if (!frame.step.is_action()) return run_script(frame);
  const auto* action = services_.actions->find(*parse_action_reference(frame.step.uses.text));
  const std::size_t own = posts_.size();
  NoCaseMap<std::string> inputs;
  if (action->post_step() != PostStep::none) {
    posts_.push_back({&frame.step, action, "Post " + name, frame.position + ".post", frame.layer});
  }
  const Handled handled = run_native(frame, *action, inputs);
  if (own < posts_.size()) {
    posts_[own].inputs = std::move(inputs);
    posts_[own].state = frame.effects.state;
  }
  return handled;
}

void JobRun::run_step(const StepRequest& step, int number) {
  const auto start = Clock::now();
  StepResult result{.id = step.id, .position = std::to_string(number)};
  evaluator_.set_step(result.position);
  if (job_stop_.stop_requested()) state_->status = Outcome::cancelled;
  if (end_now_.stop_requested()) return not_started(std::move(result), step.name.shown());

  std::stop_source step_stop;
  StepFrame frame{request_, services_, *host_, *state_, evaluator_, step, result.position, {}, extras_of(step),
                  step_stop.get_token(), result_.annotations};
  auto layer = evaluator_.map(step.env, frame.context());
  const Place env_place = evaluator_.place();
  if (layer) frame.layer = *layer;
  const auto wanted = evaluator_.condition(step.condition, frame.context());
  const Place condition_place = evaluator_.place();
  result.name = name_of_step(frame);
  Event event{.kind = EventKind::step_started, .job = request_.key, .step = result.position, .name = result.name};
  event.place = step.place;
  if (wanted && !*wanted) {
    result.outcome = result.conclusion = Outcome::skipped;
    return conclude(std::move(result));
  }
  bus_.publish(std::move(event));

  Handled handled;
  bool timed_out = false;
  std::string limit;
  if (!wanted) handled = fail_step(frame, wanted.error(), condition_place);
  else if (!layer) handled = fail_step(frame, layer.error(), env_place);
  else if (auto timeout = timeout_of(step, frame.context()); !timeout) {
    handled = fail_step(frame, timeout.error(), evaluator_.place());
  } else {
    // A cancelled job interrupts this step unless its condition holds for a cancelled job too.
    const auto still = evaluator_.condition(step.condition, state_->context(frame.layer, Outcome::cancelled, frame.extras));
    std::optional<std::stop_callback<Forward>> on_job_stop;
    if (!still || !*still) on_job_stop.emplace(job_stop_.get_token(), Forward{&step_stop});
    const std::stop_callback<Forward> on_end(end_now_.get_token(), Forward{&step_stop});
    const Deadline deadline(*timeout, step_stop);
    handled = perform(frame, result.name);
    timed_out = deadline.passed();
    limit = *timeout ? parser::expression::format_number((*timeout)->count() / 60000.0) : "";
  }
  result.elapsed = since(start);
  settle(frame, result, handled, timed_out, limit);
}

void JobRun::settle(StepFrame& frame, StepResult& result, const Handled& handled, bool timed_out,
                    const std::string& limit) {
  result.exit_code = handled.exit_code;
  result.error = handled.error;
  result.message = handled.message;
  result.outcome = handled.ok ? Outcome::success : Outcome::failure;
  if (!handled.ok && timed_out) {
    result.error = ErrorCode::timeout;
    result.message = "The action '" + result.name + "' has timed out after " + limit + " minutes.";
    report(Level::error, result.message, result.position, frame.step.place);
  } else if (!handled.ok && handled.error == ErrorCode::cancelled) {
    result.outcome = Outcome::cancelled;
    result.message = "The operation was canceled.";
    report(Level::error, result.message, result.position, frame.step.place);
  }
  result.conclusion = result.outcome;
  if (result.outcome == Outcome::failure) {
    const auto go_on = evaluator_.boolean(frame.step.continue_on_error, frame.context());
    if (go_on && *go_on) result.conclusion = Outcome::success;
    if (!go_on) report(Level::error, go_on.error().to_string(), result.position, evaluator_.place());
  }
  result.outputs = frame.effects.outputs;
  result.summary = bus_.masker().mask(frame.effects.summary);
  apply(frame.effects);
  conclude(std::move(result));
}

void JobRun::apply(const ActionEffects& effects) {
  for (const auto& directory : effects.path) state_->prepend_path(directory);
  for (const auto& [name, value] : effects.environment) state_->set_environment(name, value);
}

void JobRun::conclude(StepResult result) {
  state_->set_step(result);
  if (result.conclusion == Outcome::failure && state_->status != Outcome::cancelled) state_->status = Outcome::failure;
  if (result.conclusion == Outcome::cancelled || job_stop_.stop_requested()) state_->status = Outcome::cancelled;
  if (result.conclusion == Outcome::failure && !result_.error) {
    result_.error = result.error.value_or(ErrorCode::failed);
    result_.message = result.message;
  }
  Event event{.kind = EventKind::step_finished, .job = request_.key, .step = result.position, .name = result.name};
  event.outcome = result.conclusion;
  event.elapsed = result.elapsed;
  if (result.outcome != result.conclusion) event.text = "failed, and the job goes on (continue-on-error)";
  bus_.publish(std::move(event));
  result_.steps.push_back(std::move(result));
}

/// Nothing begins any more once a cancelled job has used its time.
void JobRun::not_started(StepResult result, const std::string& name) {
  result.name = name;
  result.outcome = result.conclusion = Outcome::cancelled;
  conclude(std::move(result));
}

void JobRun::run_post(Post& post) {
  const auto start = Clock::now();
  if (job_stop_.stop_requested()) state_->status = Outcome::cancelled;
  StepResult result{.name = post.name, .position = post.position};
  if (end_now_.stop_requested()) return not_started(std::move(result), post.name);
  evaluator_.set_step(post.position);
  if (post.action->post_step() == PostStep::on_success && state_->status != Outcome::success) {
    result.outcome = result.conclusion = Outcome::skipped;
    return conclude(std::move(result));
  }
  bus_.publish({.kind = EventKind::step_started, .job = request_.key, .step = post.position, .name = post.name});
  // Post steps clean up: they also run in a cancelled job and are not interrupted by its cancellation,
  // as long as it may take.
  StepFrame frame{request_, services_, *host_, *state_, evaluator_, *post.step, post.position, post.layer,
                  extras_of(*post.step), end_now_.get_token(), result_.annotations};
  const Handled handled = run_native_post(frame, *post.action, post.inputs, post.state);
  result.elapsed = since(start);
  settle(frame, result, handled, false, "");
}

/// A URL that cannot be evaluated is told and fails no job, as on GitHub.
void JobRun::read_environment_url() {
  if (request_.environment_url.empty()) return;
  auto url = evaluator_.string(request_.environment_url, state_->context({}, state_->status));
  if (!url) return report(Level::warning, "environment url: " + url.error().to_string(), "", evaluator_.place());
  if (bus_.masker().mask(*url) != *url) {
    return report(Level::warning, "Skip setting environment url as it may contain secret.", "", request_.environment_url.place);
  }
  result_.environment_url = std::move(*url);
}

void JobRun::finish() {
  result_.conclusion = state_->status;
  if (job_stop_.stop_requested()) result_.conclusion = Outcome::cancelled;
  if (deadline_.passed()) {
    result_.error = ErrorCode::timeout;
    result_.message = "The job has exceeded the maximum execution time of " +
                      parser::expression::format_number(request_.timeout->count() / 60000.0) + " minutes.";
    report(Level::error, result_.message, "", request_.place);
  } else if (result_.conclusion == Outcome::cancelled) {
    result_.error = ErrorCode::cancelled;
  }
  read_environment_url();
  auto outputs = evaluator_.map(request_.outputs, state_->context({}, state_->status));
  if (!outputs) {
    report(Level::error, outputs.error().to_string(), "", evaluator_.place());
    if (result_.conclusion == Outcome::success) result_.conclusion = Outcome::failure;
    if (!result_.error) result_.error = outputs.error().code;
    return;
  }
  for (auto& [name, value] : *outputs) {
    if (bus_.masker().mask(value) != value) {
      report(Level::warning, "Skip output '" + name + "' since it may contain secret.", "", request_.place);
    } else {
      result_.outputs[name] = std::move(value);
    }
  }
}

}  // namespace

JobResult run_job(const JobRequest& request, const JobServices& services, std::stop_token stop) {
  return JobRun(request, services, std::move(stop)).run();
}

}  // namespace drydock::step
