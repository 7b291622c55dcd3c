#include <CLI/CLI.hpp>

#include <cstdio>

#include "executors/base/json.h"
#include "executors/oci/store.h"
#include "executors/sandbox/doctor.h"
#include "runner/cli/cli.h"
#include "runner/cli/exit_code.h"
#include "runner/config/config.h"

namespace drydock::runner {

namespace {

struct DoctorArguments {
  std::vector<std::string> platforms;
  bool json = false;
};

int doctor(const DoctorArguments& arguments) {
  const auto config = load_config({});
  if (!config.ok()) return report(config.error());
  sandbox::DoctorOptions options;
  options.state_dir = config->store.empty() ? oci::default_store_root() : config->store;
  for (const auto& text : arguments.platforms) {
    const auto platforms = parse_platforms(text);
    if (!platforms.ok()) return report(platforms.error());
    options.platforms.insert(options.platforms.end(), platforms->begin(), platforms->end());
  }
  const auto checks = sandbox::examine_machine(options);
  bool failed = false;
  for (const auto& check : checks) failed = failed || check.state == sandbox::CheckState::failure;
  if (arguments.json) {
    std::printf("%s\n", dump_json(sandbox::to_json(checks), 2).c_str());
    return failed ? k_exit_environment : k_exit_ok;
  }
  for (const auto& check : checks) {
    const char* mark = check.state == sandbox::CheckState::ok ? "ok  " : check.state == sandbox::CheckState::warning ? "warn" : "FAIL";
    std::printf("%s  %-28s %s\n", mark, check.title.c_str(), check.detail.c_str());
    if (!check.mend.empty()) std::printf("      mend: %s\n", check.mend.c_str());
  }
  return failed ? k_exit_environment : k_exit_ok;
}

}  // namespace

void add_doctor_command(CLI::App& app, Chosen& chosen) {
  auto arguments = std::make_shared<DoctorArguments>();
  auto* command = app.add_subcommand("doctor", "try what this machine can build");
  command->add_option("--platform", arguments->platforms, "platforms that must work");
  command->add_flag("--json", arguments->json, "as JSON");
  command->callback([arguments, &chosen] { chosen.run = [arguments] { return doctor(*arguments); }; });
}

}  // namespace drydock::runner
