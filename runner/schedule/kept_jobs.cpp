#include "runner/schedule/kept_jobs.h"

#include <filesystem>

#include "executors/base/fs.h"
#include "executors/base/json.h"

namespace drydock::runner {
namespace {

/// Outputs of steps and messages can hold secrets, outputs of jobs cannot.
step::JobResult masked(step::JobResult result, const Masker& masker) {
  result.message = masker.mask(result.message);
  for (auto& step : result.steps) {
    step.message = masker.mask(step.message);
    step.name = masker.mask(step.name);
    step.summary = masker.mask(step.summary);
    for (auto& [name, value] : step.outputs) value = masker.mask(value);
  }
  for (auto& annotation : result.annotations) {
    for (auto* text : {&annotation.message, &annotation.title, &annotation.place.file}) *text = masker.mask(*text);
  }
  return result;
}

}  // namespace

std::string kept_key(const std::string& workflow_file, const std::string& job_key) { return workflow_file + "#" + job_key; }

std::string job_dir(const step::JobRequest& request) {
  return std::filesystem::path(request.places.temp).parent_path().string();
}

Status keep_job(const std::string& run_dir, const std::string& workflow_file, const step::JobRequest& request,
                const step::JobResult& result, const Masker& masker) {
  // Several workflows of one run may have jobs of the same name.
  const std::string stem = std::filesystem::path(workflow_file).filename().string();
  const std::string job = std::filesystem::path(job_dir(request)).filename().string();
  OrderedJson json = to_json(masked(result, masker));
  json["workflow"] = workflow_file;
  // A kill loses nothing; where a power cut does, the job is run again.
  return write_file_atomic(run_dir + "/jobs/" + stem + "." + job + ".json", dump_json(json, 1) + "\n", 0644, Durability::relaxed);
}

Result<std::map<std::string, step::JobResult>> results_of(const std::string& run_dir) {
  std::map<std::string, step::JobResult> out;
  std::error_code failure;
  for (const auto& file : std::filesystem::directory_iterator(run_dir + "/jobs", failure)) {
    if (file.path().extension() != ".json") continue;
    DRYDOCK_ASSIGN(const std::string text, read_file(file.path().string()));
    if (text.find_first_not_of('\0') == std::string::npos) continue;  // its content did not survive a power cut
    DRYDOCK_ASSIGN(const OrderedJson json, parse_ordered_json(text, file.path().string()));
    DRYDOCK_ASSIGN(step::JobResult result, step::job_result_from_json(json));
    DRYDOCK_ASSIGN(const std::string workflow, json_get<std::string>(json, "workflow", file.path().string()));
    const std::string key = kept_key(workflow, result.key);
    out.insert_or_assign(key, std::move(result));
  }
  if (failure) return make_error(ErrorCode::not_found, "there is no run in " + run_dir, "name a directory of the store's runs/ folder");
  return out;
}

Result<std::map<std::string, step::JobResult>> finished_jobs(const std::string& run_dir) {
  DRYDOCK_ASSIGN(auto results, results_of(run_dir));
  std::erase_if(results, [](const auto& entry) { return entry.second.conclusion != Outcome::success; });
  return results;
}

Result<std::vector<step::JobResult>> kept_jobs(const std::string& run_dir) {
  std::map<std::string, step::JobResult> by_file;
  std::error_code none;  // a run that was refused has no such folder
  for (const auto& file : std::filesystem::directory_iterator(run_dir + "/jobs", none)) {
    const std::string path = file.path().string();
    if (file.path().extension() != ".json") continue;
    DRYDOCK_ASSIGN(const std::string text, read_file(path));
    if (text.find_first_not_of('\0') == std::string::npos) continue;
    DRYDOCK_ASSIGN(const OrderedJson json, parse_ordered_json(text, path));
    DRYDOCK_ASSIGN(by_file[path], step::job_result_from_json(json));
  }
  std::vector<step::JobResult> jobs;
  for (auto& [path, job] : by_file) jobs.push_back(std::move(job));
  return jobs;
}

}  // namespace drydock::runner
