#include "runner/cli/run_summary.h"

#include <sstream>

namespace drydock::runner {

namespace {

constexpr int k_schema = 1;

Json annotation_json(const step::Annotation& annotation) {
  Json json{{"level", name_of(annotation.level)}, {"message", annotation.message}};
  if (!annotation.title.empty()) json["title"] = annotation.title;
  if (!annotation.place.file.empty()) json["file"] = annotation.place.file;
  const auto number = [&](const char* key, int value) {
    if (value > 0) json[key] = value;
  };
  number("line", annotation.place.line);
  number("column", annotation.place.column);
  return json;
}

Json step_json(const step::StepResult& step) {
  Json json{{"id", step.id},
            {"name", step.name},
            {"position", step.position},
            {"outcome", name_of(step.outcome)},
            {"conclusion", name_of(step.conclusion)},
            {"exit_code", step.exit_code},
            {"elapsed_ms", step.elapsed.count()}};
  if (!step.summary.empty()) json["summary"] = step.summary;
  return json;
}

Json job_json(const step::JobResult& job) {
  Json steps = Json::array(), annotations = Json::array();
  for (const auto& step : job.steps) steps.push_back(step_json(step));
  for (const auto& annotation : job.annotations) annotations.push_back(annotation_json(annotation));
  Json json{{"key", job.key},
            {"conclusion", name_of(job.conclusion)},
            {"outputs", job.outputs},
            {"steps", std::move(steps)},
            {"annotations", std::move(annotations)}};
  if (!job.environment.empty()) {
    json["environment"] = {{"name", job.environment}};
    if (!job.environment_url.empty()) json["environment"]["url"] = job.environment_url;
  }
  return json;
}

Json build_json(const build::BuildResult& build) {
  Json legs = Json::array();
  for (const auto& leg : build.legs) {
    legs.push_back({{"platform", leg.platform.to_string()},
                    {"digest", leg.manifest_digest},
                    {"execution", name_of(leg.execution)},
                    {"steps_run", leg.steps_run},
                    {"steps_cached", leg.steps_cached}});
  }
  return {{"digest", build.digest}, {"published", build.published}, {"legs", std::move(legs)}};
}

void mask_texts(Json& json, const Masker& masker) {
  if (json.is_string()) json = masker.mask(json.get_ref<const std::string&>());
  if (json.is_structured()) {
    for (auto& member : json) mask_texts(member, masker);
  }
}

}  // namespace

Json summary_of(const std::string& run_id, const std::vector<RunResult>& results,
                const std::vector<build::BuildResult>& builds, const Masker& masker) {
  Json summary{{"schema", k_schema}, {"run", run_id}, {"jobs", Json::array()}, {"builds", Json::array()}};
  for (const auto& result : results) {
    for (const auto& job : result.jobs) {
      summary["jobs"].push_back(job_json(job));
      summary["jobs"].back()["workflow"] = result.file;
    }
  }
  for (const auto& build : builds) summary["builds"].push_back(build_json(build));
  mask_texts(summary, masker);
  return summary;
}

std::string summaries_text(const std::vector<step::JobResult>& jobs, const Masker& masker) {
  std::string out;
  for (const auto& job : jobs) {
    for (const auto& step : job.steps) {
      if (step.summary.empty()) continue;
      out += "summary of [" + job.key + "] " + masker.mask(step.name) + "\n";
      std::istringstream lines(masker.mask(step.summary));
      for (std::string line; std::getline(lines, line);) out += "  " + line + "\n";
    }
  }
  return out;
}

}  // namespace drydock::runner
