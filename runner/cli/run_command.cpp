#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
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
#include "runner/cli/exit_code.h"
#include "runner/cli/followers.h"
#include "runner/cli/hosts.h"
#include "runner/cli/pause.h"
#include "runner/cli/run_directories.h"
#include "runner/cli/run_summary.h"
#include "runner/cli/service_environment.h"
#include "runner/cli/workflow_arguments.h"
#include "runner/events/history.h"
#include "runner/events/run_record.h"
#include "runner/schedule/run_workflow.h"

namespace drydock::runner {

namespace {

struct RunArguments {
  WorkflowArguments common;
  std::string progress = "auto";
  std::string resume;
  std::string rerun_failed;
  bool keep_workspace = false;
  bool pause_on_failure = false;
  std::string summary_json;
  int max_jobs = 0;
};

/// One `drydock run`: every workflow that the event triggers, one after the other, each followed by those that wait for
/// its end (workflow_run).
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
    int status = k_exit_ok;
    bool any = false;
    for (const auto& workflow : prepared_.workflows) {
      const auto verdict = triggered_by(workflow, prepared_.event.trigger);
      if (!verdict.runs) {
        console_.bus().notice(workflow.file + " is not triggered by " + prepared_.event.name + ": " + verdict.reason);
        continue;
      }
      if (!verdict.reason.empty()) console_.bus().notice(workflow.file + ": " + verdict.reason);
      any = true;
      const auto ended = run_with_followers(workflow, prepared_.event, 0);
      if (status == k_exit_ok) status = ended;
      if (interrupted().stop_requested()) break;
    }
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
    services.own_files = [](const step::JobRequest& request, const std::string& commit, const std::string& directory) {
      return actions::write_own_files(request.places.source, commit, directory);
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
    const std::string& again = arguments_.rerun_failed.empty() ? arguments_.resume : arguments_.rerun_failed;
    if (!again.empty()) {
      DRYDOCK_ASSIGN(const std::string earlier, directory_of_run(runs, again));
      DRYDOCK_ASSIGN(resumed_, finished_jobs(earlier));
    }
    DRYDOCK_ASSIGN(run_id_, new_run(runs));
    run_dir_ = runs + "/" + run_id_;
    lock_dir_ = root + "/locks";
    DRYDOCK_TRY(make_directories(lock_dir_));
    DRYDOCK_ASSIGN(auto lock, hold_run(run_dir_));
    lock_.emplace(std::move(lock));
    reap_work_folders(runs);
    record_ = record_of_start();
    DRYDOCK_TRY(write_run(run_dir_, record_));
    DRYDOCK_ASSIGN(history_, History::open(run_dir_));
    console_.bus().listen([this](const Event& event) { history_->on_event(event); });
    services_.action_environment = service_environment(
        {.store_root = root, .run = run_id_, .resumed = arguments_.resume, .limits = prepared_.config.services}, console_.bus());
    return {};
  }

  static RunRecord::Workflow recorded(const parser::workflow::Workflow& workflow) {
    const bool named = workflow.name && !workflow.name->text.empty();
    return {workflow.file, named ? workflow.name->text : workflow.file};
  }

  RunRecord record_of_start() const {
    RunRecord record;
    record.id = run_id_;
    record.directory = prepared_.git.root;
    record.keeps_workspace = arguments_.keep_workspace;
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
      for (const auto& job : result.jobs) record_.jobs.push_back({job.key, job.conclusion, job.elapsed});
    }
    if (all_skipped) record_.conclusion = Outcome::skipped;
    return write_run(run_dir_, record_);
  }

  /// `depth`: how many workflows came before, each following the one before it.
  int run_with_followers(const parser::workflow::Workflow& workflow, const TriggerEvent& event, int depth) {
    const auto started = std::chrono::system_clock::now();
    int status = run_one(workflow, event);
    // A part of a run is nothing that others follow; nor is one that the user has stopped.
    const bool whole = arguments_.common.jobs.empty() && arguments_.common.matrix.empty();
    if (!whole || results_.back().name.empty() || interrupted().stop_requested()) return status;
    const FollowedRun followed{.workflow = &workflow, .event = &event, .title = results_.back().name, .id = run_id_,
                               .conclusion = results_.back().conclusion, .started = started,
                               .finished = std::chrono::system_clock::now()};
    for (const auto& next : followers_.of(followed)) {
      if (depth >= k_max_followers) {
        console_.bus().warning(next.workflow->file + " is not run: workflow_run goes on for no more than " +
                               std::to_string(k_max_followers) + " workflows after the first");
        continue;
      }
      console_.bus().notice(next.workflow->file + " follows " + followed.title + " (workflow_run, " + next.event.trigger.activity + ")");
      const int ended = run_with_followers(*next.workflow, next.event, depth + 1);
      if (status == k_exit_ok) status = ended;
      if (interrupted().stop_requested()) break;
    }
    return status;
  }

  int run_one(const parser::workflow::Workflow& workflow, const TriggerEvent& event) {
    RunOptions options;
    options.workflow = &workflow;
    options.event = event;
    options.settings = prepared_.settings;
    options.settings.tool_cache = tool_cache();
    options.jobs = {arguments_.common.jobs.begin(), arguments_.common.jobs.end()};
    options.max_jobs = arguments_.max_jobs;
    if (arguments_.keep_workspace) options.work_dirs = WorkDirs::kept;
    options.run_id = run_id_;
    options.run_dir = run_dir_;
    options.lock_dir = lock_dir_;
    options.finished = resumed_;
    const auto result = run_workflow(options, services_, interrupted());
    for (const auto& problem : result.problems) {
      Event event;
      event.kind = EventKind::message;
      event.level = problem.severity == parser::Severity::error ? Level::error : Level::warning;
      event.text = problem.message + (problem.mend.empty() ? "" : ". " + problem.mend);
      event.place = {problem.file, problem.range.start.line, problem.range.start.column};
      console_.bus().publish(std::move(event));
    }
    if (!result.reason.empty()) console_.bus().notice(result.reason);
    results_.push_back(result);
    auto& known = record_.workflows;
    auto own = std::find_if(known.begin(), known.end(), [&](const auto& each) { return each.file == workflow.file; });
    // One that follows another was not foreseen.
    if (own == known.end()) own = known.insert(own, recorded(workflow));
    own->conclusion = result.conclusion;
    return result.exit_code();
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
  std::map<std::string, step::JobResult> resumed_;
  std::vector<RunResult> results_;
  Followers followers_;
};

int run(const RunArguments& arguments) {
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
  command->add_flag("--keep-workspace", arguments->keep_workspace, "leave the workspaces of jobs in the run's folder");
  command->add_flag("--pause-on-failure", arguments->pause_on_failure,
                    "open a shell in the place of a step that fails its job; the job goes on when it ends");
  command->add_option("--summary-json", arguments->summary_json, "write jobs, steps and builds to this file");
  command->add_option("--max-jobs", arguments->max_jobs, "jobs at the same time; the number of cores when left out");
  command->callback([arguments, &chosen] { chosen.run = [arguments] { return run(*arguments); }; });
}

}  // namespace drydock::runner
