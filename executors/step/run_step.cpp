#include "executors/step/run_step.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "executors/base/masker.h"
#include "executors/base/text.h"
#include "executors/step/deadline.h"

namespace drydock::step {
namespace {

constexpr std::string_view k_docker_scheme = "docker://";
constexpr const char* k_cancelled = "The operation was canceled.";
constexpr double k_longest_minutes = 60.0 * 24 * 365;

struct Forward {
  std::stop_source* target;
  void operator()() const { target->request_stop(); }
};
using OnStop = std::stop_callback<Forward>;

/// Of the scope, and its own. A script in a composite action has no action of its own, as on GitHub.
GithubExtras extras_of(const Scope& scope, const StepRequest& step, const ActionUse& use) {
  GithubExtras extras = scope.github;
  if (extras.empty()) extras.emplace_back("action", step.id);
  if (use.action && !use.action->repository.empty()) {
    extras.emplace_back("action_repository", use.action->repository);
    extras.emplace_back("action_ref", use.action->ref);
  } else if (const auto reference = parse_action_reference(step.uses.text); step.is_action() && reference) {
    extras.emplace_back("action_repository", reference->repository);
    extras.emplace_back("action_ref", reference->version);
  }
  return extras;
}

bool is_composite(const ActionUse& use) { return use.action && use.action->kind == LoadedAction::Kind::composite; }

/// pre-if and post-if, which are taken as they are written.
Text stage_condition(const StepFrame& frame) {
  Text text{.text = "always()", .place = frame.step.uses.place, .kind = TextKind::expression};
  if (frame.use.action && frame.use.action->native && frame.use.action->native->post_step() == PostStep::on_success) {
    text.text = "success()";
  }
  if (frame.use.action && frame.use.action->has_metadata()) {
    text.text = frame.stage == ActionStage::pre ? frame.use.action->metadata->pre_if : frame.use.action->metadata->post_if;
  }
  return text;
}

}  // namespace

std::string name_of_step(const StepRequest& step, Evaluator& evaluator, const Context& context) {
  if (!step.name.empty()) {
    auto name = evaluator.string(step.name, context);
    return name ? *name : step.name.shown();
  }
  if (step.is_action()) {
    const std::string& uses = step.uses.text;
    return "Run " + (uses.starts_with(k_docker_scheme) ? uses.substr(k_docker_scheme.size()) : uses);
  }
  auto run = evaluator.string(step.run, context);
  return "Run " + first_line(run ? *run : step.run.shown());
}

StepExecution::StepExecution(const Lane& lane, Scope& scope, const StepTask& task)
    : task_(task),
      frame_{lane, scope, task.step, task.use, task.stage, task.position, task.file_tag,
             task.depth, scope.env, extras_of(scope, task.step, task.use), {}} {
  frame_.stop = step_stop_.get_token();
  if (task.stage == ActionStage::main) result_.id = task.step.id;
  result_.position = task.position;
  result_.name = task.name;
}

bool StepExecution::begin() {
  auto layer = frame_.evaluator.map(frame_.step.env, frame_.context());
  if (layer) frame_.layer = merged(std::move(frame_.layer), *layer);
  else problem_ = Problem{layer.error(), frame_.evaluator.place()};
  bool runs = true;
  if (!problem_) {
    const auto condition = wanted({});
    if (!condition) problem_ = Problem{condition.error(), frame_.evaluator.place()};
    else runs = *condition;
  }
  if (result_.name.empty()) result_.name = name_of_step(frame_.step, frame_.evaluator, frame_.context());
  if (!runs) result_.outcome = result_.conclusion = Outcome::skipped;
  return runs;
}

Result<bool> StepExecution::wanted(std::optional<Outcome> as_if) {
  const Context context = frame_.state.context(frame_.scope, frame_.layer, frame_.extras, as_if);
  if (frame_.stage == ActionStage::main) return frame_.evaluator.condition(frame_.step.condition, context);
  DRYDOCK_ASSIGN(const Value value, frame_.evaluator.value(stage_condition(frame_), context));
  return value.truthy();
}

Result<std::optional<std::chrono::milliseconds>> StepExecution::timeout() {
  using Limit = std::optional<std::chrono::milliseconds>;
  if (frame_.step.timeout_minutes.empty()) return Limit();
  DRYDOCK_ASSIGN(const double minutes, frame_.evaluator.number(frame_.step.timeout_minutes, frame_.context()));
  if (!(minutes > 0)) return Limit();
  return Limit(std::chrono::milliseconds(std::llround(std::min(minutes, k_longest_minutes) * 60000)));
}

void StepExecution::run() {
  const auto start = std::chrono::steady_clock::now();
  const Performed performed = perform();
  result_.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
  if (!is_composite(frame_.use)) frame_.state.apply(frame_.effects);
  for (const auto& [name, value] : frame_.effects.state) frame_.use.state[name] = value;
  settle(performed);
}

void StepExecution::give_up() {
  if (result_.name.empty()) result_.name = name_of_step(frame_.step, frame_.evaluator, frame_.context());
  result_.outcome = result_.conclusion = Outcome::cancelled;
  result_.error = ErrorCode::cancelled;
  result_.message = k_cancelled;
}

StepExecution::Performed StepExecution::perform() {
  if (problem_) return {fail_step(frame_, problem_->error, problem_->place), {}};
  std::optional<std::chrono::milliseconds> limit;
  if (const auto found = timeout()) {
    limit = *found;
  } else {
    // As on GitHub: told as an error, and the step runs without a limit.
    const Place place = frame_.evaluator.place();
    report("An error occurred when attempting to determine the step timeout.", place);
    fail_step(frame_, found.error(), place);
  }
  const OnStop on_outer(task_.outer_stop, Forward{&step_stop_}), on_kill(frame_.kill_stop, Forward{&step_stop_});
  std::optional<OnStop> on_job;
  // A cancelled job interrupts this step unless its condition holds for a cancelled job too.
  if (task_.on_cancel == StepTask::OnCancel::stop) {
    on_job.emplace(frame_.job_stop, Forward{&step_stop_});
  } else if (const auto still = wanted(Outcome::cancelled); !still || !*still) {
    on_job.emplace(frame_.job_stop, Forward{&step_stop_});
  }
  const Deadline deadline(limit, step_stop_);
  Handled handled = run_handler(frame_);
  return {std::move(handled), deadline.passed() ? limit : std::nullopt};
}

void StepExecution::report(const std::string& text, const Place& place) { fail_step(frame_, make_error(ErrorCode::failed, text), place); }

/// To whoever wants to look into it while its place is there. A composite action shows itself, not its steps.
void StepExecution::show_failure() {
  const auto& show = frame_.services.on_failed_step;
  const bool own = frame_.depth == 0 && frame_.stage == ActionStage::main;
  if (!show || !own || result_.conclusion != Outcome::failure || frame_.job_stop.stop_requested()) return;
  const Text& written = frame_.step.working_directory;
  const auto directory = frame_.evaluator.string(written.empty() ? frame_.request.default_working_directory : written, frame_.context());
  const std::filesystem::path workspace = frame_.request.places.workspace;
  show({.request = frame_.request, .name = result_.name, .position = result_.position, .message = result_.message, .host = frame_.host,
        .environment = frame_.state.process_environment(frame_.layer, frame_.extras),
        .directory = (directory ? workspace / *directory : workspace).lexically_normal().string()},
       frame_.job_stop);
}

void StepExecution::settle(const Performed& performed) {
  const Handled& handled = performed.handled;
  result_.exit_code = handled.exit_code;
  result_.error = handled.error;
  result_.message = handled.message;
  result_.outcome = handled.ok ? Outcome::success : Outcome::failure;
  if (!handled.ok && performed.limit_passed) {
    result_.error = ErrorCode::timeout;
    result_.message = "The action '" + result_.name + "' has timed out after " +
                      parser::expression::format_number(performed.limit_passed->count() / 60000.0) + " minutes.";
    report(result_.message, frame_.step.place);
  } else if (!handled.ok && handled.error == ErrorCode::cancelled) {
    result_.outcome = Outcome::cancelled;
    result_.message = k_cancelled;
    report(result_.message, frame_.step.place);
  }
  result_.conclusion = result_.outcome;
  if (result_.outcome == Outcome::failure && !problem_) {
    const auto go_on = frame_.evaluator.boolean(frame_.step.continue_on_error, frame_.context());
    if (go_on && *go_on) result_.conclusion = Outcome::success;
    if (!go_on) fail_step(frame_, go_on.error(), frame_.evaluator.place());
  }
  show_failure();
  result_.outputs = frame_.effects.outputs;
  result_.summary = frame_.services.bus->masker().mask(frame_.effects.summary);
}

}  // namespace drydock::step
