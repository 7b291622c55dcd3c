#include "runner/cli/action_services.h"

#include "executors/action_store/action_store.h"
#include "executors/actions/register.h"
#include "executors/oci/store.h"
#include "executors/sandbox/emulation.h"
#include "runner/cli/called_workflows.h"

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

namespace {

std::string store_of(const Config& config) { return config.store.empty() ? oci::default_store_root() : config.store; }

}  // namespace

Result<std::unique_ptr<step::ActionSource>> make_action_store(const WorkflowArguments& arguments, const Config& config) {
  action_store::ActionStoreOptions options;
  options.root = store_of(config) + "/actions";
  options.server = {config.actions_server, config.actions_api};
  options.offline = arguments.offline;
  for (const auto& text : arguments.action_sources) {
    DRYDOCK_ASSIGN(const auto source, parse_repository_source(text));
    options.sources.push_back({source.repository, source.ref, source.path});
  }
  return std::unique_ptr<step::ActionSource>(std::make_unique<action_store::ActionStore>(std::move(options), make_curl_client()));
}

std::vector<std::string> unused_sources(const WorkflowArguments& arguments, const step::NativeActions& actions) {
  std::vector<std::string> out;
  for (const auto& text : arguments.action_sources) {
    const auto name = text.substr(0, text.find_first_of("@="));
    if (arguments.real_actions || !actions.find({.repository = name})) continue;
    out.push_back("--action-source " + name + " is not used: it has a native form. --real-actions runs originals");
  }
  return out;
}

step::NodeSettings node_settings(const Config& config) {
  return {.program = config.node, .externals = store_of(config) + "/externals"};
}

}  // namespace drydock::runner
