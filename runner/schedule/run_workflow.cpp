#include "runner/schedule/run_workflow.h"

#include <chrono>
#include <filesystem>

#include "executors/base/fs.h"
#include "executors/base/json.h"
#include "runner/plan/call.h"
#include "runner/schedule/from_step.h"
#include "runner/schedule/job_loop.h"
#include "runner/schedule/scope.h"

namespace drydock::runner {
namespace model = parser::workflow;
namespace expression = parser::expression;
namespace {

using Clock = std::chrono::steady_clock;

std::chrono::milliseconds since(Clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
}

/// Finds all that can be refused before the first job starts: what later jobs use, too, and those of called workflows.
class Refusals {
 public:
  Refusals(const RunOptions& options, const RunSettings& settings, const step::JobServices& services)
      : options_(options), settings_(settings), services_(services) {}

  void look(const model::Workflow& workflow, const model::Job& job, ExpansionContexts contexts) {
    contexts.needs = job.needs.empty() ? expression::Value(expression::Object()) : expression::Value::unknown("needs");
    Expansion trial = expand_job(workflow, job, contexts, settings_);
    add(trial.problems);
    if (contexts.caller.key.empty()) add(begin_at_step(options_, job, trial));
    for (const auto& leg : trial.legs) {
      if (job.is_call()) look_into(workflow, job, contexts, leg);
      else add(step::check_job(leg.request, services_));
    }
  }

  parser::Diagnostics take() {
    sort_unique(found_);
    return std::move(found_);
  }

 private:
  void look_into(const model::Workflow& workflow, const model::Job& job, const ExpansionContexts& contexts, const JobLeg& leg) {
    if (!job.called) return;
    auto inputs = call_inputs(job, workflow.file, leg_context(contexts, settings_, leg.request));
    add(inputs.problems);
    ExpansionContexts inner;
    inner.github = contexts.github;
    inner.planned_inputs = std::move(inputs.values);
    inner.caller = {.key = leg.request.key + " / ", .name = leg.request.name + " / ", .directory = {}};
    for (const auto& each : job.called->jobs) look(*job.called, each, inner);
  }

  void add(const parser::Diagnostics& more) { found_.insert(found_.end(), more.begin(), more.end()); }

  const RunOptions& options_;
  const RunSettings& settings_;
  const step::JobServices& services_;
  parser::Diagnostics found_;
};

class Run {
 public:
  Run(const RunOptions& options, const step::JobServices& services, std::stop_token stop)
      : options_(options), bus_(*services.bus), root_(*options.workflow, options.jobs), stop_(std::move(stop)) {
    root_.services = services;
    root_.settings = options.settings;
    if (root_.settings.work_dir.empty()) root_.settings.work_dir = options.run_dir + "/work";
  }

  RunResult run();

 private:
  Status prepare();
  void check_all();
  void perform();
  std::string run_name();
  void conclude(const JobLoop& loop);
  void gather(const Scope& scope);
  void stop_with(Outcome conclusion, std::optional<ErrorCode> error, std::string reason);

  const RunOptions& options_;
  Bus& bus_;
  Scope root_;
  std::stop_token stop_;
  RunResult result_;
};

void Run::stop_with(Outcome conclusion, std::optional<ErrorCode> error, std::string reason) {
  result_.conclusion = conclusion;
  result_.error = error;
  result_.reason = std::move(reason);
}

RunResult Run::run() {
  result_.file = options_.workflow->file;
  const auto verdict = model::triggered_by(*options_.workflow, options_.event.trigger);
  const auto unknown = std::find_if(options_.jobs.begin(), options_.jobs.end(),
                                    [&](const std::string& id) { return !options_.workflow->find_job(id); });
  if (!verdict.runs) {
    stop_with(Outcome::skipped, std::nullopt, verdict.reason);
  } else if (unknown != options_.jobs.end()) {
    stop_with(Outcome::failure, ErrorCode::usage, "the workflow " + options_.workflow->file + " has no job '" + *unknown + "'");
  } else if (Status ready = prepare(); !ready) {
    stop_with(Outcome::failure, ready.error().code, ready.error().to_string());
  } else {
    check_all();
    if (has_errors(result_.problems)) stop_with(Outcome::failure, std::nullopt, "");
    else perform();
  }
  // Empty unless workspaces are kept; a run without one costs later runs, which look for what killed runs left, less.
  std::error_code ignored;
  std::filesystem::remove(root_.settings.work_dir, ignored);
  return std::move(result_);
}

void Run::perform() {
  const auto start = Clock::now();
  Event started{.kind = EventKind::run_started, .name = run_name(), .text = options_.run_id};
  bus_.publish(started);
  if (options_.on_start) options_.on_start(started.name);
  JobLoop loop(options_, bus_, stop_);
  loop.run(root_);
  conclude(loop);
  Event finished{.kind = EventKind::run_finished, .name = started.name, .text = options_.run_id};
  finished.outcome = result_.conclusion;
  finished.elapsed = since(start);
  bus_.publish(std::move(finished));
}

Status Run::prepare() {
  root_.github = github_for(options_.event, *options_.workflow);
  if (!options_.run_id.empty()) root_.github["run_id"] = options_.github_run_id.empty() ? options_.run_id : options_.github_run_id;
  root_.github["run_attempt"] = std::to_string(options_.attempt);
  DRYDOCK_ASSIGN(root_.inputs, inputs_for(options_.event, *options_.workflow));
  DRYDOCK_TRY(make_directories(options_.run_dir + "/jobs"));
  DRYDOCK_TRY(make_directories(root_.settings.work_dir));
  return {};
}

void Run::check_all() {
  Refusals refusals(options_, root_.settings, root_.services);
  ExpansionContexts contexts;
  contexts.github = root_.github;
  contexts.inputs = root_.inputs;
  for (const auto& entry : root_.table.entries()) refusals.look(*options_.workflow, *entry.job, contexts);
  result_.problems = refusals.take();
}

/// `run-name:` where there is one that can be evaluated, else the workflow's name.
std::string Run::run_name() {
  const std::string name = root_.github.value("workflow", options_.workflow->file);
  if (!options_.workflow->run_name) return result_.name = name;
  parser::Diagnostics problems;
  ExpansionContexts contexts;
  contexts.github = root_.github;
  contexts.inputs = root_.inputs;
  TokenValues values(options_.workflow->file, problems);
  const auto value = values.evaluate(*options_.workflow->run_name, leg_context(contexts, root_.settings, {}));
  for (const auto& problem : problems) {
    bus_.warning(problem.message, {problem.file, problem.range.start.line, problem.range.start.column});
  }
  const std::string text = value ? value->to_string() : "";
  return result_.name = text.find_first_not_of(" \t\r\n") == std::string::npos ? name : text;
}

/// In the order of the workflow, the jobs of a called one behind the job that calls it.
void Run::gather(const Scope& scope) {
  for (const auto& entry : scope.table.entries()) {
    for (const auto& leg : entry.legs) {
      result_.jobs.push_back(leg.result);
      if (leg.called) gather(*leg.called);
    }
  }
}

void Run::conclude(const JobLoop& loop) {
  gather(root_);
  result_.error = loop.error();
  result_.conclusion = root_.table.conclusion();
  if (root_.cancelled && result_.conclusion != Outcome::failure) result_.conclusion = Outcome::cancelled;
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

}  // namespace drydock::runner
