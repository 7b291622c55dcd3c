#include "runner/cli/service_environment.h"

#include <memory>
#include <mutex>

#include "executors/base/masker.h"

namespace drydock::runner {

JobFacts job_facts(const step::JobRequest& request, const std::string& run) {
  JobFacts facts;
  facts.run = run;
  facts.key = request.key;
  // A called workflow's jobs belong to the run of the workflow that calls it.
  facts.workflow = json_or<std::string>(request.github, "workflow_ref", request.workflow_file);
  facts.github = request.github;
  facts.permissions = request.permissions;
  facts.environment = request.environment;
  facts.runner_environment = request.runner.environment;
  facts.job_workflow_ref = json_or<std::string>(request.job, "workflow_ref", "");
  facts.job_workflow_sha = json_or<std::string>(request.job, "workflow_sha", "");
  return facts;
}

namespace {

class LateServices {
 public:
  LateServices(RunServicesOptions options, Bus& bus) : options_(std::move(options)), bus_(bus) {}

  Environment environment_for(const step::JobRequest& request) {
    std::call_once(once_, [this] { start(); });
    if (!services_) return {};
    auto environment = services_->environment_for(job_facts(request, options_.run));
    for (const auto& secret : RunServices::secrets_of(environment)) bus_.masker().add(secret);
    return environment;
  }

 private:
  void start() {
    auto started = RunServices::start(options_);
    if (started) services_ = std::move(*started);
    else bus_.warning("jobs have no artifacts and caches: " + started.error().to_string());
  }

  const RunServicesOptions options_;
  Bus& bus_;
  std::once_flag once_;
  std::unique_ptr<RunServices> services_;
};

}  // namespace

std::function<Environment(const step::JobRequest&)> service_environment(RunServicesOptions options, Bus& bus) {
  auto services = std::make_shared<LateServices>(std::move(options), bus);
  return [services](const step::JobRequest& request) { return services->environment_for(request); };
}

}  // namespace drydock::runner
