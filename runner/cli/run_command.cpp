#include <CLI/CLI.hpp>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "executors/actions/own_files.h"
#include "executors/actions/register.h"
#include "executors/base/fs.h"
#include "executors/oci/store.h"
#include "parser/workflow/event_filter.h"
#include "runner/build/build_machine.h"
#include "runner/cli/action_services.h"
#include "runner/cli/cli.h"
#include "runner/cli/common.h"
#include "runner/cli/earlier_run.h"
#include "runner/cli/exit_code.h"
#include "runner/cli/followers.h"
#include "runner/cli/hosts.h"
#include "runner/cli/pause.h"
#include "runner/cli/run_directories.h"
#include "runner/cli/run_summary.h"
#include "runner/cli/service_environment.h"
#include "runner/cli/workflow_arguments.h"
#include "runner/cli/workflow_runs.h"
#include "runner/events/history.h"
#include "runner/events/run_record.h"
#include "runner/schedule/kept_jobs.h"
#include "runner/schedule/run_workflow.h"

namespace drydock::runner {
namespace model = parser::workflow;

namespace {

struct RunArguments {
  WorkflowArguments common;
  std::string progress = "auto";
  std::string resume;
  std::string rerun_failed;
  std::string from_step;

  /// The earlier run that is gone on with; empty for a run of its own.
  const std::string& again() const { return rerun_failed.empty() ? resume : rerun_failed; }
  bool keep_workspace = false;
  bool pause_on_failure = false;
  std::string summary_json;
  int max_jobs = 0;
};

/// One `drydock run`: every workflow that the event triggers, side by side, each followed by those that wait for it
/// (workflow_run).
class RunCommand {
 public:
  RunCommand(const RunArguments& arguments, PreparedWorkflows& prepared, std::unique_ptr<step::ActionSource> action_store,
             Console& console)
      : arguments_(arguments),
        prepared_(prepared),
        console_(console),
        action_store_(std::move(action_store)),
        machine_(machine_options()),
        services_(make_services()),
        followers_(arguments.common, prepared, console.bus()) {}

  Result<int> run() {
    for (const auto& [name, value] : prepared_.secrets) {
      if (step::is_masked(name)) console_.masker().add(value);
    }
    DRYDOCK_TRY(open_run());
    for (const auto& note : prepared_.event.notes) console_.bus().notice(note);
    for (const auto& note : unused_sources(arguments_.common, actions_)) console_.bus().notice(note);
    const bool whole = arguments_.common.jobs.empty() && arguments_.common.matrix.empty() && !from_step_;
    WorkflowRuns runs(console_.bus(), followers_, whole ? Follow::all : Follow::none, record_.run,
                      [this](const WorkflowRuns::Task& task) { return run_one(task); });
    TriggerEvent event = prepared_.event;
    event.github["run_id"] = record_.run;
    event.github["run_attempt"] = std::to_string(record_.attempt);
    bool any = false;
    for (const auto& workflow : prepared_.workflows) {
      const auto verdict = triggered_by(workflow, prepared_.event.trigger);
      if (!verdict.runs) {
        console_.bus().notice(workflow.file + " is not triggered by " + prepared_.event.name + ": " + verdict.reason);
        continue;
      }
      if (!verdict.reason.empty()) console_.bus().notice(workflow.file + ": " + verdict.reason);
      any = true;
      runs.add(workflow, event);
    }
    runs.run(interrupted());
    const int status = take(runs.take());
    if (!any) console_.bus().warning("no workflow is triggered by " + prepared_.event.name);
    DRYDOCK_TRY(close_run());
    if (arguments_.keep_workspace) console_.bus().notice("workspaces are kept in " + run_dir_ + "/work");
    DRYDOCK_TRY(write_summary());
    return status;
  }

 private:
  build::EngineOptions machine_options() const {
    auto options = engine_options(prepared_.config);
    options.offline = arguments_.common.offline;
    return options;
  }

  step::JobServices make_services() {
    register_actions(actions_, prepared_, machine_options());
    step::JobServices services;
    services.bus = &console_.bus();
    services.actions = &actions_;
    services.native_forms = arguments_.common.real_actions ? step::NativeForms::unused : step::NativeForms::preferred;
    services.source = action_store_.get();
    services.own_files = [this](const step::JobRequest& request, const std::string& commit, const std::string& directory) -> Status {
      DRYDOCK_ASSIGN(const auto uncommitted, actions::write_own_files(request.places.source, commit, directory));
      if (!uncommitted.empty()) {
        console_.bus().notice("actions at $/ are those of commit " + commit.substr(0, 7) + ", without " + std::to_string(uncommitted.size()) +
                              " uncommitted change(s) (" + uncommitted.front() + (uncommitted.size() > 1 ? ", …)" : ")"));
      }
      return {};
    };
    services.node = node_settings(prepared_.config);
    services.builder = &machine_;
    services.hosts = hosts_of(arguments_.common, prepared_.config, &console_.bus(), &machine_);
    if (arguments_.pause_on_failure) {
      services.on_failed_step = [this](const step::FailedStep& failed, std::stop_token stop) { pause(failed, console_, stop); };
    }
    services.secret = [this](const std::string& name) -> std::optional<std::string> {
      const auto found = prepared_.secrets.find(name);
      if (found == prepared_.secrets.end()) return std::nullopt;
      return found->second;
    };
    return services;
  }

  std::string store_root() const {
    return prepared_.config.store.empty() ? oci::default_store_root() : prepared_.config.store;
  }

  /// Where actions that set up languages keep them: the machine's own where it has one, as hosted runners do.
  std::string tool_cache() const {
    for (const char* name : {"RUNNER_TOOL_CACHE", "AGENT_TOOLSDIRECTORY"}) {
      if (const char* directory = std::getenv(name); directory && *directory == '/') return directory;
    }
    return store_root() + "/tools";
  }

  Status open_run() {
    const auto root = store_root();
    const auto runs = root + "/runs";
    // Before this run is there, which would be the latest one.
    DRYDOCK_TRY(look_back(runs));
    DRYDOCK_ASSIGN(run_id_, new_run(runs));
    run_dir_ = runs + "/" + run_id_;
    lock_dir_ = root + "/locks";
    DRYDOCK_TRY(make_directories(lock_dir_));
    DRYDOCK_ASSIGN(auto lock, hold_run(run_dir_));
    lock_.emplace(std::move(lock));
    record_ = record_of_start();
    reap_work_folders(runs, record_);
    DRYDOCK_TRY(write_run(run_dir_, record_));
    DRYDOCK_ASSIGN(history_, History::open(run_dir_));
    console_.bus().listen([this](const Event& event) { history_->on_event(event); });
    services_.action_environment = service_environment(
        {.store_root = root, .run = run_id_, .resumed = earlier_ ? earlier_->newest.id : "",
         .attempts = earlier_ ? earlier_->attempts : std::vector<std::string>(), .limits = prepared_.config.services},
        console_.bus());
    return {};
  }

  /// What of an earlier run is gone on with.
  Status look_back(const std::string& runs) {
    std::string again = arguments_.again();
    const bool at_step = !arguments_.from_step.empty();
    if (at_step) DRYDOCK_TRY(choose_job());
    if (at_step && again.empty()) {
      DRYDOCK_ASSIGN(again, run_with_workspace(runs, prepared_.git.root, prepared_.workflows.front().file, job_at_step_));
    }
    if (again.empty()) return {};
    DRYDOCK_ASSIGN(earlier_, earlier_run(runs, again));
    for (const auto& [key, result] : earlier_->results) {
      if (result.conclusion == Outcome::success || at_step) resumed_.emplace(key, result);
    }
    return at_step ? go_on_at_step(runs) : Status();
  }

  /// --from-step is about one job of one workflow.
  Status choose_job() {
    auto& workflows = prepared_.workflows;
    const auto& named = arguments_.common.jobs;
    if (named.size() > 1) return make_error(ErrorCode::usage, "--from-step is about one job, and -j names several");
    if (!named.empty()) std::erase_if(workflows, [&](const auto& workflow) { return !workflow.find_job(named.front()); });
    if (workflows.size() != 1) return make_error(ErrorCode::usage, "--from-step is about one workflow", "name it: drydock run WORKFLOW --from-step STEP");
    const auto& jobs = workflows.front().jobs;
    if (named.empty() && jobs.size() != 1) {
      std::string known;
      for (const auto& job : jobs) known += (known.empty() ? "" : ", ") + job.id;
      return make_error(ErrorCode::usage, "--from-step is about one job", "name it with -j; jobs are: " + known);
    }
    job_at_step_ = named.empty() ? jobs.front().id : workflows.front().find_job(named.front())->id;
    return {};
  }

  /// In the places that the earlier run of the job had: what steps left names them.
  Status go_on_at_step(const std::string& runs) {
    FromStep from{.job = job_at_step_, .step = arguments_.from_step, .run = earlier_->newest.id};
    const std::string prefix = kept_key(prepared_.workflows.front().file, "");
    for (auto entry = resumed_.begin(); entry != resumed_.end();) {
      const auto& result = entry->second;
      const bool of_job = entry->first.starts_with(prefix) && is_leg_of(result.key, job_at_step_);
      if (of_job && result.trail) {
        // <runs>/<run>/work[/<workflow>]/<job>/<repository>/<repository>
        work_dir_ = std::filesystem::path(result.trail->workspace).parent_path().parent_path().parent_path().string();
        from.trails.emplace(result.key, *result.trail);
      }
      entry = of_job ? resumed_.erase(entry) : std::next(entry);
    }
    if (!work_dir_.empty()) {
      const std::string owner = runs + "/" + std::filesystem::path(work_dir_).lexically_relative(runs).begin()->string();
      DRYDOCK_ASSIGN(auto lock, FileLock::try_acquire(owner + "/lock"));
      if (!lock) return make_error(ErrorCode::usage, "another run stands in the workspace of run " + from.run, "wait for its end");
      work_lock_ = std::move(lock);
      DRYDOCK_ASSIGN(RunRecord record, read_run(owner));
      // Whoever asked for it to be kept did so for the runs that go on in it, too.
      keeps_ = keeps_ || record.keeps_workspace;
      if (keeps_ && !record.keeps_workspace) {
        record.keeps_workspace = true;
        DRYDOCK_TRY(write_run(owner, record));
      }
    }
    from_step_ = std::move(from);
    return {};
  }

  static RunRecord::Workflow recorded(const parser::workflow::Workflow& workflow) {
    const bool named = workflow.name && !workflow.name->text.empty();
    return {workflow.file, named ? workflow.name->text : workflow.file};
  }

  RunRecord record_of_start() const {
    RunRecord record;
    record.id = record.run = run_id_;
    if (earlier_) {
      record.run = earlier_->newest.run;
      record.attempt = earlier_->newest.attempt + 1;
    }
    record.directory = prepared_.git.root;
    record.keeps_workspace = keeps_;
    record.event = prepared_.event.name;
    record.started = std::chrono::system_clock::now();
    const auto text = [&](const char* name) { return json_or(prepared_.event.github, name, std::string()); };
    record.repository = text("repository");
    record.ref = text("ref");
    record.sha = text("sha");
    record.actor = text("actor");
    for (const auto& workflow : prepared_.workflows) {
      if (!triggered_by(workflow, prepared_.event.trigger).runs) continue;
      record.workflows.push_back(recorded(workflow));
    }
    return record;
  }

  /// The run as the history shows it: failed as soon as one of its workflows is.
  Status close_run() {
    record_.finished = std::chrono::system_clock::now();
    record_.conclusion = results_.empty() ? Outcome::skipped : Outcome::success;
    bool all_skipped = true;
    for (const auto& result : results_) {
      all_skipped = all_skipped && result.conclusion == Outcome::skipped;
      if (result.conclusion == Outcome::failure) record_.conclusion = Outcome::failure;
      if (result.conclusion == Outcome::cancelled && record_.conclusion != Outcome::failure) record_.conclusion = Outcome::cancelled;
      for (const auto& job : result.jobs) record_.jobs.push_back({job.key, job.conclusion, job.elapsed, result.file});
    }
    if (all_skipped) record_.conclusion = Outcome::skipped;
    std::error_code ignored;
    std::filesystem::remove(run_dir_ + "/work", ignored);  // where nothing is kept
    return write_run(run_dir_, record_);
  }

  /// The exit status is that of the first that did not succeed.
  int take(std::vector<WorkflowRuns::Done> done) {
    int status = k_exit_ok;
    for (auto& [workflow, result] : done) {
      if (status == k_exit_ok) status = result.exit_code();
      auto& known = record_.workflows;
      auto own = std::find_if(known.begin(), known.end(), [&file = result.file](const auto& each) { return each.file == file; });
      // One that follows another was not foreseen.
      if (own == known.end()) own = known.insert(own, recorded(*workflow));
      own->conclusion = result.conclusion;
      results_.push_back(std::move(result));
    }
    return status;
  }

  /// On a thread of the workflow's own.
  RunResult run_one(const WorkflowRuns::Task& task) {
    RunOptions options;
    options.workflow = &task.workflow;
    options.event = task.event;
    options.on_start = task.on_start;
    options.slots = slots_;
    options.settings = prepared_.settings;
    options.settings.tool_cache = tool_cache();
    options.jobs = {arguments_.common.jobs.begin(), arguments_.common.jobs.end()};
    options.work_dirs = keeps_ ? WorkDirs::kept : WorkDirs::kept_when_failed;
    options.settings.work_dir = work_dir_;
    if (task.among_others && work_dir_.empty()) {
      options.settings.work_dir = run_dir_ + "/work/" + std::filesystem::path(task.workflow.file).filename().string();
    }
    options.run_id = run_id_;
    options.github_run_id = record_.run;
    options.attempt = record_.attempt;
    options.from_step = from_step_;
    if (from_step_) options.jobs = {job_at_step_};
    options.run_dir = run_dir_;
    options.lock_dir = lock_dir_;
    options.finished = resumed_;
    step::JobServices services = services_;
    services.bus = &task.bus;
    RunResult result = run_workflow(options, services, interrupted());
    for (const auto& problem : result.problems) {
      Event event;
      event.kind = EventKind::message;
      event.level = problem.severity == parser::Severity::error ? Level::error : Level::warning;
      event.text = problem.message + (problem.mend.empty() ? "" : ". " + problem.mend);
      event.place = {problem.file, problem.range.start.line, problem.range.start.column};
      task.bus.publish(std::move(event));
    }
    if (!result.reason.empty()) task.bus.notice(result.reason);
    tell_how_to_go_on(task.workflow, result);
    return result;
  }

  /// The first step that failed, in a workspace that is still there.
  void tell_how_to_go_on(const parser::workflow::Workflow& workflow, const RunResult& result) {
    for (const auto& job : result.jobs) {
      if (job.conclusion != Outcome::failure || !job.trail || !is_directory(job.trail->workspace)) continue;
      const auto failed = std::find_if(job.steps.begin(), job.steps.end(), [](const step::StepResult& step) {
        return step.conclusion == Outcome::failure && step.position.find('.') == std::string::npos;
      });
      // Jobs of called workflows are not among those that -j names.
      const model::Job* known = workflow.find_job(job.key.substr(0, job.key.find(" (")));
      if (failed == job.steps.end() || failed->position == "1" || !known || job.trail->outside == step::OutsideChanges::lost) continue;
      const std::string name = std::filesystem::path(workflow.file).filename().string();
      console_.bus().notice("to go on where job '" + job.key + "' failed: drydock run " + name + " -j " + known->id + " --from-step " + failed->position);
      return;
    }
  }

  Status write_summary() {
    console_.finish();
    // JSON is for programs, which find the summaries in --summary-json.
    if (arguments_.progress != "json" && arguments_.progress != "rawjson" && arguments_.progress != "quiet") {
      for (const auto& result : results_) std::fputs(summaries_text(result.jobs, console_.masker()).c_str(), stdout);
    }
    if (arguments_.summary_json.empty()) return {};
    const Json summary = summary_of(run_id_, results_, machine_.finished(), console_.masker());
    return write_file_atomic(arguments_.summary_json, dump_json(summary, 2) + "\n");
  }

  const RunArguments& arguments_;
  PreparedWorkflows& prepared_;
  Console& console_;
  std::unique_ptr<step::ActionSource> action_store_;
  BuildMachine machine_;
  step::NativeActions actions_;
  step::JobServices services_;
  std::string run_id_, run_dir_, lock_dir_;
  std::optional<FileLock> lock_;
  RunRecord record_;
  std::unique_ptr<History> history_;
  std::optional<EarlierRun> earlier_;
  std::map<std::string, step::JobResult> resumed_;
  bool keeps_ = arguments_.keep_workspace;
  std::string job_at_step_, work_dir_;       // of --from-step
  std::optional<FromStep> from_step_;
  std::optional<FileLock> work_lock_;        // of the run in whose places a job goes on
  std::vector<RunResult> results_;
  const std::shared_ptr<JobSlots> slots_ = std::make_shared<JobSlots>(arguments_.max_jobs);
  Followers followers_;
};

bool names_run(const std::string& word) {
  return word == "latest" || (!word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char c) { return std::isdigit(c); }));
}

/// A word behind --rerun-failed is the run when it can be one, else the workflow.
Status sort_words(RunArguments& arguments) {
  if (!arguments.rerun_failed.empty() && !names_run(arguments.rerun_failed)) {
    if (!arguments.common.workflow.empty()) {
      return make_error(ErrorCode::usage, "--rerun-failed " + arguments.rerun_failed + " names no run", "give the id that drydock history shows");
    }
    arguments.common.workflow = std::exchange(arguments.rerun_failed, "latest");
  }
  if (!arguments.rerun_failed.empty() && !arguments.resume.empty()) {
    return make_error(ErrorCode::usage, "--resume and --rerun-failed do the same", "leave one out");
  }
  if (!arguments.from_step.empty() && !arguments.rerun_failed.empty()) {
    return make_error(ErrorCode::usage, "--from-step goes on with one job, not with all that failed", "name its run with --resume");
  }
  return {};
}

int run(RunArguments& arguments) {
  if (const Status sorted = sort_words(arguments); !sorted) return report(Status(sorted).error());
  const auto progress = parse_progress(arguments.progress);
  if (!progress.ok()) return report(progress.error());
  if (arguments.pause_on_failure && !can_pause()) {
    return report(make_error(ErrorCode::usage, "--pause-on-failure needs a terminal on standard input and output"));
  }
  auto prepared = prepare_workflows(arguments.common, Calls::fetched);
  if (!prepared.ok()) return report(prepared.error());
  prepared->print_diagnostics();
  if (!prepared->ok()) return k_exit_invalid;
  auto action_store = make_action_store(arguments.common, prepared->config);
  if (!action_store.ok()) return report(action_store.error());
  Console console(*progress, stdout);
  const auto status = RunCommand(arguments, *prepared, std::move(*action_store), console).run();
  console.finish();
  return status.ok() ? *status : report(status.error());
}

}  // namespace

void add_run_command(CLI::App& app, Chosen& chosen) {
  auto arguments = std::make_shared<RunArguments>();
  auto* command = app.add_subcommand("run", "run what an event triggers");
  arguments->common.add_to(*command);
  command->add_option("--progress", arguments->progress, "auto, tty, plain, json or quiet");
  command->add_option("--resume", arguments->resume, "go on from an earlier run: its finished jobs are not run again");
  command->add_option("--rerun-failed", arguments->rerun_failed,
                      "run again what failed in this earlier run, the newest when none is named, and what needs it")
      ->expected(0, 1)
      ->default_str("latest");
  command->add_option("--from-step", arguments->from_step,
                      "go on with the job of -j at this step (id, number or name), in its workspace of the run that --resume "
                      "names, or of the newest that has it");
  command->add_flag("--keep-workspace", arguments->keep_workspace, "leave the workspaces of jobs in the run's folder");
  command->add_flag("--pause-on-failure", arguments->pause_on_failure,
                    "open a shell in the place of a step that fails its job; the job goes on when it ends");
  command->add_option("--summary-json", arguments->summary_json, "write jobs, steps and builds to this file");
  command->add_option("--max-jobs", arguments->max_jobs, "jobs at the same time; the number of cores when left out");
  command->callback([arguments, &chosen] { chosen.run = [arguments] { return run(*arguments); }; });
}

}  // namespace drydock::runner
