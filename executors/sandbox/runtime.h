#pragma once
// Runs one process in a container through an OCI runtime (runc or crun): spec, start, output, stop, clean-up.
// The root file system, its mounts' sources and files such as /etc/hosts are the caller's. Works as root and as
// uid 0 of a user namespace. Thread-safe; run_container blocks for as long as the container runs.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "executors/base/result.h"
#include "executors/sandbox/journal.h"

namespace drydock::sandbox {

enum class ContainerNetwork { host, none };
enum class Security { standard, insecure };  // insecure: all capabilities, no seccomp, nothing masked
enum class SystemCalls { filtered, unfiltered };
enum class RootAccess { read_write, read_only };
enum class Privileges { may_gain, no_new };
/// Process 1: the program itself, or a tiny init of ours above it. Emulated containers need ours: under QEMU a crash
/// of process 1 would hang.
enum class ContainerInit { program, ours };

struct UserIds {
  std::uint32_t uid = 0, gid = 0;
  std::vector<std::uint32_t> groups;  // supplementary
  std::string home = "/";            // of /etc/passwd; "/" when unknown
  std::string name;                  // when it is in /etc/passwd
};

struct ContainerMount {
  std::string type;         // bind, tmpfs, proc, sysfs, …
  std::string source;       // absolute for bind
  std::string destination;  // inside; made in the root file system when missing, as runtimes do
  std::vector<std::string> options;  // "ro", "rbind", "nosuid", "size=…", "mode=…"
};

struct Ulimit {
  std::string name;  // "nofile" or "RLIMIT_NOFILE"
  std::uint64_t soft = 0, hard = 0;
};
/// "nofile=1024:2048", as docker build takes it.
Result<Ulimit> parse_ulimit(std::string_view text);

struct ContainerDevice {
  std::string source, destination;
  std::string access = "rwm";  // of the control group: r, w, m
};

struct ContainerSpec {
  std::string id;                   // unique; letters, digits, '-', '_', '.'
  std::filesystem::path rootfs;     // a mounted directory
  std::vector<std::string> args;
  std::vector<std::string> env;     // "NAME=value", complete
  std::string cwd = "/";
  UserIds user;
  std::vector<ContainerMount> mounts;  // after the standard ones, in this order
  ContainerNetwork network = ContainerNetwork::host;
  std::filesystem::path network_namespace;  // to join, instead of `network`
  Security security = Security::standard;
  SystemCalls system_calls = SystemCalls::filtered;
  RootAccess root_access = RootAccess::read_write;
  Privileges privileges = Privileges::may_gain;
  ContainerInit init = ContainerInit::program;
  std::string hostname;             // needs a uts namespace of its own; the host's name when empty
  std::uint64_t shm_size = 64ull << 20;
  std::vector<Ulimit> ulimits;
  std::optional<std::vector<std::string>> capabilities;  // "CAP_CHOWN"…; the standard set when empty
  std::int64_t memory = 0;    // bytes; 0: no limit. Limits need control groups, see ContainerHost
  double cpus = 0;            // cores' worth of time; 0: no limit
  std::int64_t processes = 0; // at most; 0: no limit
  std::vector<ContainerDevice> devices;  // of the host, open inside to whom they are here
  std::map<std::string, std::string> sysctl;  // of the container's namespaces: "net.core.somaxconn"
};

/// Where the container will run; decides on sysfs, devices and cgroups.
struct ContainerHost {
  bool in_user_namespace = false;
  bool cgroups_writable = true;
  std::string cgroup_parent;  // "/drydock"; with cgroups_writable
  std::vector<std::string> native_architectures;  // seccomp names, SCMP_ARCH_X86_64 first
  std::uint64_t capabilities = ~0ull;             // those we may pass on, a bit for each
};
ContainerHost this_container_host();

/// config.json, a pure function.
nlohmann::json runtime_config(const ContainerSpec& spec, const ContainerHost& host);

/// Every capability that Linux knows.
std::vector<std::string> all_capabilities();
/// The capability set containers get by default.
const std::vector<std::string>& standard_capabilities();
/// "linux.seccomp" of a container with these capabilities.
nlohmann::json standard_seccomp(const std::vector<std::string>& capabilities, const ContainerHost& host);

struct ContainerIo {
  int stdin_fd = -1;                                // /dev/null when -1
  std::function<void(std::string_view)> on_stdout;  // called on the calling thread; dropped when empty
  std::function<void(std::string_view)> on_stderr;
  std::vector<int> more;                            // handed over as 3, 4, …; stay the caller's
};

struct ContainerResult {
  int exit_code = 0;        // 128 + signal when killed by one
  int signal = 0;
  bool stopped = false;     // because of the stop request
  bool out_of_memory = false;
  std::string stderr_tail;  // last 4 KiB, for classify_failure
};

/// A runtime that works here: chosen by trying once and remembered in the state directory.
class Runtime {
 public:
  /// Prefers runc; crun where runc is missing or fails. Error environment, with each one's own words, when none
  /// works. `state_dir` holds the runtime's state, bundles and the remembered choice.
  static Result<Runtime> find(const std::filesystem::path& state_dir, std::shared_ptr<Journal> journal = nullptr);

  /// Runs to the end. An Error only when the container could not be started (failed: the program is missing or not
  /// executable, in the runtime's words; environment: the runtime itself) or, code cancelled, was stopped before.
  /// A stop request kills the container. Nothing of it is left afterwards.
  Result<ContainerResult> run(const ContainerSpec& spec, const ContainerIo& io, std::stop_token stop = {}) const;

  const std::string& name() const { return name_; }
  const std::filesystem::path& path() const { return path_; }
  const std::string& version() const { return version_; }
  /// Whether ContainerSpec::memory and cpus have an effect.
  bool limits_work() const { return host_.cgroups_writable; }

 private:
  friend class RuntimeFinder;
  std::string name_, version_;
  std::filesystem::path path_, state_dir_;
  std::shared_ptr<Journal> journal_;
  ContainerHost host_;
};

/// "", "user", "uid", "user:group", "uid:gid": looked up in the rootfs's own /etc/passwd and /etc/group, with links
/// resolved inside it (openat2). A number needs no entry. Error not_found names the user or group.
Result<UserIds> resolve_user(const std::filesystem::path& rootfs, std::string_view user);

}  // namespace drydock::sandbox
