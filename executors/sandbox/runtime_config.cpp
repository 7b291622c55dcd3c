#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cctype>
#include <map>
#include <sstream>

#include <nlohmann/json.hpp>

#include "executors/sandbox/files.h"
#include "executors/sandbox/runtime.h"
#include "executors/sandbox/userns.h"

namespace drydock::sandbox {
namespace {

using nlohmann::json;

constexpr const char* k_capability_names[] = {
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID",
    "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE"};

// A runtime fails when told to pass on what we do not have ourselves.
std::vector<std::string> those_we_have(const std::vector<std::string>& wanted, std::uint64_t mask) {
  std::vector<std::string> kept;
  for (const auto& name : wanted) {
    const auto* found = std::find(std::begin(k_capability_names), std::end(k_capability_names), name);
    const auto bit = static_cast<unsigned>(found - std::begin(k_capability_names));
    if (found == std::end(k_capability_names) || (mask >> bit & 1u)) kept.push_back(name);
  }
  return kept;
}

std::vector<std::string> seccomp_architectures() {
  utsname machine{};
  uname(&machine);
  static const std::map<std::string, std::vector<std::string>> table = {
      {"x86_64", {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"}},
      {"i686", {"SCMP_ARCH_X86"}},
      {"aarch64", {"SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"}},
      {"armv7l", {"SCMP_ARCH_ARM"}},
      {"ppc64le", {"SCMP_ARCH_PPC64LE"}},
      {"s390x", {"SCMP_ARCH_S390X", "SCMP_ARCH_S390"}},
      {"riscv64", {"SCMP_ARCH_RISCV64"}},
      {"mips64", {"SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_MIPSEL"}},
      {"loongarch64", {"SCMP_ARCH_LOONGARCH64"}}};
  const auto found = table.find(machine.machine);
  return found == table.end() ? std::vector<std::string>{} : found->second;
}

json mount_entry(const ContainerMount& mount) {
  return {{"type", mount.type},
          {"source", mount.source},
          {"destination", mount.destination},
          {"options", mount.options}};
}

/// A program that fits itself to its limits reads them there, as the JVM does.
bool sees_its_group(const ContainerSpec& spec, const ContainerHost& host) {
  return host.cgroups_writable && (spec.memory > 0 || spec.cpus > 0 || spec.processes > 0 || spec.security == Security::insecure);
}

json standard_mounts(const ContainerSpec& spec, const ContainerHost& host) {
  const bool insecure = spec.security == Security::insecure;
  const std::string sys_access = insecure ? "rw" : "ro";
  std::vector<ContainerMount> mounts = {
      {"proc", "proc", "/proc", {"nosuid", "noexec", "nodev"}},
      {"tmpfs", "tmpfs", "/dev", {"nosuid", "strictatime", "mode=755", "size=65536k"}},
      {"devpts", "devpts", "/dev/pts", {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}},
      {"tmpfs", "shm", "/dev/shm",
       {"nosuid", "noexec", "nodev", "mode=1777", "size=" + std::to_string(spec.shm_size)}},
      {"mqueue", "mqueue", "/dev/mqueue", {"nosuid", "noexec", "nodev"}},
  };
  // A sysfs of its own shows a network namespace, and needs to own it.
  if (host.in_user_namespace) {
    mounts.push_back({"bind", "/sys", "/sys", {"rbind", "nosuid", "noexec", "nodev", sys_access}});
  } else {
    mounts.push_back({"sysfs", "sysfs", "/sys", {"nosuid", "noexec", "nodev", sys_access}});
  }
  if (sees_its_group(spec, host)) {
    mounts.push_back({"cgroup", "cgroup", "/sys/fs/cgroup", {"nosuid", "noexec", "nodev", "relatime", sys_access}});
  }
  auto list = json::array();
  for (const auto& mount : mounts) list.push_back(mount_entry(mount));
  for (const auto& mount : spec.mounts) list.push_back(mount_entry(mount));
  return list;
}

json process_of(const ContainerSpec& spec, const std::vector<std::string>& capabilities) {
  json process = {{"terminal", false},
                  {"args", spec.args},
                  {"env", spec.env},
                  {"cwd", spec.cwd},
                  {"noNewPrivileges", spec.privileges == Privileges::no_new},
                  {"user", {{"uid", spec.user.uid}, {"gid", spec.user.gid}}}};
  if (!spec.user.groups.empty()) process["user"]["additionalGids"] = spec.user.groups;
  for (const auto* set : {"bounding", "effective", "permitted"}) process["capabilities"][set] = capabilities;
  for (const auto& limit : spec.ulimits) {
    process["rlimits"].push_back({{"type", limit.name}, {"soft", limit.soft}, {"hard", limit.hard}});
  }
  return process;
}

void add_device_rule(const ContainerDevice& device, json& rules) {
  struct stat status {};
  if (::stat(device.source.c_str(), &status) != 0) return;
  rules.push_back({{"allow", true},
                   {"type", S_ISBLK(status.st_mode) ? "b" : "c"},
                   {"major", major(status.st_rdev)},
                   {"minor", minor(status.st_rdev)},
                   {"access", device.access}});
}

json linux_of(const ContainerSpec& spec, const ContainerHost& host, const std::vector<std::string>& capabilities) {
  json part;
  for (const auto* kind : {"pid", "ipc", "uts", "mount"}) part["namespaces"].push_back({{"type", kind}});
  if (!spec.network_namespace.empty()) {
    part["namespaces"].push_back({{"type", "network"}, {"path", spec.network_namespace.string()}});
  } else if (spec.network == ContainerNetwork::none) {
    part["namespaces"].push_back({{"type", "network"}});
  }
  if (sees_its_group(spec, host)) part["namespaces"].push_back({{"type", "cgroup"}});
  const bool insecure = spec.security == Security::insecure;
  if (host.cgroups_writable) {
    part["cgroupsPath"] = host.cgroup_parent + "/" + spec.id;
    part["resources"]["devices"] = json::array({{{"allow", insecure}, {"access", "rwm"}}});
    for (const auto& device : spec.devices) add_device_rule(device, part["resources"]["devices"]);
    if (spec.processes > 0) part["resources"]["pids"]["limit"] = spec.processes;
    if (spec.memory > 0) part["resources"]["memory"]["limit"] = spec.memory;
    if (spec.cpus > 0) {
      constexpr int k_period = 100000;  // microseconds, the kernel's own default
      part["resources"]["cpu"] = {{"period", k_period}, {"quota", static_cast<std::int64_t>(spec.cpus * k_period)}};
    }
  }
  for (const auto& [name, value] : spec.sysctl) part["sysctl"][name] = value;
  if (insecure) return part;
  part["maskedPaths"] = {"/proc/acpi",         "/proc/asound",      "/proc/interrupts",
                         "/proc/kcore",        "/proc/keys",        "/proc/latency_stats",
                         "/proc/sched_debug",  "/proc/scsi",        "/proc/timer_list",
                         "/proc/timer_stats",  "/sys/firmware",     "/sys/devices/virtual/powercap"};
  // Of the bound host's /sys, only the top is read-only; control groups lie below it.
  if (host.in_user_namespace) part["maskedPaths"].push_back("/sys/fs/cgroup");
  part["readonlyPaths"] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};
  if (!host.native_architectures.empty() && spec.system_calls == SystemCalls::filtered) part["seccomp"] = standard_seccomp(capabilities, host);
  return part;
}

json bound_devices(const ContainerSpec& spec) {
  auto list = json::array();
  for (const auto& device : spec.devices) list.push_back(mount_entry({"bind", device.source, device.destination, {"bind", "rw"}}));
  return list;
}

/// In most containers control groups are mounted read-only, for root as well.
bool groups_can_be_made() {
  if (access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0) return access("/sys/fs/cgroup", W_OK) == 0;
  for (const auto* controller : {"memory", "cpu", "pids", "devices"}) {
    const auto directory = std::string("/sys/fs/cgroup/") + controller;
    if (access(directory.c_str(), F_OK) == 0) return access(directory.c_str(), W_OK) == 0;
  }
  return false;
}

}  // namespace

std::vector<std::string> all_capabilities() { return {std::begin(k_capability_names), std::end(k_capability_names)}; }

const std::vector<std::string>& standard_capabilities() {
  static const std::vector<std::string> list = {
      "CAP_AUDIT_WRITE", "CAP_CHOWN",   "CAP_DAC_OVERRIDE",     "CAP_FOWNER",  "CAP_FSETID",
      "CAP_KILL",        "CAP_MKNOD",   "CAP_NET_BIND_SERVICE", "CAP_NET_RAW", "CAP_SETFCAP",
      "CAP_SETGID",      "CAP_SETPCAP", "CAP_SETUID",           "CAP_SYS_CHROOT"};
  return list;
}

ContainerHost this_container_host() {
  ContainerHost host;
  host.in_user_namespace = !in_initial_user_namespace();
  // In a user namespace the runtime takes what control groups it is given, and does without otherwise.
  host.cgroups_writable = !host.in_user_namespace && geteuid() == 0 && groups_can_be_made();
  host.cgroup_parent = "/drydock";
  host.native_architectures = seccomp_architectures();
  std::istringstream lines(read_text("/proc/self/status"));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("CapBnd:")) host.capabilities = std::stoull(trimmed(line.substr(7)), nullptr, 16);
  }
  return host;
}

json runtime_config(const ContainerSpec& spec, const ContainerHost& host) {
  const bool insecure = spec.security == Security::insecure;
  const auto wanted = spec.capabilities ? *spec.capabilities : insecure ? all_capabilities() : standard_capabilities();
  auto capabilities = those_we_have(wanted, host.capabilities);
  // What keeps root of the machine from its disks is the control group of devices; without it no node may be made.
  if (!insecure && !host.in_user_namespace && !host.cgroups_writable) std::erase(capabilities, "CAP_MKNOD");
  json config = {{"ociVersion", "1.0.2"},
                 {"process", process_of(spec, capabilities)},
                 {"root", {{"path", spec.rootfs.string()}, {"readonly", spec.root_access == RootAccess::read_only}}},
                 {"mounts", standard_mounts(spec, host)},
                 {"linux", linux_of(spec, host, capabilities)}};
  for (auto& device : bound_devices(spec)) config["mounts"].push_back(std::move(device));
  if (!spec.hostname.empty()) config["hostname"] = spec.hostname;
  return config;
}

Result<Ulimit> parse_ulimit(std::string_view text) {
  static const std::vector<std::string> known = {"as",     "core",       "cpu",   "data",   "fsize",
                                                 "locks",  "memlock",    "msgqueue", "nice", "nofile",
                                                 "nproc",  "rss",        "rtprio", "rttime", "sigpending", "stack"};
  const auto wrong = [&text](const std::string& why) {
    return make_error(ErrorCode::usage, "ulimit \"" + std::string(text) + "\": " + why,
                      "write name=soft[:hard], for example nofile=1024:2048");
  };
  const auto value = [](std::string_view digits, std::uint64_t& number) {
    if (digits == "-1" || digits == "unlimited") {
      number = ~0ull;
      return true;
    }
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return !digits.empty() && error == std::errc() && end == digits.data() + digits.size();
  };
  const auto equals = text.find('=');
  if (equals == std::string_view::npos) return wrong("no \"=\"");
  const std::string name(text.substr(0, equals));
  if (std::find(known.begin(), known.end(), name) == known.end()) return wrong("no such limit");
  const auto numbers = text.substr(equals + 1);
  const auto colon = numbers.find(':');
  Ulimit limit;
  limit.name = "RLIMIT_" + name;
  std::transform(limit.name.begin(), limit.name.end(), limit.name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (!value(numbers.substr(0, colon), limit.soft)) return wrong("not a number");
  limit.hard = limit.soft;
  if (colon != std::string_view::npos && !value(numbers.substr(colon + 1), limit.hard)) return wrong("not a number");
  if (limit.soft > limit.hard) return wrong("the soft limit is above the hard one");
  return limit;
}

}  // namespace drydock::sandbox
