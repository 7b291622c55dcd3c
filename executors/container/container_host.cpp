#include "executors/container/container_host.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <mutex>

#include "executors/base/fs.h"
#include "executors/container/action_paths.h"
#include "executors/container/container_plan.h"
#include "executors/container/exec.h"
#include "executors/container/pod_server.h"
#include "executors/step/node_closure.h"

namespace drydock::container {
namespace {

using parser::expression::Object;
using parser::expression::Value;

/// Of URLs like http://127.0.0.1:4711/x: the runner's own services on this machine's loopback.
std::vector<std::uint16_t> loopback_ports(const Environment& environment) {
  std::vector<std::uint16_t> ports;
  for (const auto& [name, value] : environment) {
    for (const std::string_view host : {"://127.0.0.1:", "://localhost:"}) {
      const auto at = value.find(host);
      if (at == std::string::npos) continue;
      std::uint16_t port = 0;
      const char* begin = value.data() + at + host.size();
      std::from_chars(begin, value.data() + value.size(), port);
      if (port && std::find(ports.begin(), ports.end(), port) == ports.end()) ports.push_back(port);
    }
  }
  return ports;
}

/// The workspace is the same on both sides: what is not there below it is nowhere. Links lead to where only the
/// container can look, and so do other paths: then running tells.
bool may_have_directory(const std::filesystem::path& workspace, const std::filesystem::path& path) {
  const auto below = path.lexically_relative(workspace);
  if (below.empty() || *below.begin() == "..") return true;
  auto at = workspace;
  for (const auto& part : below) {
    at /= part;
    std::error_code failed;
    const auto status = std::filesystem::symlink_status(at, failed);
    if (std::filesystem::is_symlink(status)) return true;
    if (!std::filesystem::is_directory(status)) return false;
  }
  return true;
}

class Host : public step::StepHost {
 public:
  /// `inner` is null when the job has a container for its steps.
  Host(const ContainerOptions& options, const step::HostRequest& request, std::unique_ptr<step::StepHost> inner)
      : options_(options), job_(request.job), inner_(std::move(inner)) {
    pod_request_.job = job_.key;
    pod_request_.engine = options.engine;
    pod_request_.engine.offline = pod_request_.engine.offline || job_.runner.network == step::NetworkPolicy::offline;
    pod_request_.docker_config = job_.places.docker_config;
    pod_request_.workspace = job_.places.workspace;
    pod_request_.temp = job_.places.temp;
    for (const auto& path : {job_.places.workspace, job_.places.temp, job_.places.tool_cache}) {
      if (!path.empty()) pod_request_.shared.push_back({path, false});
    }
    pod_request_.shared.insert(pod_request_.shared.end(), options.shared.begin(), options.shared.end());
    runner_services_ = request.runner_services;
    const bool trusted = job_.runner.isolation == step::Isolation::host;
    pod_request_.host_files = trusted ? HostFiles::shared : HostFiles::copied;
    pod_request_.privileged = trusted ? PrivilegedContainers::allowed : PrivilegedContainers::refused;
    pod_request_.containers = request.containers;
  }

  step::OutsideChanges outside_changes() override {
    return inner_ ? inner_->outside_changes() : step::OutsideChanges::lost;
  }

  Status start(std::stop_token stop) {
    const std::lock_guard lock(mutex_);
    if (pod_) return {};
    for (const auto& shared : options_.shared) DRYDOCK_TRY(make_directories(shared.path));
    DRYDOCK_TRY(make_directories(node_place()));
    pod_request_.node = node_place();
    if (runner_services_) pod_request_.loopback = loopback_ports(runner_services_());
    DRYDOCK_TRY(make_directories(job_.places.temp + "/_github_home"));
    DRYDOCK_TRY(make_directories(job_.places.temp + "/_runner_file_commands"));
    DRYDOCK_ASSIGN(pod_, PodClient::start(options_.program, pod_request_, *options_.bus, std::move(stop)));
    return {};
  }

  Result<ProcessResult> run(const ProcessSpec& spec, std::stop_token stop) override {
    if (inner_) return inner_->run(spec, std::move(stop));
    if (spec.environment) return run_in_container(pod_->job_channel(), spec, std::move(stop));
    ProcessSpec complete = spec;
    complete.environment = environment();
    return run_in_container(pod_->job_channel(), complete, std::move(stop));
  }
  std::optional<std::string> find_program(std::string_view name, const Environment& environment) override {
    if (inner_) return inner_->find_program(name, environment);
    return find_in_container(pod_->job_channel(), name, environment);
  }
  Environment environment() override { return inner_ ? inner_->environment() : pod_->answer().environment; }
  bool has_directory(const std::string& path) override {
    return inner_ ? inner_->has_directory(path) : may_have_directory(job_.places.workspace, path);
  }

  /// A container is there before it is known which Node is wanted: it has an empty directory, which is filled here.
  Result<std::string> node_program(const std::string& on_this_machine) override {
    if (inner_) return inner_->node_program(on_this_machine);
    const std::lock_guard lock(mutex_);
    if (const auto found = nodes_.find(on_this_machine); found != nodes_.end()) return found->second;
    if (!nodes_.empty() || options_.node_directory.empty()) {
      return make_error(ErrorCode::unsupported, "a second Node (" + on_this_machine + ") in one container is not supported",
                        "use one version for all JavaScript actions of the job: run.node in your drydock.yaml");
    }
    DRYDOCK_ASSIGN(const auto closure, step::make_node_closure(on_this_machine, options_.node_directory));
    for (const auto& mount : closure.mounts) {
      if (mount.target != step::k_closure_mount) continue;
      std::error_code failed;
      std::filesystem::copy(mount.source, node_place(),
                            std::filesystem::copy_options::recursive | std::filesystem::copy_options::copy_symlinks |
                                std::filesystem::copy_options::overwrite_existing,
                            failed);
      if (failed) return errno_error("lending Node to the container", failed.value());
    }
    return nodes_[on_this_machine] = closure.program;
  }

  Object job_members() override {
    Object members;
    if (!pod_) return members;
    const auto& answer = pod_->answer();
    if (!answer.container.empty()) {
      Object container;
      container.set("id", answer.container);
      container.set("network", answer.network);
      members.set("container", Value(std::move(container)));
    }
    Object services;
    for (const auto& [name, one] : answer.services) {
      Object ports, service;
      for (const auto& [inside, outside] : one.ports) ports.set(inside, outside);
      service.set("id", one.id);
      service.set("ports", Value(std::move(ports)));
      service.set("network", answer.network);
      services.set(name, Value(std::move(service)));
    }
    if (!answer.services.empty()) members.set("services", Value(std::move(services)));
    return members;
  }

  Status prepare_container(const step::ActionContainer& container, std::stop_token stop) override {
    DRYDOCK_ASSIGN(const auto request, action_request(container));
    DRYDOCK_TRY(start(stop));
    return pod_->prepare_action(request, std::move(stop));
  }
  Result<ProcessResult> run_container(const step::ActionContainer& container, std::stop_token stop) override {
    DRYDOCK_TRY(start(stop));
    DRYDOCK_ASSIGN(const auto request, action_request(container));
    return pod_->run_action(request, container.on_stdout, container.on_stderr, std::move(stop));
  }

 private:
  Result<ActionRequest> action_request(const step::ActionContainer& container) {
    const auto paths = action_paths(job_.places);
    ActionRequest request;
    request.name = container.name.empty() ? container.image : container.name;
    request.image = container.image;
    if (container.image.empty()) {
      DRYDOCK_ASSIGN(request.image, built_image(container));
    }
    request.entrypoint = container.entrypoint;
    request.args = container.args;
    request.environment = paths.inside(container.environment);
    request.directory = container.directory.empty() ? "/github/workspace" : paths.inside(container.directory);
    request.mounts = paths.pairs;
    // Arguments may hold the machine's own paths, as the runner's contexts give them.
    std::reverse(request.mounts.begin(), request.mounts.end());
    request.mounts.emplace_back(job_.places.workspace, job_.places.workspace);
    request.mounts.emplace_back(job_.places.temp, job_.places.temp);
    return request;
  }

  /// The manifest's digest; an image is built once a job.
  Result<std::string> built_image(const step::ActionContainer& container) {
    const std::lock_guard lock(mutex_);
    if (const auto found = built_.find(container.dockerfile); found != built_.end()) return found->second;
    if (!options_.builder) {
      return make_error(ErrorCode::unsupported, "the image of " + container.name + " cannot be built here: no build engine");
    }
    build::BuildRequest request;
    request.context.source = std::filesystem::path(container.dockerfile).parent_path().string();
    request.dockerfile = container.dockerfile;
    request.platforms = {host_platform()};
    request.provenance = "false";
    request.docker_config_dir = job_.places.docker_config;
    request.job = job_.key;
    auto built = options_.builder->build(request, *options_.bus, {});
    if (!built) return std::move(built).error().while_("building the image of " + container.name);
    return built_[container.dockerfile] = built->legs.front().manifest_digest;
  }

  std::string node_place() const { return job_.places.temp + "/_node"; }

  const ContainerOptions& options_;
  const step::JobRequest& job_;
  std::unique_ptr<step::StepHost> inner_;
  std::function<Environment()> runner_services_;
  PodRequest pod_request_;
  std::mutex mutex_;
  std::unique_ptr<PodClient> pod_;
  std::map<std::string, std::string> built_;  // Dockerfile → digest
  std::map<std::string, std::string> nodes_;  // on this machine → in the container
};

class Factory {
 public:
  Factory(ContainerOptions options, step::Hosts inner) : options_(std::move(options)), inner_(std::move(inner)) {}

  /// The steps' place, with containers beside it when an action asks for them.
  Result<std::unique_ptr<step::StepHost>> beside(step::Isolation isolation, const step::HostRequest& request) const {
    DRYDOCK_ASSIGN(auto place, inner_.at(isolation)(request));
    return std::unique_ptr<step::StepHost>(std::make_unique<Host>(options_, request, std::move(place)));
  }

  Result<std::unique_ptr<step::StepHost>> contained(step::HostRequest request) const {
    const auto isolation = request.job.runner.isolation;
    if (!request.containers.container && isolation == step::Isolation::container) {
      if (options_.default_image.empty()) {
        return make_error(ErrorCode::usage, "job '" + request.job.job_id + "' names no container to run in",
                          "give it `container:`, or set run.image in your drydock.yaml, or use --isolation sandbox");
      }
      request.containers.container.emplace().image = options_.default_image;
    }
    // What is wrong in the containers is told before anything is made.
    DRYDOCK_TRY(check(request.containers));
    std::unique_ptr<step::StepHost> place;
    if (!request.containers.container) {
      DRYDOCK_ASSIGN(place, inner_.at(isolation)(request));
    }
    auto host = std::make_unique<Host>(options_, request, std::move(place));
    options_.bus->publish({.kind = EventKind::group_started, .job = request.job.key, .name = "Initialize containers"});
    auto started = host->start(request.stop);
    options_.bus->publish({.kind = EventKind::group_finished, .job = request.job.key});
    if (!started) return std::move(started).error();
    return std::unique_ptr<step::StepHost>(std::move(host));
  }

 private:
  static Status check(const step::JobContainers& containers) {
    if (containers.container) DRYDOCK_TRY(plan_container("container", ContainerRole::job, *containers.container));
    for (const auto& [id, service] : containers.services) DRYDOCK_TRY(plan_container(id, ContainerRole::service, service));
    return {};
  }

  ContainerOptions options_;
  step::Hosts inner_;
};

}  // namespace

step::Hosts with_containers(ContainerOptions options, step::Hosts inner) {
  const auto factory = std::make_shared<const Factory>(std::move(options), inner);
  step::Hosts hosts;
  for (const auto& [isolation, make] : inner) {
    hosts[isolation] = [factory, isolation = isolation](const step::HostRequest& request) {
      return factory->beside(isolation, request);
    };
  }
  hosts[step::Isolation::container] = [factory](const step::HostRequest& request) { return factory->contained(request); };
  return hosts;
}

}  // namespace drydock::container
