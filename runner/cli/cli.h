#pragma once
// The command line: parses arguments, calls the rooms below, prints, chooses the exit status. No work of its own.

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace drydock::runner {

/// main() of the program.
int run_cli(int argc, char** argv);

/// A command adds itself to the parser; the function it leaves in `run` is called when it was chosen.
struct Chosen {
  std::function<int()> run;
};

void add_run_command(CLI::App& app, Chosen& chosen);
void add_plan_command(CLI::App& app, Chosen& chosen);
void add_build_command(CLI::App& app, Chosen& chosen);
void add_manifest_commands(CLI::App& app, Chosen& chosen);
void add_verify_command(CLI::App& app, Chosen& chosen);
void add_doctor_command(CLI::App& app, Chosen& chosen);
void add_cache_commands(CLI::App& app, Chosen& chosen);
void add_eval_command(CLI::App& app, Chosen& chosen);
void add_debug_commands(CLI::App& app, Chosen& chosen);
void add_engine_command(CLI::App& app, Chosen& chosen);
void add_lint_command(CLI::App& app, Chosen& chosen);
void add_history_command(CLI::App& app, Chosen& chosen);
void add_logs_command(CLI::App& app, Chosen& chosen);

/// Requested by the first SIGINT or SIGTERM; a second one ends the program at once.
std::stop_token interrupted();

/// "-" is standard input.
bool read_input(const std::string& path, std::string& text, std::string& why);

}  // namespace drydock::runner
