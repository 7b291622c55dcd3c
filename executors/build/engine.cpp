#include "executors/build/engine.h"

#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include <nlohmann/json.hpp>

#include "executors/base/fs.h"
#include "executors/build/remote_file.h"
#include "executors/sandbox/userns.h"

namespace drydock::build {

namespace {

constexpr int k_options_schema = 1;

unsigned default_parallel() { return std::max(2U, std::thread::hardware_concurrency()); }

}  // namespace

nlohmann::json to_json(const EngineOptions& o) {
  return {{"schema", k_options_schema},
          {"store_root", o.store_root},
          {"mirrors", o.mirrors},
          {"plain_http", o.plain_http},
          {"host_trust", o.host_trust == HostTrust::visible},
          {"host_registration", o.host_registration == sandbox::HostRegistration::allowed},
          {"send_again", o.present_manifests == PresentManifests::sent_again},
          {"offline", o.offline},
          {"parallel_runs", o.parallel_runs}};
}

Result<EngineOptions> engine_options_from_json(const nlohmann::json& json) {
  try {
    if (json.at("schema").get<int>() != k_options_schema) {
      return make_error(ErrorCode::unsupported, "engine options of an unknown schema " + json.at("schema").dump());
    }
    EngineOptions o;
    o.store_root = json.at("store_root");
    json.at("mirrors").get_to(o.mirrors);
    json.at("plain_http").get_to(o.plain_http);
    o.host_trust = json.at("host_trust").get<bool>() ? HostTrust::visible : HostTrust::hidden;
    o.host_registration = json.at("host_registration").get<bool>() ? sandbox::HostRegistration::allowed
                                                                    : sandbox::HostRegistration::forbidden;
    if (json.at("send_again").get<bool>()) o.present_manifests = PresentManifests::sent_again;
    o.offline = json.at("offline");
    o.parallel_runs = json.at("parallel_runs");
    return o;
  } catch (const nlohmann::json::exception& e) {
    return make_error(ErrorCode::invalid_input, std::string("engine options: ") + e.what());
  }
}

std::shared_ptr<oci::Registry> make_registry(std::shared_ptr<HttpClient> http, const EngineOptions& options,
                                             const std::string& docker_config_dir, Bus* bus) {
  oci::RegistryOptions settings;
  settings.mirrors = options.mirrors;
  settings.plain_http = {options.plain_http.begin(), options.plain_http.end()};
  settings.credentials_directory = docker_config_dir;
  if (bus) {
    settings.on_retry = [bus](const std::string& what, int attempt, const std::string& why) {
      bus->warning(what + ": " + why + "; attempt " + std::to_string(attempt));
    };
  }
  return std::make_shared<oci::Registry>(std::move(http), std::move(settings));
}

void Slots::take() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return free_ > 0; });
  --free_;
}

void Slots::give() {
  {
    const std::lock_guard lock(mutex_);
    ++free_;
  }
  changed_.notify_one();
}

Engine::Engine(const BuildRequest& the_request, const EngineOptions& the_options, Bus& bus, std::stop_source& stop_source)
    : request(the_request),
      options(the_options),
      stop(stop_source),
      scope{&bus, the_request.job, the_request.step},
      run_slots(the_options.parallel_runs ? the_options.parallel_runs : default_parallel()) {}

Engine::~Engine() {
  if (work_directory.empty()) return;
  if (auto removed = remove_tree(work_directory); !removed.ok()) {
    scope.bus->warning("left behind: " + removed.error().to_string());
  }
}

Status Engine::open() {
  oci::StoreOptions store_options;
  store_options.root = options.store_root;
  DRYDOCK_ASSIGN(store, oci::Store::open(store_options));
  DRYDOCK_ASSIGN(auto opened, oci::SnapshotStore::open(*store));
  snapshots.emplace(std::move(opened));
  records.emplace(*store, &*snapshots);
  hashes.emplace(*store);
  http = make_curl_client();
  registry = make_registry(http, options, request.docker_config_dir, scope.bus);
  return {};
}

Result<std::string> Engine::new_directory(const char* prefix) {
  const std::lock_guard lock(mutex_);
  if (work_directory.empty()) {
    DRYDOCK_ASSIGN(const auto all, store->directory("work"));
    DRYDOCK_ASSIGN(auto directory, TempDir::create(all, "build-" + std::to_string(::getpid()) + "-"));
    work_directory = directory.keep();
    // The mounts of containers are below: whoever the container's user is, it must be able to pass.
    std::filesystem::permissions(work_directory, std::filesystem::perms(0711));
  }
  const auto path = work_directory + "/" + prefix + std::to_string(next_id++);
  DRYDOCK_TRY(make_directories(path));
  return path;
}

Result<std::string> Engine::empty_directory() {
  {
    const std::lock_guard lock(mutex_);
    if (!empty_directory_.empty()) return empty_directory_;
  }
  DRYDOCK_ASSIGN(const auto made, new_directory("empty"));
  const std::lock_guard lock(mutex_);
  if (empty_directory_.empty()) empty_directory_ = made;
  return empty_directory_;
}

Status Engine::want_execution() {
  if (may_execute) return {};
  needs_execution = true;
  stop.request_stop();
  return make_error(ErrorCode::cancelled, "something has to be executed");
}

Result<const sandbox::Runtime*> Engine::runtime() {
  const std::lock_guard lock(mutex_);
  if (!runtime_) {
    DRYDOCK_ASSIGN(const auto state, store->directory("runtime"));
    DRYDOCK_ASSIGN(auto found, sandbox::Runtime::find(state, journal));
    runtime_.emplace(std::move(found));
  }
  return &*runtime_;
}

Execution Engine::execution(const Platform& platform) const {
  return runs_natively(platform, host) ? Execution::native : Execution::emulated;
}

sandbox::EmulationPlan Engine::emulation(const Platform& platform) {
  const std::lock_guard lock(mutex_);
  const auto found = platforms_.find(platform.to_string());
  return found == platforms_.end() ? sandbox::EmulationPlan{} : found->second;
}

Status Engine::check_platform(const Platform& platform) {
  const std::lock_guard lock(mutex_);
  if (platforms_.contains(platform.to_string())) return {};
  sandbox::EmulationPlan plan;
  if (emulators) {
    const auto& plans = emulators->plans;
    const auto found = std::find_if(plans.begin(), plans.end(), [&](const auto& p) { return p.platform == platform; });
    plan = found == plans.end() ? sandbox::plan_emulation(platform) : *found;
  } else {
    plan = sandbox::plan_emulation(platform, options.host_registration);
  }
  if (plan.way == sandbox::EmulationWay::refused) {
    return make_error(ErrorCode::environment, "this machine cannot run " + platform.to_string() + ": " + plan.why,
                      plan.mend);
  }
  const auto probe = sandbox::probe_platform(platform);
  if (!probe.runs() && probe.outcome != sandbox::ProbeOutcome::unknown_architecture) {
    return make_error(ErrorCode::environment,
                      "a test program for " + platform.to_string() + " does not run here (" +
                          std::string(name_of(probe.outcome)) + "): " + probe.detail,
                      plan.mend.empty() ? "run `drydock doctor` to see what this machine can build" : plan.mend);
  }
  if (plan.emulated() && plan.qemu) {
    scope.bus->notice(platform.to_string() + " runs under QEMU " + plan.qemu->version + " (" + plan.why + ")" +
                      (plan.qemu->warning.empty() ? "" : "; " + plan.qemu->warning));
  }
  platforms_.emplace(platform.to_string(), std::move(plan));
  return {};
}

}  // namespace drydock::build
