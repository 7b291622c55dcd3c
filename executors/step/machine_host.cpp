#include "executors/base/orphans.h"
#include "executors/step/engine.h"

#include <filesystem>

namespace drydock::step {
namespace {

class MachineHost : public StepHost {
 public:
  ~MachineHost() override { end_orphans(tracking_id_); }
  Result<ProcessResult> run(const ProcessSpec& spec, std::stop_token stop) override {
    ProcessSpec marked = spec;
    if (!marked.environment) marked.environment = current_environment();
    marked.environment->try_emplace(k_tracking_variable, tracking_id_);
    return run_process(marked, std::move(stop));
  }
  std::optional<std::string> find_program(std::string_view name, const Environment& environment) override {
    return drydock::find_program(name, &environment);
  }
  Environment environment() override { return current_environment(); }

 private:
  /// What a step leaves running lives on until the job ends, as on GitHub.
  std::string tracking_id_ = new_tracking_id();
};

Error no_containers(const ActionContainer& container) {
  return make_error(ErrorCode::unsupported, "container actions (" + container.name + ") cannot run in this place");
}

}  // namespace

bool StepHost::has_directory(const std::string& path) {
  std::error_code none;
  return std::filesystem::is_directory(path, none);
}

Status StepHost::prepare_container(const ActionContainer& container, std::stop_token) { return no_containers(container); }

Result<ProcessResult> StepHost::run_container(const ActionContainer& container, std::stop_token) {
  return no_containers(container);
}

Hosts machine_hosts() {
  return {{Isolation::host, [](const JobRequest&) -> Result<std::unique_ptr<StepHost>> {
             return std::unique_ptr<StepHost>(std::make_unique<MachineHost>());
           }}};
}

}  // namespace drydock::step
