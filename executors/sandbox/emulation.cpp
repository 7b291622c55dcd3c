#include "executors/sandbox/emulation.h"

#include <linux/memfd.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "executors/sandbox/files.h"
#include "executors/sandbox/supervisor.h"
#include "executors/sandbox/userns.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

namespace drydock::sandbox {
namespace {

constexpr const char* k_binfmt = "/proc/sys/fs/binfmt_misc";

EmulationPlan refused(EmulationPlan plan, std::string why, std::string mend) {
  plan.way = EmulationWay::refused;
  plan.why = std::move(why);
  plan.mend = std::move(mend);
  return plan;
}

std::string with_version(const std::optional<Qemu>& qemu) {
  return qemu ? "QEMU " + qemu->version : std::string("an emulator");
}

}  // namespace

std::string_view name_of(EmulationWay way) {
  switch (way) {
    case EmulationWay::native: return "native";
    case EmulationWay::host_registration: return "host_registration";
    case EmulationWay::own_namespace: return "own_namespace";
    case EmulationWay::register_on_host: return "register_on_host";
    case EmulationWay::refused: return "refused";
  }
  return "refused";
}

// Between clone and exit the child makes system calls only: another thread may hold a lock.
bool private_binfmt_works() {
  const long pid = syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0);
  if (pid == 0) {
    const bool works = mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                       mount("binfmt_misc", k_binfmt, "binfmt_misc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) == 0;
    _exit(works ? 0 : 1);
  }
  int status = 0;
  if (pid < 0) return false;
  while (waitpid(static_cast<pid_t>(pid), &status, 0) < 0) {
    if (errno != EINTR) return false;
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

EmulationPlan decide_emulation(const Platform& platform, const EmulationFacts& facts) {
  EmulationPlan plan;
  plan.platform = platform;
  const auto name = platform.to_string();
  if (platform.os != "linux") {
    return refused(plan, name + ": only linux platforms can be built here", "use a worker of that system");
  }
  const auto entry = entry_for(facts.entries, platform.architecture);
  const bool same = platform.architecture == facts.host.architecture || runs_natively(platform, facts.host);
  // A registration may be out of sight (a fresh /proc does not show the host's), so running alone proves nothing,
  // except for what a CPU can have beside its own instructions.
  const bool second_set = platform.architecture == "arm" && facts.host.architecture == "arm64";
  if (same || (second_set && facts.native_runs && !entry)) {
    plan.way = EmulationWay::native;
    plan.why = name + " runs natively";
    return plan;
  }
  if (!binfmt_pattern(platform.architecture)) {
    return refused(plan, "QEMU cannot run programs for " + name, "use a worker of that architecture");
  }
  plan.qemu = facts.qemu;
  // F keeps the interpreter open from the registration on; without it each container would need a copy.
  if (entry && facts.native_runs && entry->flags.find('F') != std::string::npos) {
    plan.way = EmulationWay::host_registration;
    plan.why = name + " runs through the registration " + entry->name + " (" + entry->interpreter + ")";
    return plan;
  }
  const bool can_register = facts.qemu && facts.user_namespace && facts.private_binfmt;
  if (facts.native_runs && !entry && !can_register) {
    plan.way = EmulationWay::host_registration;
    plan.why = name + " runs through a registration that cannot be seen from here";
    return plan;
  }
  if (!facts.qemu) return refused(plan, name + " cannot run here: no static QEMU for it", facts.qemu_mend);
  if (can_register) {
    plan.way = EmulationWay::own_namespace;
    plan.why = name + " runs under " + with_version(facts.qemu) + ", registered in a namespace of its own";
    return plan;
  }
  if (facts.root && facts.may_register_on_host) {
    plan.way = EmulationWay::register_on_host;
    plan.why = name + " runs under " + with_version(facts.qemu) + ", to be registered on this machine";
    return plan;
  }
  std::string why = name + " needs " + with_version(facts.qemu) + " registered: ";
  if (entry) {
    why += "the registration " + entry->name + " has no flag F, and ";
  } else {
    why += "it is not registered here, and ";
  }
  if (!facts.user_namespace) {
    return refused(plan, why + facts.user_namespace_why, facts.user_namespace_mend);
  }
  return refused(plan, why + "this kernel gives a user namespace no binfmt_misc of its own (Linux 6.7 does)",
                 "sudo apt-get install --reinstall qemu-user-static binfmt-support");
}

EmulationFacts gather_facts(const Platform& platform, HostRegistration allowed) {
  EmulationFacts facts;
  facts.host = host_platform();
  if (runs_natively(platform, facts.host)) {
    facts.native_runs = true;
    return facts;
  }
  facts.entries = read_binfmt_entries();
  facts.native_runs = probe_platform(platform).runs();
  if (auto qemu = find_qemu(platform.architecture)) {
    facts.qemu = std::move(qemu).value();
  } else {
    facts.qemu_mend = qemu.error().mend;
  }
  facts.root = geteuid() == 0 && in_initial_user_namespace();
  facts.may_register_on_host = allowed == HostRegistration::allowed;
  const auto entry = entry_for(facts.entries, platform.architecture);
  const bool settled = facts.native_runs && entry && entry->flags.find('F') != std::string::npos;
  if (settled || !facts.qemu) return facts;
  if (!in_initial_user_namespace() && geteuid() == 0) {
    facts.user_namespace = true;  // already in one: its binfmt_misc is ours
  } else {
    auto support = probe_user_namespace();
    facts.user_namespace = support.possible;
    facts.user_namespace_why = std::move(support.why);
    facts.user_namespace_mend = std::move(support.mend);
  }
  facts.private_binfmt = facts.user_namespace && private_binfmt_works();
  return facts;
}

BuildPlace place_for(const std::vector<EmulationPlan>& plans) {
  if (geteuid() != 0) return BuildPlace::user_namespace;
  const bool own = std::any_of(plans.begin(), plans.end(),
                               [](const EmulationPlan& plan) { return plan.way == EmulationWay::own_namespace; });
  return own && in_initial_user_namespace() ? BuildPlace::user_namespace : BuildPlace::here;
}

Result<Emulators> set_up_emulation(const std::vector<Platform>& platforms, HostRegistration allowed,
                                   const std::shared_ptr<Journal>& journal) {
  Emulators emulators;
  for (const auto& platform : platforms) emulators.plans.push_back(plan_emulation(platform, allowed));
  const bool initial = in_initial_user_namespace();
  const auto wants = [&emulators](EmulationWay way) {
    return std::any_of(emulators.plans.begin(), emulators.plans.end(),
                       [way](const EmulationPlan& plan) { return plan.way == way; });
  };
  if (!initial && wants(EmulationWay::own_namespace)) {
    DRYDOCK_ASSIGN(emulators.binfmt, mount_private_binfmt());
    // From here on the host's registrations are out of sight: those platforms need one of ours too.
    for (auto& plan : emulators.plans) {
      if (plan.way == EmulationWay::host_registration && plan.qemu) plan.way = EmulationWay::own_namespace;
    }
  } else if (initial && wants(EmulationWay::register_on_host) && !std::filesystem::exists(std::string(k_binfmt) + "/register")) {
    DRYDOCK_ASSIGN(emulators.binfmt, mount_kernel_filesystem("binfmt_misc", k_binfmt, journal));
  }
  std::vector<std::string> registered;
  for (const auto& plan : emulators.plans) {
    const bool ours = initial ? plan.way == EmulationWay::register_on_host : plan.way == EmulationWay::own_namespace;
    const auto& architecture = plan.platform.architecture;
    if (!ours || std::count(registered.begin(), registered.end(), architecture)) continue;
    // P keeps argv[0]: programs with many names (busybox) find out by it which one is meant.
    DRYDOCK_ASSIGN(auto registration, register_qemu(k_binfmt, architecture, plan.qemu->path, "PCF", journal));
    emulators.registrations.push_back(std::move(registration));
    registered.push_back(architecture);
    if (const auto probe = probe_platform(plan.platform); !probe.runs()) {
      return make_error(ErrorCode::environment,
                        plan.platform.to_string() + " does not run under " + plan.qemu->path.string() + ": " +
                            probe.detail,
                        "install another QEMU (sudo apt-get install qemu-user-static)");
    }
  }
  return emulators;
}

std::string_view name_of(ProbeOutcome outcome) {
  switch (outcome) {
    case ProbeOutcome::runs: return "runs";
    case ProbeOutcome::exec_format_error: return "exec_format_error";
    case ProbeOutcome::crashed: return "crashed";
    case ProbeOutcome::not_executable: return "not_executable";
    case ProbeOutcome::wrong_status: return "wrong_status";
    case ProbeOutcome::unknown_architecture: return "unknown_architecture";
  }
  return "unknown_architecture";
}

ProbeResult probe_platform(const Platform& platform) {
  const auto binary = tiny_binary(platform.architecture);
  if (binary.empty() || platform.os != "linux") {
    return {ProbeOutcome::unknown_architecture, "no trial program for " + platform.to_string()};
  }
  // In memory: temporary directories may be mounted noexec.
  int fd = static_cast<int>(syscall(SYS_memfd_create, "drydock-trial", MFD_CLOEXEC | MFD_EXEC));
  if (fd < 0) fd = static_cast<int>(syscall(SYS_memfd_create, "drydock-trial", MFD_CLOEXEC));
  const Fd file(fd);
  if (!file || write(fd, binary.data(), binary.size()) != static_cast<ssize_t>(binary.size())) {
    return {ProbeOutcome::not_executable, errno_error("cannot make a trial program", errno).message};
  }
  SupervisedSpec spec;
  spec.argv = {"/proc/self/fd/3"};
  spec.descriptors = {{fd, 3}};
  StartFailure failure;
  auto process = Supervised::start(spec, &failure);
  if (!process) {
    const bool format = failure.step == StartStep::exec && failure.error == ENOEXEC;
    return {format ? ProbeOutcome::exec_format_error : ProbeOutcome::not_executable,
            format ? "exec format error: no emulator is registered for it" : process.error().to_string()};
  }
  const int status = process->wait();
  if (WIFSIGNALED(status)) return {ProbeOutcome::crashed, "ended by signal " + std::to_string(WTERMSIG(status))};
  if (WEXITSTATUS(status) == 42) return {ProbeOutcome::runs, "a trial program ran"};
  return {ProbeOutcome::wrong_status, "a trial program ended with status " + std::to_string(WEXITSTATUS(status))};
}

}  // namespace drydock::sandbox
