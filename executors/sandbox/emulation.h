#pragma once
// How binaries of a platform can run on this machine: natively, by a binfmt_misc registration, by one of our own in
// our user namespace, or not at all. Finds QEMU, registers it, tries a platform by running a tiny binary of it, and
// tells an emulator's crash from a program's failure. Thread-safe (no state).

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "executors/base/platform.h"
#include "executors/base/result.h"
#include "executors/sandbox/overlay.h"

namespace drydock::sandbox {

// --- what binfmt_misc must match -----------------------------------------------------------------------------

struct BinfmtPattern {
  std::string architecture;  // as OCI names it: amd64, 386, arm64, arm, riscv64, ppc64le, s390x, mips64le, loong64
  std::string qemu;          // as QEMU names it: aarch64
  std::string magic, mask;   // 20 bytes each
};
/// Nothing for an architecture that QEMU user mode does not run.
std::optional<BinfmtPattern> binfmt_pattern(std::string_view architecture);
const std::vector<BinfmtPattern>& all_binfmt_patterns();
/// The line for /proc/sys/fs/binfmt_misc/register; flags "CF" or "F".
std::string registration_line(const BinfmtPattern& pattern, std::string_view name, const std::filesystem::path& interpreter,
                              std::string_view flags);

/// One registration as binfmt_misc shows it.
struct BinfmtEntry {
  std::string name, interpreter, flags, magic, mask;
  int offset = 0;
  bool enabled = false;
};
Result<BinfmtEntry> parse_binfmt_entry(std::string_view name, std::string_view text);
/// Those under `binfmt_dir`; empty when it is not mounted.
std::vector<BinfmtEntry> read_binfmt_entries(const std::filesystem::path& binfmt_dir = "/proc/sys/fs/binfmt_misc");
/// The enabled entry that takes binaries of the architecture.
std::optional<BinfmtEntry> entry_for(const std::vector<BinfmtEntry>& entries, std::string_view architecture);

// --- QEMU --------------------------------------------------------------------------------------------------

struct Qemu {
  std::filesystem::path path;
  std::string version;      // "7.2.22"
  std::string distribution; // "Debian 1:7.2+dfsg-7+deb12u18+b3", as far as it says
  std::string warning;      // a known defect of this version for this architecture; empty when none
};
/// "qemu-aarch64 version 7.2.22 (Debian …)" → version and distribution.
std::optional<Qemu> parse_qemu_version(std::string_view output);
/// What is known to go wrong with this version; empty when nothing.
std::string known_defect(std::string_view architecture, std::string_view version);
/// qemu-<arch>-static before a static qemu-<arch>, without starting it; error environment with the package to install.
Result<std::filesystem::path> qemu_program(std::string_view architecture);
/// The same, asked for its version: starts it, some tens of milliseconds.
Result<Qemu> find_qemu(std::string_view architecture);
/// Environment that emulated processes should get ("QEMU_CPU=max"); may be empty. Not part of a layer or key.
std::vector<std::string> emulation_environment(std::string_view architecture, const Qemu& qemu);

// --- the decision --------------------------------------------------------------------------------------------

enum class EmulationWay { native, host_registration, own_namespace, register_on_host, refused };
std::string_view name_of(EmulationWay way);

/// All that the decision depends on, gathered by trying.
struct EmulationFacts {
  Platform host;
  std::vector<BinfmtEntry> entries;   // visible to this process
  bool native_runs = false;           // a tiny binary of the platform ran without emulator or registration of ours
  std::optional<Qemu> qemu;
  std::string qemu_mend;              // when there is none
  bool user_namespace = false;
  std::string user_namespace_why, user_namespace_mend;
  bool private_binfmt = false;        // a user namespace may mount its own binfmt_misc (Linux 6.7)
  bool root = false;
  bool may_register_on_host = false;  // allowed by the operator
};

struct EmulationPlan {
  Platform platform;
  EmulationWay way = EmulationWay::refused;
  std::optional<Qemu> qemu;  // the one to register or registered; empty for native
  std::string why;           // one line for `plan` and `doctor`
  std::string mend;          // the one command, when refused
  bool emulated() const { return way != EmulationWay::native && way != EmulationWay::refused; }
};
EmulationPlan decide_emulation(const Platform& platform, const EmulationFacts& facts);

/// Whether a user namespace may mount its own binfmt_misc here; a child tries.
bool private_binfmt_works();

enum class HostRegistration { forbidden, allowed };
EmulationFacts gather_facts(const Platform& platform, HostRegistration allowed = HostRegistration::forbidden);
inline EmulationPlan plan_emulation(const Platform& platform,
                                    HostRegistration allowed = HostRegistration::forbidden) {
  return decide_emulation(platform, gather_facts(platform, allowed));
}

// --- doing it ------------------------------------------------------------------------------------------------

/// Inside a user namespace of our own: mounts its binfmt_misc at /proc/sys/fs/binfmt_misc. Error environment on a
/// kernel before 6.7.
Result<Mount> mount_private_binfmt(const std::filesystem::path& binfmt_dir = "/proc/sys/fs/binfmt_misc");

/// A registration; undone when destroyed unless kept.
class Registration {
 public:
  Registration() = default;
  Registration(Registration&& other) noexcept;
  Registration& operator=(Registration&& other) noexcept;
  ~Registration();
  void keep();

 private:
  friend Result<Registration> register_qemu(const std::filesystem::path&, std::string_view,
                                            const std::filesystem::path&, std::string_view,
                                            const std::shared_ptr<Journal>&);
  std::filesystem::path entry_;
  std::shared_ptr<Journal> journal_;
  std::uint64_t number_ = 0;
};
Result<Registration> register_qemu(const std::filesystem::path& binfmt_dir, std::string_view architecture,
                                   const std::filesystem::path& interpreter, std::string_view flags = "CF",
                                   const std::shared_ptr<Journal>& journal = nullptr);

/// What the engine calls at its start inside its namespace: makes every platform of the list runnable there.
/// Keep the result for as long as the platforms are needed. In the initial namespace it registers on the host where
/// the plan says so, and takes that back at the end.
struct Emulators {
  Mount binfmt;
  std::vector<Registration> registrations;
  std::vector<EmulationPlan> plans;  // one for each platform asked for
};
Result<Emulators> set_up_emulation(const std::vector<Platform>& platforms,
                                   HostRegistration allowed = HostRegistration::forbidden,
                                   const std::shared_ptr<Journal>& journal = nullptr);

/// Where the build engine must run: here (root, and all platforms run), or in a user namespace of its own.
enum class BuildPlace { here, user_namespace };
BuildPlace place_for(const std::vector<EmulationPlan>& plans);

// --- trying and judging --------------------------------------------------------------------------------------

enum class ProbeOutcome { runs, exec_format_error, crashed, not_executable, wrong_status, unknown_architecture };
std::string_view name_of(ProbeOutcome outcome);
struct ProbeResult {
  ProbeOutcome outcome = ProbeOutcome::unknown_architecture;
  std::string detail;
  bool runs() const { return outcome == ProbeOutcome::runs; }
};
/// Runs a tiny static binary of the platform (exit status 42) in this process's namespaces.
ProbeResult probe_platform(const Platform& platform);
/// That binary; empty for an architecture without one.
std::string_view tiny_binary(std::string_view architecture);

enum class FailureKind { program, emulator_crash, no_emulator, killed, out_of_memory };
std::string_view name_of(FailureKind kind);
struct Failure {
  FailureKind kind = FailureKind::program;
  std::string why;   // "qemu: uncaught target signal 11 …", "exit 139 under QEMU 7.2.22"
  std::string mend;
  bool retry() const { return kind == FailureKind::emulator_crash; }
};
enum class Emulated { no, yes };
/// Judges a process that failed: `exit_code` as ContainerResult gives it.
Failure classify_failure(int exit_code, int signal, std::string_view stderr_tail, Emulated emulated);

}  // namespace drydock::sandbox
