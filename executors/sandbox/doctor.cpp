#include "executors/sandbox/doctor.h"

#include <unistd.h>

#include <cstdio>

#include <nlohmann/json.hpp>

#include "executors/base/process.h"
#include "executors/sandbox/emulation.h"
#include "executors/sandbox/files.h"
#include "executors/sandbox/overlay.h"
#include "executors/sandbox/runtime.h"
#include "executors/sandbox/userns.h"

namespace drydock::sandbox {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t k_little_space = 10ull << 30;
constexpr std::uintmax_t k_too_little_space = 1ull << 30;

bool may_mount_here() { return geteuid() == 0; }

Check passed(std::string id, std::string title, std::string detail) {
  return {std::move(id), std::move(title), CheckState::ok, std::move(detail), {}};
}

Check check_runtime(const fs::path& scratch) {
  const std::string id = "runtime", title = "OCI runtime";
  if (!may_mount_here()) {
    for (const auto* name : {"runc", "crun"}) {
      for (const auto& path : {find_program(name), std::optional<std::string>(std::string("/usr/sbin/") + name)}) {
        if (!path || ::access(path->c_str(), X_OK) != 0) continue;
        return passed(id, title, *path + " (tried at the first build, in a user namespace)");
      }
    }
    return {id, title, CheckState::failure, "neither runc nor crun is installed", "sudo apt-get install runc"};
  }
  const auto runtime = Runtime::find(scratch);
  if (!runtime) return {id, title, CheckState::failure, runtime.error().message, runtime.error().mend};
  return passed(id, title, runtime->name() + " " + runtime->version() + " ran a container");
}

Check check_user_namespace(const UserNamespaceSupport& support) {
  const std::string id = "user_namespace", title = "user namespaces";
  if (support.possible) return passed(id, title, "a program ran in one; ids " + support.map.describe());
  const auto state = may_mount_here() ? CheckState::warning : CheckState::failure;
  return {id, title, state, support.why, support.mend};
}

Check check_uidmap() {
  const std::string id = "uidmap", title = "newuidmap and newgidmap";
  const auto uid = find_program("newuidmap"), gid = find_program("newgidmap");
  if (uid && gid) return passed(id, title, *uid + ", " + *gid);
  const auto state = may_mount_here() ? CheckState::warning : CheckState::failure;
  return {id, title, state, "not installed: ordinary users cannot build", "sudo apt-get install uidmap"};
}

Check check_overlay(const fs::path& scratch) {
  const std::string id = "overlay", title = "overlay file system";
  if (!may_mount_here()) {
    const bool known = read_text("/proc/filesystems").find("\toverlay\n") != std::string::npos;
    if (known) return passed(id, title, "known to the kernel (tried at the first build, in a user namespace)");
    return {id, title, CheckState::warning, "the kernel has not loaded it", "sudo modprobe overlay"};
  }
  const auto support = probe_overlay(scratch);
  if (!support.works) return {id, title, CheckState::failure, support.why, support.mend};
  if (!support.many_lower) {
    return {id, title, CheckState::warning, "works, but only as many layers as fit in one page",
            "use Linux 6.5 or later for images of many layers"};
  }
  return passed(id, title, "mounted one, with any number of layers");
}

Check check_cgroups() {
  const std::string id = "cgroups", title = "control groups";
  const bool two = fs::exists("/sys/fs/cgroup/cgroup.controllers");
  const bool hybrid = fs::exists("/sys/fs/cgroup/unified/cgroup.controllers");
  const bool one = fs::exists("/sys/fs/cgroup/memory") || fs::exists("/sys/fs/cgroup/pids");
  if (two) return passed(id, title, "version 2");
  // Some controllers are left to version 2.
  const bool divided = hybrid && !trimmed(read_text("/sys/fs/cgroup/unified/cgroup.controllers")).empty();
  if (divided) return passed(id, title, "version 1 with controllers of version 2 beside it (crun refuses this layout; runc runs)");
  if (one) return passed(id, title, "version 1");
  return {id, title, CheckState::warning, "none is mounted: containers run without limits",
          "sudo mount -t cgroup2 cgroup2 /sys/fs/cgroup"};
}

Check check_platform(const Platform& platform) {
  const auto name = platform.to_string();
  const auto plan = plan_emulation(platform);
  Check check{"platform " + name, name, CheckState::ok, plan.why, plan.mend};
  if (plan.way == EmulationWay::refused) {
    // Not being able to emulate what nobody asked for is no failure of this machine.
    check.state = CheckState::warning;
    return check;
  }
  if (plan.way == EmulationWay::native || plan.way == EmulationWay::host_registration) {
    const auto probe = probe_platform(platform);
    if (!probe.runs()) return {check.id, name, CheckState::failure, plan.why + ", but " + probe.detail, plan.mend};
    check.detail += "; " + probe.detail;
  } else if (plan.qemu) {
    ProcessSpec spec;  // QEMU by hand: what the registration will do
    const auto file = fs::temp_directory_path() / ("drydock-doctor-" + process_token());
    std::ofstream(file, std::ios::binary) << tiny_binary(platform.architecture);
    std::error_code ignored;
    fs::permissions(file, fs::perms(0755), ignored);
    spec.argv = {plan.qemu->path.string(), file.string()};
    const auto result = run_process(spec);
    fs::remove(file, ignored);
    if (!result || result->exit_code != 42) {
      return {check.id, name, CheckState::failure,
              plan.qemu->path.string() + " does not run a trial program: " +
                  (result ? "status " + std::to_string(result->exit_code) : result.error().message),
              "sudo apt-get install --reinstall qemu-user-static"};
    }
    check.detail += "; a trial program ran";
  }
  if (plan.qemu && !plan.qemu->warning.empty()) {
    check.state = CheckState::warning;
    check.detail += "; known defect: " + plan.qemu->warning;
    check.mend = "use another QEMU version";
  }
  return check;
}

Check check_disk(const fs::path& directory) {
  const std::string id = "disk", title = "disk space of the store";
  std::error_code error;
  const auto space = fs::space(directory, error);
  if (error) return {id, title, CheckState::failure, directory.string() + ": " + error.message(), {}};
  char text[64];
  std::snprintf(text, sizeof text, "%.1f GiB free", static_cast<double>(space.available) / (1u << 30));
  const auto detail = std::string(text) + " at " + directory.string();
  if (space.available >= k_little_space) return passed(id, title, detail);
  const auto state = space.available < k_too_little_space ? CheckState::failure : CheckState::warning;
  return {id, title, state, detail, "drydock cache prune"};
}

}  // namespace

std::string_view name_of(CheckState state) {
  switch (state) {
    case CheckState::ok: return "ok";
    case CheckState::warning: return "warning";
    case CheckState::failure: return "failure";
  }
  return "failure";
}

std::vector<Check> examine_machine(const DoctorOptions& options) {
  std::vector<Check> checks;
  const auto scratch = options.state_dir / ("doctor-" + process_token());
  std::error_code error;
  fs::create_directories(scratch, error);
  if (error) {
    return {{"state", "state directory", CheckState::failure, scratch.string() + ": " + error.message(),
             "choose a directory that you may write to"}};
  }
  checks.push_back(check_runtime(scratch));
  checks.push_back(check_user_namespace(probe_user_namespace()));
  checks.push_back(check_uidmap());
  checks.push_back(check_overlay(scratch));
  checks.push_back(check_cgroups());
  auto platforms = options.platforms;
  if (platforms.empty()) {
    for (const auto& pattern : all_binfmt_patterns()) platforms.push_back({"linux", pattern.architecture, "", ""});
  }
  for (const auto& platform : platforms) checks.push_back(check_platform(normalized(platform)));
  checks.push_back(check_disk(options.state_dir));
  fs::remove_all(scratch, error);
  return checks;
}

nlohmann::json to_json(const std::vector<Check>& checks) {
  auto list = nlohmann::json::array();
  for (const auto& check : checks) {
    list.push_back({{"id", check.id},
                    {"title", check.title},
                    {"state", name_of(check.state)},
                    {"detail", check.detail},
                    {"mend", check.mend}});
  }
  return {{"schema", 1}, {"checks", std::move(list)}};
}

}  // namespace drydock::sandbox
