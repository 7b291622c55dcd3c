#include "runner/events/run_record.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>

#include "executors/base/json.h"

namespace drydock::runner {

namespace {

namespace fs = std::filesystem;

std::string record_file(const std::string& run_dir) { return run_dir + "/run.json"; }
std::string lock_file(const std::string& run_dir) { return run_dir + "/lock"; }

Outcome outcome_of(const std::string& name) {
  for (const auto outcome : {Outcome::success, Outcome::failure, Outcome::cancelled, Outcome::skipped}) {
    if (name == name_of(outcome)) return outcome;
  }
  return Outcome::none;
}

std::string time_text(Time time) { return format_rfc3339(time, TimePrecision::milliseconds); }

OrderedJson to_json(const RunRecord& record) {
  auto workflows = OrderedJson::array(), jobs = OrderedJson::array();
  for (const auto& workflow : record.workflows) {
    workflows.push_back({{"file", workflow.file}, {"name", workflow.name}, {"conclusion", name_of(workflow.conclusion)}});
  }
  for (const auto& job : record.jobs) {
    jobs.push_back({{"key", job.key}, {"conclusion", name_of(job.conclusion)}, {"elapsed_ms", job.elapsed.count()}, {"workflow", job.workflow}});
  }
  return {{"schema", RunRecord::k_schema}, {"id", record.id}, {"run", record.run.empty() ? record.id : record.run},
          {"attempt", record.attempt}, {"repository", record.repository},
          {"directory", record.directory}, {"event", record.event}, {"ref", record.ref}, {"sha", record.sha},
          {"actor", record.actor}, {"workflows", std::move(workflows)}, {"started", time_text(record.started)},
          {"finished", record.finished ? OrderedJson(time_text(*record.finished)) : OrderedJson()},
          {"conclusion", name_of(record.conclusion)}, {"jobs", std::move(jobs)},
          {"keeps_workspace", record.keeps_workspace}};
}

Result<RunRecord> from_json(const OrderedJson& json, const std::string& file) {
  DRYDOCK_ASSIGN(const int schema, json_get<int>(json, "schema", file));
  if (schema != RunRecord::k_schema) {
    return make_error(ErrorCode::invalid_input, file + " has the unknown schema " + std::to_string(schema));
  }
  const auto text = [](const OrderedJson& from, const char* key) { return json_or(from, key, std::string()); };
  RunRecord record;
  record.id = text(json, "id");
  record.run = json_or(json, "run", record.id);
  record.attempt = json_or(json, "attempt", 1);
  record.repository = text(json, "repository");
  record.directory = text(json, "directory");
  record.event = text(json, "event");
  record.ref = text(json, "ref");
  record.sha = text(json, "sha");
  record.actor = text(json, "actor");
  DRYDOCK_ASSIGN(record.started, parse_rfc3339(text(json, "started")));
  if (const auto finished = text(json, "finished"); !finished.empty()) {
    DRYDOCK_ASSIGN(record.finished, parse_rfc3339(finished));
  }
  record.conclusion = outcome_of(text(json, "conclusion"));
  record.keeps_workspace = json_or(json, "keeps_workspace", false);
  const OrderedJson none = OrderedJson::array();
  for (const auto& each : json.contains("workflows") ? json["workflows"] : none) {
    record.workflows.push_back({text(each, "file"), text(each, "name"), outcome_of(text(each, "conclusion"))});
  }
  for (const auto& each : json.contains("jobs") ? json["jobs"] : none) {
    record.jobs.push_back({text(each, "key"), outcome_of(text(each, "conclusion")),
                           std::chrono::milliseconds(json_or<std::int64_t>(each, "elapsed_ms", 0)), text(each, "workflow")});
  }
  return record;
}

/// A run's id is the time at which it started, in milliseconds.
std::optional<Time> time_of_id(const std::string& id) {
  std::int64_t milliseconds = 0;
  const auto [end, failure] = std::from_chars(id.data(), id.data() + id.size(), milliseconds);
  if (failure != std::errc() || end != id.data() + id.size() || milliseconds <= 0) return std::nullopt;
  return Time(std::chrono::milliseconds(milliseconds));
}

bool is_held(const std::string& run_dir) {
  if (!exists(lock_file(run_dir))) return false;
  const auto lock = FileLock::try_acquire(lock_file(run_dir), LockMode::shared);
  return lock.ok() && !lock->has_value();
}

void add_ended_jobs(RunRecord& record, const std::string& run_dir) {
  const auto events = read_events(run_dir);
  if (!events) return;
  for (const auto& event : *events) {
    if (event.kind == EventKind::job_finished) record.jobs.push_back({event.job, event.outcome, event.elapsed});
  }
}

std::vector<std::string> run_directories(const std::string& runs_dir) {
  std::vector<std::string> found;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(runs_dir, none)) {
    if (entry.is_directory(none) && time_of_id(entry.path().filename().string())) found.push_back(entry.path().string());
  }
  std::sort(found.begin(), found.end(), [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() > b.size() : a > b;
  });
  return found;
}

/// Whether a workflow of the one is a workflow of the other, in the same clone.
bool runs_again(const RunRecord& before, const RunRecord& now) {
  return before.directory == now.directory &&
         std::any_of(before.workflows.begin(), before.workflows.end(), [&](const RunRecord::Workflow& workflow) {
           return std::any_of(now.workflows.begin(), now.workflows.end(),
                              [&](const RunRecord::Workflow& other) { return other.file == workflow.file; });
         });
}

}  // namespace

std::string RunRecord::state() const {
  if (finished) return std::string(name_of(conclusion));
  return running ? "running" : "killed";
}

Status write_run(const std::string& run_dir, const RunRecord& record) {
  return write_file_atomic(record_file(run_dir), dump_json(to_json(record), 1) + "\n", 0644, Durability::relaxed);
}

Result<RunRecord> read_run(const std::string& run_dir) {
  RunRecord record;
  record.id = fs::path(run_dir).filename().string();
  const auto started = time_of_id(record.id);
  if (!started || !is_directory(run_dir)) {
    return make_error(ErrorCode::not_found, "there is no run '" + record.id + "'", "drydock history lists the runs");
  }
  const std::string file = record_file(run_dir);
  DRYDOCK_ASSIGN(const auto text, read_file_if_exists(file));
  if (text) {
    DRYDOCK_ASSIGN(const OrderedJson json, parse_ordered_json(*text, file));
    DRYDOCK_ASSIGN(record, from_json(json, file));
  } else {
    record.started = *started;
    record.run = record.id;
  }
  if (!record.finished) {
    record.running = is_held(run_dir);
    add_ended_jobs(record, run_dir);
  }
  return record;
}

Runs list_runs(const std::string& runs_dir) {
  Runs out;
  for (const auto& directory : run_directories(runs_dir)) {
    auto record = read_run(directory);
    if (record) out.runs.push_back(std::move(*record));
    else out.problems.push_back(record.error().to_string());
  }
  return out;
}

Result<FileLock> hold_run(const std::string& run_dir) { return FileLock::acquire(lock_file(run_dir)); }

Result<std::vector<Event>> read_events(const std::string& run_dir) {
  std::ifstream in(run_dir + "/events.jsonl", std::ios::binary);
  if (!in) return make_error(ErrorCode::not_found, "the run in " + run_dir + " kept no events");
  std::vector<Event> events;
  for (std::string line; std::getline(in, line);) {
    const auto json = parse_json(line, "an event");
    if (!json) break;
    Event event;
    std::string why;
    if (!drydock::from_json(*json, event, why)) return make_error(ErrorCode::invalid_input, run_dir + "/events.jsonl: " + why);
    events.push_back(std::move(event));
  }
  return events;
}

void reap_work_folders(const std::string& runs_dir, const RunRecord& starting) {
  for (const auto& directory : run_directories(runs_dir)) {
    const std::string work = directory + "/work";
    // Without a lock it is of an older drydock, and nobody can tell whether that lives.
    if (!is_directory(work) || !exists(lock_file(directory)) || is_held(directory)) continue;
    const auto record = read_run(directory);
    if (!record || record->keeps_workspace) continue;
    if (record->finished && !runs_again(*record, starting)) continue;
    (void)remove_tree(work);
  }
}

WorkFolders work_folders(const std::string& runs_dir) {
  WorkFolders out;
  for (const auto& directory : run_directories(runs_dir)) {
    std::error_code failed;
    for (fs::recursive_directory_iterator entry(directory + "/work", failed), end; !failed && entry != end; entry.increment(failed)) {
      // Every job has a folder for its temporary files, and no step makes one of that name beside it.
      if (entry.depth() <= 2 && entry->path().filename() == "_temp") ++out.jobs;
      struct stat status {};
      if (::lstat(entry->path().c_str(), &status) == 0) out.bytes += static_cast<std::uint64_t>(status.st_blocks) * 512;
    }
  }
  return out;
}

Result<std::size_t> prune_runs(const std::string& runs_dir, Time limit) {
  std::size_t removed = 0;
  // The attempts of one run go together: a later one may stand in the workspace of an earlier one. Newest first.
  std::map<std::string, Time> last;
  for (const auto& directory : run_directories(runs_dir)) {
    const auto record = read_run(directory);
    const std::string id = fs::path(directory).filename().string();
    const Time ended = record ? record->finished.value_or(record->started) : *time_of_id(id);
    const auto known = last.try_emplace(record ? record->run : id, ended).first;
    if (is_held(directory)) known->second = Time::max();
    if (known->second >= limit) continue;
    DRYDOCK_TRY(remove_tree(directory));
    ++removed;
  }
  return removed;
}

}  // namespace drydock::runner
