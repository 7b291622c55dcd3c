#include "runner/build/build_machine.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "executors/build/engine_channel.h"
#include "executors/sandbox/emulation.h"
#include "executors/sandbox/userns.h"
#include "runner/build/publish.h"

namespace drydock::runner {

namespace {

/// A pipe whose ends close themselves.
struct Pipe {
  int read_end = -1, write_end = -1;
  Status open() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return errno_error("pipe", errno);
    read_end = ends[0];
    write_end = ends[1];
    return {};
  }
  ~Pipe() {
    close_read();
    close_write();
  }
  void close_read() {
    if (read_end >= 0) ::close(std::exchange(read_end, -1));
  }
  void close_write() {
    if (write_end >= 0) ::close(std::exchange(write_end, -1));
  }
};

/// Standard output of the engine's process carries its messages; an archive for ours goes through a descriptor more.
constexpr int k_output_fd = 3;

Result<build::EngineResult> run_in_namespace(build::EngineCall call, Bus& bus, std::stop_token stop) {
  for (auto& output : call.request.outputs) {
    const auto dest = output.attributes.find("dest");
    if (dest != output.attributes.end() && dest->second == "-") dest->second = "fd:" + std::to_string(k_output_fd);
  }
  Pipe in, out;
  DRYDOCK_TRY(in.open());
  DRYDOCK_TRY(out.open());
  std::error_code failed;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", failed);
  if (failed) return errno_error("/proc/self/exe", failed.value());
  sandbox::UserNamespaceOptions options;
  options.descriptors = {{in.read_end, 0}, {out.write_end, 1}, {STDERR_FILENO, 2}, {STDOUT_FILENO, k_output_fd}};
  DRYDOCK_ASSIGN(auto process, sandbox::spawn_in_user_namespace({self.string(), "engine", "--stdio"}, options));
  in.close_read();
  out.close_write();
  const int to_engine = std::exchange(in.write_end, -1);  // call_engine closes it
  auto answer = build::call_engine(call, to_engine, out.read_end, bus, stop);
  if (auto ended = process.wait(); !ended.ok() && answer.ok()) return std::move(ended).error();
  return answer;
}

}  // namespace

build::EngineOptions engine_options(const Config& config) {
  build::EngineOptions options;
  options.store_root = config.store;
  for (const auto& [host, settings] : config.registries) {
    if (!settings.mirrors.empty()) options.mirrors[host] = settings.mirrors;
    if (settings.plain_http) options.plain_http.push_back(host);
  }
  options.host_trust = config.host_trust ? build::HostTrust::visible : build::HostTrust::hidden;
  options.host_registration = config.host_registration ? sandbox::HostRegistration::allowed
                                                        : sandbox::HostRegistration::forbidden;
  options.parallel_runs = config.parallel;
  return options;
}

build::EngineSetting choose_setting(const std::vector<Platform>& platforms, const build::EngineOptions& options) {
  if (::geteuid() != 0) return build::EngineSetting::own_namespace;
  const auto host = host_platform();
  const auto entries = sandbox::read_binfmt_entries();
  for (const auto& platform : platforms) {
    if (platform.os != "linux" || runs_natively(platform, host)) continue;
    const auto entry = sandbox::entry_for(entries, platform.architecture);
    if (entry && entry->flags.find('F') != std::string::npos) continue;
    const auto plan = sandbox::plan_emulation(platform, options.host_registration);
    if (plan.way == sandbox::EmulationWay::own_namespace) return build::EngineSetting::own_namespace;
  }
  return build::EngineSetting::machine;
}

/// A namespace takes longer to make than a cached build takes altogether, so the caches are asked first. Events are
/// held back until it is known that this was the build and not only a look.
std::optional<Result<build::EngineResult>> BuildMachine::served_from_cache(const build::BuildRequest& request,
                                                                           const build::EngineOptions& options,
                                                                           Bus& bus, std::stop_token stop) const {
  std::vector<Event> events;
  Bus quiet(bus.shared_masker());
  quiet.listen([&events](const Event& event) { events.push_back(event); });
  auto answer = build::run_engine(request, options, build::EngineSetting::machine, quiet, stop,
                                  build::ExecutionPolicy::forbidden);
  if (answer.ok() && answer->needs_execution) return std::nullopt;
  // An error may be of the look's making (a snapshot only the namespace can read): the real build has the last word.
  if (!answer.ok() && answer.error().code != ErrorCode::invalid_source) return std::nullopt;
  for (auto& event : events) bus.publish(std::move(event));
  return answer;
}

Result<build::EngineResult> BuildMachine::run(const build::BuildRequest& request, const build::EngineOptions& options,
                                              Bus& bus, std::stop_token stop) const {
  const bool foreign = std::any_of(request.platforms.begin(), request.platforms.end(),
                                   [](const Platform& platform) { return !runs_natively(platform, host_platform()); });
  if (foreign || ::geteuid() != 0) {
    if (auto served = served_from_cache(request, options, bus, stop)) return std::move(*served);
  }
  const auto setting = choose_setting(request.platforms, options);
  if (setting == build::EngineSetting::machine) return build::run_engine(request, options, setting, bus, stop);
  return run_in_namespace({request, options}, bus, stop);
}

Result<build::BuildResult> BuildMachine::build(const build::BuildRequest& given, Bus& bus, std::stop_token stop) {
  auto request = given;
  if (request.platforms.empty()) request.platforms = {host_platform()};
  for (const auto& secret : request.secrets) bus.masker().add(secret.value);
  auto options = options_;
  DRYDOCK_ASSIGN(auto engine_result, run(request, options, bus, stop));
  if (request.check_only) return build::BuildResult{};
  auto published = publish(request, options, std::move(engine_result), bus, stop);
  if (!published.ok() && published.error().code == ErrorCode::not_found) {
    // A clean-up took something away that a manifest in the registry still names.
    bus.warning(published.error().message + ": everything is sent again");
    options.present_manifests = build::PresentManifests::sent_again;
    DRYDOCK_ASSIGN(auto again, run(request, options, bus, stop));
    published = publish(request, options, std::move(again), bus, stop);
  }
  DRYDOCK_ASSIGN(auto result, std::move(published));
  const std::lock_guard lock(mutex_);
  finished_.push_back(result);
  return result;
}

std::vector<build::BuildResult> BuildMachine::finished() const {
  const std::lock_guard lock(mutex_);
  return finished_;
}

}  // namespace drydock::runner
