#include "runner/cli/action_services.h"

#include "executors/actions/register.h"
#include "executors/sandbox/emulation.h"

namespace drydock::runner {

std::vector<Platform> emulated_platforms() {
  std::vector<Platform> platforms;
  for (const auto* text : {"linux/amd64", "linux/arm64", "linux/arm/v7", "linux/386", "linux/riscv64", "linux/ppc64le",
                           "linux/s390x"}) {
    const auto platform = parse_platform(text);
    if (!platform.ok() || runs_natively(*platform, host_platform())) continue;
    if (sandbox::qemu_program(platform->architecture).ok()) platforms.push_back(*platform);
  }
  return platforms;
}

namespace {

Result<std::vector<actions::RunnablePlatform>> runnable_platforms() {
  std::vector<actions::RunnablePlatform> found{{host_platform(), Execution::native, {}}};
  // Versions are told where something is emulated: asking each emulator takes longer than a build from the cache.
  for (const auto& platform : emulated_platforms()) found.push_back({platform, Execution::emulated, "QEMU"});
  return found;
}

}  // namespace

void register_actions(step::NativeActions& table, const PreparedWorkflows&, const build::EngineOptions& options) {
  actions::ActionServices services;
  services.platforms = runnable_platforms;
  services.verify_login = [options](const actions::LoginRequest& login, std::stop_token stop) {
    return build::make_registry(make_curl_client(), options, {}, nullptr)
        ->verify_login(login.registry, login.username, login.password, stop);
  };
  actions::register_native_actions(table, services);
}

}  // namespace drydock::runner
