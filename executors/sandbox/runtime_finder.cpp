// Chooses the OCI runtime by running a tiny container with each, once; what worked is remembered for as long as the
// program, the kernel and the kind of namespace stay the same.

#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <atomic>
#include <sstream>

#include <nlohmann/json.hpp>

#include "executors/base/platform.h"
#include "executors/base/process.h"
#include "executors/sandbox/emulation.h"
#include "executors/sandbox/files.h"
#include "executors/sandbox/runtime.h"

namespace drydock::sandbox {
namespace {

constexpr int k_facts_schema = 1;

// What the trial's outcome depends on.
nlohmann::json circumstances(const std::filesystem::path& program, const ContainerHost& host) {
  struct stat status {};
  ::stat(program.c_str(), &status);
  utsname kernel{};
  uname(&kernel);
  return {{"schema", k_facts_schema},
          {"path", program.string()},
          {"size", status.st_size},
          {"modified", status.st_mtim.tv_sec},
          {"kernel", kernel.release},
          {"user_namespace", host.in_user_namespace},
          {"cgroups", host.cgroups_writable},
          {"boot", trimmed(read_text("/proc/sys/kernel/random/boot_id"))}};
}

std::string version_of(const std::filesystem::path& program) {
  ProcessSpec spec;
  spec.argv = {program.string(), "--version"};
  const auto result = run_process(spec);
  if (!result) return {};
  // "runc version 1.1.5+ds1"
  std::istringstream words(result->out);
  std::string name, version, number;
  words >> name >> version >> number;
  return number;
}

}  // namespace

class RuntimeFinder {
 public:
  RuntimeFinder(std::filesystem::path state_dir, std::shared_ptr<Journal> journal)
      : state_dir_(std::move(state_dir)), journal_(std::move(journal)), host_(this_container_host()) {}

  Result<Runtime> find() {
    std::error_code error;
    std::filesystem::create_directories(state_dir_, error);
    if (error) return errno_error("cannot make " + state_dir_.string(), error.value());
    if (auto known = remembered()) return std::move(*known);
    std::string refusals;
    for (const auto* name : {"runc", "crun"}) {
      const auto path = program(name);
      if (!path) {
        refusals += std::string(refusals.empty() ? "" : "; ") + name + ": not installed";
        continue;
      }
      Runtime runtime = made(name, *path, version_of(*path));
      const auto tried = try_out(runtime);
      if (tried.empty()) {
        remember(runtime);
        return runtime;
      }
      refusals += std::string(refusals.empty() ? "" : "; ") + name + " " + runtime.version() + ": " + tried;
    }
    return make_error(ErrorCode::environment, "no OCI runtime works here (" + refusals + ")",
                      "sudo apt-get install runc");
  }

 private:
  // Debian keeps runc in /usr/sbin, which an ordinary user's PATH does not name.
  static std::optional<std::string> program(const char* name) {
    if (auto path = find_program(name)) return path;
    for (const auto* directory : {"/usr/sbin/", "/usr/local/sbin/", "/usr/local/bin/", "/sbin/"}) {
      const auto path = std::string(directory) + name;
      if (::access(path.c_str(), X_OK) == 0) return path;
    }
    return std::nullopt;
  }

  Runtime made(std::string name, std::filesystem::path path, std::string version) const {
    Runtime runtime;
    runtime.name_ = std::move(name);
    runtime.path_ = std::move(path);
    runtime.version_ = std::move(version);
    runtime.state_dir_ = state_dir_;
    runtime.journal_ = journal_;
    runtime.host_ = host_;
    return runtime;
  }

  std::filesystem::path memory() const {
    return state_dir_ / (host_.in_user_namespace ? "runtime-userns.json" : "runtime.json");
  }

  std::optional<Runtime> remembered() const {
    const auto json = nlohmann::json::parse(read_text(memory()), nullptr, false);
    if (!json.is_object() || json.value("schema", 0) != k_facts_schema) return std::nullopt;
    try {
      const auto path = json.at("circumstances").at("path").get<std::string>();
      if (circumstances(path, host_) != json.at("circumstances")) return std::nullopt;
      return made(json.at("name").get<std::string>(), path, json.at("version").get<std::string>());
    } catch (const nlohmann::json::exception&) {
      return std::nullopt;
    }
  }

  // Not being able to remember costs a trial at the next start, nothing else.
  void remember(const Runtime& runtime) const {
    const nlohmann::json json = {{"schema", k_facts_schema},
                                 {"name", runtime.name()},
                                 {"version", runtime.version()},
                                 {"circumstances", circumstances(runtime.path(), host_)}};
    const auto temporary = memory().string() + "." + process_token();
    std::ofstream(temporary) << json.dump();
    std::error_code ignored;
    std::filesystem::rename(temporary, memory(), ignored);
  }

  // Empty when a container ran a program of ours to its end; else why not.
  std::string try_out(const Runtime& runtime) const {
    static std::atomic<unsigned> tried{0};
    const auto binary = tiny_binary(host_platform().architecture);
    if (binary.empty()) return "no trial program for this architecture";
    const auto id = "trial-" + process_token() + "-" + std::to_string(tried.fetch_add(1));
    const auto rootfs = state_dir_ / id;
    std::error_code error;
    std::filesystem::create_directories(rootfs, error);
    const auto program = rootfs / "trial";
    std::ofstream(program, std::ios::binary) << binary;
    std::filesystem::permissions(program, std::filesystem::perms(0755), error);
    ContainerSpec spec;
    spec.id = id;
    spec.rootfs = rootfs;
    spec.args = {"/trial"};
    const auto result = runtime.run(spec, {});
    std::filesystem::remove_all(rootfs, error);
    if (!result) return result.error().message;
    if (result->exit_code == 42) return {};
    return "a trial container ended with status " + std::to_string(result->exit_code) + " " +
           trimmed(result->stderr_tail);
  }

  std::filesystem::path state_dir_;
  std::shared_ptr<Journal> journal_;
  ContainerHost host_;
};

Result<Runtime> Runtime::find(const std::filesystem::path& state_dir, std::shared_ptr<Journal> journal) {
  std::error_code error;
  const auto absolute = std::filesystem::absolute(state_dir, error);
  return RuntimeFinder(absolute, std::move(journal)).find();
}

}  // namespace drydock::sandbox
