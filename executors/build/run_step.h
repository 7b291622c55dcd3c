#pragma once
// Executes one RUN in a mounted root file system: mounts, secrets, generated /etc files, the host's trust when the
// operator allows it, an emulator's crash told apart and retried once. What is put in only for the run (mount
// points, /etc/hosts) is taken out again, so that the layer holds what the command did and nothing else.

#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "executors/build/engine.h"
#include "parser/dockerfile/instructions.h"

namespace drydock::build {

/// A `--mount=type=bind` or cache, with its source directory ready.
struct ReadyMount {
  parser::dockerfile::Mount mount;
  std::string source;  // host path; for secret the file, for tmpfs empty
};

struct RunJob {
  std::filesystem::path root;
  Platform platform;
  std::vector<std::string> arguments;
  std::optional<parser::dockerfile::InlineFile> script;
  std::string script_path;
  std::vector<std::string> env;         // NAME=value, as the key has them
  std::vector<std::string> hidden_env;  // proxies: in no key, no history
  std::string directory = "/";
  std::string user;
  std::vector<ReadyMount> mounts;
  parser::dockerfile::NetworkMode network = parser::dockerfile::NetworkMode::default_;
  parser::dockerfile::SecurityMode security = parser::dockerfile::SecurityMode::sandbox;
};

/// How a command that could be started ended.
struct RunOutcome {
  bool succeeded = true;
  bool emulator_crashed = false;  // worth another try, in a fresh copy of the root
  Error error;                    // code failed, with the exit code; when it did not succeed
};

/// An Error (of the Result) when the command could not be started or was stopped.
Result<RunOutcome> execute_run(Engine& engine, const RunJob& job, Vertex& vertex, std::stop_token stop);

/// Environment variables and mount that show the host's CA bundle inside; empty without HostTrust::visible.
struct HostTrustView {
  std::vector<std::string> env;
  std::string bundle;  // host path; empty when there is none
};
inline constexpr const char* k_trust_path = "/dev/.drydock-host-ca.crt";
HostTrustView host_trust_view(const EngineOptions& options);

}  // namespace drydock::build
