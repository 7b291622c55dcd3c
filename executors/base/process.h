#pragma once
// The one place where processes are started (Boost.Process lies behind it).
// A child leads its own process group and dies with its parent. Blocking; each call may be on its own thread.

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "executors/base/result.h"

namespace drydock {

using Environment = std::map<std::string, std::string>;

/// Names this process among all that run on this machine, for file names and container ids. A pid alone does not:
/// builds run in pid namespaces of their own and are often pid 2 of them, on one and the same store.
std::string process_token();

/// This process's environment as a map.
Environment current_environment();
/// Absolute path of a program in PATH (of `environment` when given), or nothing.
std::optional<std::string> find_program(std::string_view name, const Environment* environment = nullptr);

struct ProcessSpec {
  std::vector<std::string> argv;           // argv[0] is looked up in PATH unless it has a slash
  std::optional<Environment> environment;  // exactly this; the parent's when empty
  std::string directory;                   // the parent's when empty
  std::string input;                       // standard input; /dev/null when empty
  std::function<void(std::string_view)> on_stdout;  // pieces as they come; collected in the result when empty
  std::function<void(std::string_view)> on_stderr;
  std::optional<std::chrono::milliseconds> timeout;
  // On a stop request or timeout: SIGINT, after `interrupt_grace` SIGTERM, after `terminate_grace` SIGKILL,
  // each to the process group (GitHub's runner waits 7500 ms and 2500 ms).
  std::chrono::milliseconds interrupt_grace{7500};
  std::chrono::milliseconds terminate_grace{2500};
};

struct ProcessResult {
  int exit_code = 0;       // 128 + signal when killed by one
  int signal = 0;
  bool timed_out = false;
  bool stopped = false;    // ended because of the stop request
  std::string out, err;    // empty where a callback took the text
};

/// Runs to the end. An Error only when the program could not be started.
Result<ProcessResult> run_process(const ProcessSpec& spec, std::stop_token stop = {});

}  // namespace drydock
