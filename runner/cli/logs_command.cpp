#include <CLI/CLI.hpp>

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <set>

#include "executors/base/json.h"
#include "runner/cli/cli.h"
#include "runner/cli/exit_code.h"
#include "runner/cli/run_directories.h"
#include "runner/cli/run_summary.h"
#include "runner/cli/workflow_runs.h"
#include "runner/events/plain_printer.h"
#include "runner/events/run_record.h"
#include "runner/schedule/kept_jobs.h"

namespace drydock::runner {

namespace {

struct LogsArguments {
  std::string run;
  std::vector<std::string> jobs;
  std::string step;
  bool failed = false;
  bool json = false;
};

/// With its workflow, where several ran side by side, or without.
bool is_job(const std::string& key, const std::string& wanted) {
  const std::string part = workflow_part(key);
  if (!part.empty() && !wanted.starts_with(part)) return is_job(key.substr(part.size()), wanted);
  return key == wanted || key.starts_with(wanted + " (") || key.starts_with(wanted + " / ");
}

/// What of a run is to be shown.
class Choice {
 public:
  Choice(const LogsArguments& arguments, const std::vector<Event>& events) : arguments_(arguments) {
    for (const auto& event : events) {
      if (!event.step.empty() && !event.name.empty() && event.kind == EventKind::step_started) names_[key(event)] = event.name;
      if (event.kind == EventKind::step_finished && event.outcome == Outcome::failure) failed_.insert(key(event));
    }
  }

  bool holds(const Event& event) const {
    if (event.kind == EventKind::progress) return false;
    const auto& jobs = arguments_.jobs;
    if (!jobs.empty() && std::none_of(jobs.begin(), jobs.end(), [&](const auto& job) { return is_job(event.job, job); })) return false;
    if (!arguments_.step.empty() && !is_step(event)) return false;
    return !arguments_.failed || failed_.contains(key(event)) || failed_job(event);
  }

 private:
  static std::pair<std::string, std::string> key(const Event& event) { return {event.job, event.step}; }

  bool is_step(const Event& event) const {
    if (event.step == arguments_.step) return true;
    const auto name = names_.find(key(event));
    return name != names_.end() && name->second == arguments_.step;
  }

  /// What a job says of itself when no step of it failed: refusals, time limits.
  static bool failed_job(const Event& event) {
    return event.step.empty() && !event.job.empty() && (event.outcome == Outcome::failure || event.level == Level::error);
  }

  const LogsArguments& arguments_;
  std::map<std::pair<std::string, std::string>, std::string> names_;
  std::set<std::pair<std::string, std::string>> failed_;
};

/// Jobs ran side by side and are read one after the other, in the order in which they began.
std::vector<Event> by_job(std::vector<Event> events) {
  std::map<std::string, std::size_t> order;
  for (const auto& event : events) order.try_emplace(event.job, order.size());
  std::stable_sort(events.begin(), events.end(),
                   [&](const Event& a, const Event& b) { return order.at(a.job) < order.at(b.job); });
  return events;
}

void print(const std::vector<Event>& events, bool json) {
  if (json) {
    for (const auto& event : events) std::printf("%s\n", dump_json(to_json(event)).c_str());
    return;
  }
  PlainPrinter printer(stdout, ::isatty(STDOUT_FILENO) ? Colour::always : Colour::never);
  for (const auto& event : events) printer.on_event(event);
  printer.finish();
}

/// From the results that the jobs have left.
Status print_summaries(const std::string& directory, const LogsArguments& arguments) {
  DRYDOCK_ASSIGN(auto jobs, kept_jobs(directory));
  const auto& wanted = arguments.jobs;
  std::erase_if(jobs, [&](const step::JobResult& job) {
    return !wanted.empty() && std::none_of(wanted.begin(), wanted.end(), [&](const auto& name) { return is_job(job.key, name); });
  });
  std::fputs(summaries_text(jobs, Masker()).c_str(), stdout);
  return {};
}

Result<int> show_logs(const LogsArguments& arguments) {
  DRYDOCK_ASSIGN(const auto runs, runs_directory());
  DRYDOCK_ASSIGN(const auto directory, directory_of_run(runs, arguments.run));
  DRYDOCK_ASSIGN(const auto all, read_events(directory));
  for (const auto& job : arguments.jobs) {
    if (std::none_of(all.begin(), all.end(), [&](const Event& event) { return is_job(event.job, job); })) {
      return make_error(ErrorCode::usage, "the run has no job '" + job + "'");
    }
  }
  const Choice choice(arguments, all);
  std::vector<Event> shown;
  std::copy_if(all.begin(), all.end(), std::back_inserter(shown), [&](const Event& event) { return choice.holds(event); });
  if (shown.empty() && !arguments.step.empty()) {
    return make_error(ErrorCode::usage, "the run has no step '" + arguments.step + "'", "give its number or its name");
  }
  print(by_job(std::move(shown)), arguments.json);
  if (!arguments.json && !arguments.failed && arguments.step.empty()) DRYDOCK_TRY(print_summaries(directory, arguments));
  return static_cast<int>(k_exit_ok);
}

}  // namespace

void add_logs_command(CLI::App& app, Chosen& chosen) {
  auto arguments = std::make_shared<LogsArguments>();
  auto* command = app.add_subcommand("logs", "what a past run printed");
  command->add_option("RUN", arguments->run, "the run's id; the newest when left out");
  command->add_option("-j,--job", arguments->jobs, "only this job, or all legs of its matrix");
  command->add_option("--step", arguments->step, "only this step: its number in the job, or its name");
  command->add_flag("--failed", arguments->failed, "only steps that failed");
  command->add_flag("--json", arguments->json, "the events, one a line");
  command->callback([arguments, &chosen] {
    chosen.run = [arguments] {
      const auto status = show_logs(*arguments);
      return status ? *status : report(status.error());
    };
  });
}

}  // namespace drydock::runner
