#include "runner/cli/cli.h"

#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <thread>

#include "runner/cli/exit_code.h"

namespace drydock::runner {

namespace {

constexpr const char* k_version = DRYDOCK_VERSION;

std::stop_source& interrupt_source() {
  static std::stop_source source;
  return source;
}

/// Signals are taken by a thread of their own, so that handlers may do anything.
void watch_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGINT);
  ::sigaddset(&set, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::thread([set] {
    for (int count = 0;; ++count) {
      int number = 0;
      if (::sigwait(&set, &number) != 0) return;
      if (count > 0) ::_exit(k_exit_cancelled);
      interrupt_source().request_stop();
    }
  }).detach();
}

/// Commands that are meant to be and are not there yet: refused by name.
void add_refused(CLI::App& app, Chosen& chosen, const char* name, const char* what) {
  auto* command = app.add_subcommand(name, std::string(what) + " (not supported yet)");
  command->allow_extras();
  command->callback([&chosen, name] {
    chosen.run = [name] {
      std::fprintf(stderr, "drydock: error: `drydock %s` is not supported yet\n", name);
      return static_cast<int>(k_exit_usage);
    };
  });
}

/// As people know it from docker: each flag takes one value and may be repeated, the last of a single value counts,
/// and what follows is not swallowed by it.
void take_one_value_each(CLI::App& app) {
  for (auto* option : app.get_options()) {
    if (option->get_positional() || option->get_type_size_max() == 0) continue;
    if (option->get_items_expected_max() > 1) {
      option->allow_extra_args(false);
    } else {
      option->take_last();
    }
  }
  for (auto* command : app.get_subcommands([](CLI::App*) { return true; })) take_one_value_each(*command);
}

}  // namespace

std::stop_token interrupted() { return interrupt_source().get_token(); }

bool read_input(const std::string& path, std::string& text, std::string& why) {
  if (path == "-") {
    text.assign(std::istreambuf_iterator<char>(std::cin), {});
    return true;
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    why = path + " cannot be read";
    return false;
  }
  text.assign(std::istreambuf_iterator<char>(file), {});
  return true;
}

int run_cli(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);
  CLI::App app{"drydock runs GitHub Actions workflows and builds multi-platform images, with no daemon.", "drydock"};
  app.set_version_flag("--version", std::string("drydock ") + k_version);
  app.require_subcommand(1);
  Chosen chosen;
  add_run_command(app, chosen);
  add_plan_command(app, chosen);
  add_build_command(app, chosen);
  add_manifest_commands(app, chosen);
  add_verify_command(app, chosen);
  add_doctor_command(app, chosen);
  add_cache_commands(app, chosen);
  add_eval_command(app, chosen);
  add_debug_commands(app, chosen);
  add_engine_command(app, chosen);
  add_lint_command(app, chosen);
  add_history_command(app, chosen);
  add_logs_command(app, chosen);
  add_refused(app, chosen, "workers", "remote native workers");
  add_refused(app, chosen, "worker", "serve as a remote native worker");
  take_one_value_each(app);
  if (argc > 1 && argv[1][0] != '-' && app.get_subcommands([&](CLI::App* command) { return command->check_name(argv[1]); }).empty()) {
    std::fprintf(stderr, "drydock: error: there is no command \"%s\"\n  mend: see drydock --help\n", argv[1]);
    return k_exit_usage;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    const int status = app.exit(e);
    return status == 0 ? static_cast<int>(k_exit_ok) : static_cast<int>(k_exit_usage);
  }
  watch_signals();
  return chosen.run ? chosen.run() : static_cast<int>(k_exit_usage);
}

}  // namespace drydock::runner
