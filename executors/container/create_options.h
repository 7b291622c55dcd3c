#pragma once
// `options:` of a container: the flags of `docker create` that jobs use, as values. What has no meaning here is
// refused by name; nothing is skipped in silence. Pure.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "executors/base/platform.h"
#include "executors/base/result.h"
#include "executors/container/volume.h"
#include "executors/sandbox/runtime.h"

namespace drydock::container {

/// What is given here goes before the image's own HEALTHCHECK.
struct HealthOptions {
  std::optional<std::string> command;  // for a shell
  std::optional<std::chrono::milliseconds> interval, timeout, start_period, start_interval;
  std::optional<int> retries;
  bool none = false;  // --no-healthcheck
};

struct TmpfsOption {
  std::string path;
  std::vector<std::string> options;  // "size=64m", "noexec"
};

struct CreateOptions {
  HealthOptions health;
  std::string name, hostname;
  std::vector<std::string> aliases;  // --network-alias
  std::optional<std::string> user, directory, entrypoint;
  std::vector<std::pair<std::string, std::string>> env, labels;
  std::vector<std::string> unset_env;  // "-e NAME": the runner's own value
  std::vector<std::string> volumes, ports;
  std::vector<Volume> mounts;  // --mount
  std::vector<std::pair<std::string, std::string>> add_hosts;  // name, address
  std::vector<std::string> dns, dns_search;
  std::vector<TmpfsOption> tmpfs;
  std::vector<sandbox::Ulimit> ulimits;
  std::vector<std::string> cap_add, cap_drop;  // "CAP_NET_ADMIN", "ALL"
  std::optional<Platform> platform;
  std::vector<std::string> groups;         // --group-add
  std::vector<sandbox::ContainerDevice> devices;
  std::vector<std::pair<std::string, std::string>> sysctl;
  std::uint64_t memory = 0, shm_size = 0;  // bytes; 0: not given
  std::int64_t processes = 0;              // --pids-limit; 0: none
  double cpus = 0;
  bool privileged = false, read_only = false, unfiltered = false, no_new_privileges = false;

  bool has_limits() const { return memory > 0 || cpus > 0 || processes > 0; }
};

enum class ContainerRole { job, service, action };

/// `text` is split as the runner splits it: blanks, double quotes, backslashes. Errors: unsupported for a flag that is
/// not performed, invalid_input for a value that cannot be read; both name the flag.
Result<CreateOptions> parse_create_options(std::string_view text, ContainerRole role);

/// Those of the capabilities that reach past a container of the machine's root: with them it may mount, load modules,
/// set the clock and the like.
std::vector<std::string> reaching_out(const std::vector<std::string>& capabilities);

/// The standard set with these changes.
std::vector<std::string> capabilities_with(const std::vector<std::string>& add, const std::vector<std::string>& drop);

/// "64m", "2g", "1024": bytes.
std::optional<std::uint64_t> parse_size(std::string_view text);
/// "1m30s", "500ms", "10s", as Go writes durations.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

}  // namespace drydock::container
