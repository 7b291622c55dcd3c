#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>

#include "executors/base/json.h"
#include "runner/cli/cli.h"
#include "runner/cli/exit_code.h"
#include "runner/cli/run_directories.h"
#include "runner/events/printer.h"
#include "runner/events/run_record.h"

namespace drydock::runner {

namespace {

struct HistoryArguments {
  bool json = false;
  std::size_t limit = 30;
  std::string workflow;
};

std::string workflows_text(const RunRecord& run) {
  std::string text;
  for (const auto& workflow : run.workflows) text += (text.empty() ? "" : ", ") + workflow.name;
  return text.empty() ? "-" : text;
}

std::chrono::milliseconds elapsed_of(const RunRecord& run) {
  const Time end = run.finished ? *run.finished : run.running ? std::chrono::system_clock::now() : run.started;
  return std::chrono::duration_cast<std::chrono::milliseconds>(end - run.started);
}

OrderedJson to_json(const RunRecord& run) {
  OrderedJson workflows = OrderedJson::array(), jobs = OrderedJson::array();
  for (const auto& workflow : run.workflows) {
    workflows.push_back({{"file", workflow.file}, {"name", workflow.name}, {"conclusion", name_of(workflow.conclusion)}});
  }
  for (const auto& job : run.jobs) {
    jobs.push_back({{"key", job.key}, {"conclusion", name_of(job.conclusion)}, {"elapsed_ms", job.elapsed.count()}, {"workflow", job.workflow}});
  }
  OrderedJson json{{"id", run.id}, {"run", run.run}, {"attempt", run.attempt}, {"workflows", std::move(workflows)}, {"repository", run.repository},
                   {"directory", run.directory}, {"event", run.event}, {"ref", run.ref}, {"sha", run.sha},
                   {"conclusion", run.state()},
                   {"started", format_rfc3339(run.started, TimePrecision::milliseconds)}};
  json["finished"] = run.finished ? OrderedJson(format_rfc3339(*run.finished, TimePrecision::milliseconds)) : OrderedJson();
  json["elapsed_ms"] = elapsed_of(run).count();
  json["jobs"] = std::move(jobs);
  return json;
}

bool names(const RunRecord& run, const std::string& workflow) {
  return workflow.empty() || std::any_of(run.workflows.begin(), run.workflows.end(), [&](const auto& each) {
           return each.name == workflow || each.file == workflow || each.file.ends_with("/" + workflow);
         });
}

/// One row of a table: every column as wide as its widest cell.
void print_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line += std::string(widths[i] - row[i].size() + 2, ' ');
    }
    std::printf("%s\n", line.c_str());
  }
}

void print_runs(const std::vector<RunRecord>& runs) {
  std::vector<std::vector<std::string>> rows{{"RUN", "ATTEMPT", "CONCLUSION", "WORKFLOW", "EVENT", "REF", "STARTED", "TIME", "JOBS"}};
  for (const auto& run : runs) {
    const auto good = std::count_if(run.jobs.begin(), run.jobs.end(), [](const auto& job) {
      return job.conclusion == Outcome::success || job.conclusion == Outcome::skipped;
    });
    const std::string attempt = std::to_string(run.attempt) + (run.run == run.id ? "" : " of " + run.run);
    rows.push_back({run.id, attempt, run.state(), workflows_text(run), run.event.empty() ? "-" : run.event,
                    run.ref.empty() ? "-" : run.ref, format_rfc3339(run.started), format_elapsed(elapsed_of(run)),
                    std::to_string(good) + "/" + std::to_string(run.jobs.size())});
  }
  print_table(rows);
}

int show_history(const HistoryArguments& arguments) {
  const auto directory = runs_directory();
  if (!directory) return report(directory.error());
  auto [runs, problems] = list_runs(*directory);
  for (const auto& problem : problems) std::fprintf(stderr, "drydock: warning: %s\n", problem.c_str());
  std::erase_if(runs, [&](const RunRecord& run) { return !names(run, arguments.workflow); });
  if (runs.size() > arguments.limit) runs.erase(runs.begin() + static_cast<std::ptrdiff_t>(arguments.limit), runs.end());
  if (!arguments.json) {
    print_runs(runs);
    return k_exit_ok;
  }
  OrderedJson json = OrderedJson::array();
  for (const auto& run : runs) json.push_back(to_json(run));
  std::printf("%s\n", dump_json(json, 1).c_str());
  return k_exit_ok;
}

}  // namespace

void add_history_command(CLI::App& app, Chosen& chosen) {
  auto arguments = std::make_shared<HistoryArguments>();
  auto* command = app.add_subcommand("history", "past runs, the newest first");
  command->add_flag("--json", arguments->json, "as one JSON array");
  command->add_option("-n,--limit", arguments->limit, "at most so many runs");
  command->add_option("-w,--workflow", arguments->workflow, "only runs of this workflow: its name or file");
  command->callback([arguments, &chosen] { chosen.run = [arguments] { return show_history(*arguments); }; });
}

}  // namespace drydock::runner
