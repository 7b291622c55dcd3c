#include <nlohmann/json.hpp>

#include <algorithm>

#include "tests/executors/sandbox/support.h"

using namespace drydock;
using namespace drydock::sandbox;
using namespace drydock::sandbox::test;
using nlohmann::json;

namespace {

ContainerSpec sample() {
  ContainerSpec spec;
  spec.id = "c1";
  spec.rootfs = "/store/rootfs";
  spec.args = {"/bin/sh", "-c", "npm ci"};
  spec.env = {"PATH=/usr/bin"};
  spec.cwd = "/app";
  spec.user = {1000, 1001, {50, 10}, "/home/node", "node"};
  spec.mounts = {{"bind", "/store/resolv.conf", "/etc/resolv.conf", {"bind", "ro"}}};
  return spec;
}

ContainerHost root_host() { return {false, true, "/drydock", {"SCMP_ARCH_X86_64"}, ~0ull}; }
ContainerHost rootless_host() { return {true, false, "/drydock", {"SCMP_ARCH_X86_64"}, ~0ull}; }

const json* mount_at(const json& config, const std::string& destination) {
  for (const auto& mount : config["mounts"]) {
    if (mount["destination"] == destination) return &mount;
  }
  return nullptr;
}

bool allows(const json& seccomp, const std::string& name) {
  for (const auto& rule : seccomp["syscalls"]) {
    const auto& names = rule["names"];
    if (rule["action"] == "SCMP_ACT_ALLOW" && !rule.contains("args") &&
        std::find(names.begin(), names.end(), name) != names.end()) {
      return true;
    }
  }
  return false;
}

}  // namespace

TEST_CASE("a container's config.json is the golden one") {
  const auto golden = std::filesystem::path(DRYDOCK_SOURCE_DIR) / "tests/data/sandbox/config.json";
  const auto config = runtime_config(sample(), root_host());
  if (std::getenv("DRYDOCK_ACCEPT")) {
    write(golden, config.dump(2) + "\n");
    return skipped("golden file made again");
  }
  CHECK(config == json::parse(read(golden)));
}

TEST_CASE("root and a user namespace differ where they must") {
  const auto root = runtime_config(sample(), root_host());
  const auto own = runtime_config(sample(), rootless_host());
  CHECK((*mount_at(root, "/sys"))["type"] == "sysfs");
  CHECK((*mount_at(own, "/sys"))["type"] == "bind");
  CHECK(root["linux"]["cgroupsPath"] == "/drydock/c1");
  CHECK_FALSE(own["linux"].contains("cgroupsPath"));
  CHECK_FALSE(own["linux"].contains("resources"));
  const auto& masked = own["linux"]["maskedPaths"];
  CHECK(std::find(masked.begin(), masked.end(), "/sys/fs/cgroup") != masked.end());
}

TEST_CASE("what a step asks for shows") {
  auto spec = sample();
  SECTION("network none") {
    spec.network = ContainerNetwork::none;
    CHECK(runtime_config(spec, root_host())["linux"]["namespaces"].back()["type"] == "network");
  }
  SECTION("insecure") {
    spec.security = Security::insecure;
    spec.devices = {{"/dev/fuse", "/dev/fuse"}};
    const auto config = runtime_config(spec, root_host());
    CHECK_FALSE(config["linux"].contains("seccomp"));
    CHECK_FALSE(config["linux"].contains("maskedPaths"));
    CHECK(config["process"]["capabilities"]["bounding"].size() == 41);
    CHECK(mount_at(config, "/dev/fuse"));
  }
  SECTION("limits, and a view of them from inside") {
    spec.memory = 64 << 20;
    spec.cpus = 0.5;
    const auto config = runtime_config(spec, root_host());
    CHECK(config["linux"]["resources"]["memory"]["limit"] == 64 << 20);
    CHECK(config["linux"]["resources"]["cpu"] == json({{"period", 100000}, {"quota", 50000}}));
    CHECK(config["linux"]["namespaces"].back()["type"] == "cgroup");
    const auto* groups = mount_at(config, "/sys/fs/cgroup");
    REQUIRE(groups);
    CHECK((*groups)["options"].back() == "ro");
    CHECK_FALSE(mount_at(runtime_config(spec, rootless_host()), "/sys/fs/cgroup"));
    CHECK_FALSE(mount_at(runtime_config(sample(), root_host()), "/sys/fs/cgroup"));
  }
  SECTION("a device, settings of the kernel, no filter") {
    spec.devices = {{"/dev/null", "/dev/other", "r"}};
    spec.sysctl = {{"net.core.somaxconn", "99"}};
    spec.system_calls = SystemCalls::unfiltered;
    spec.processes = 20;
    const auto config = runtime_config(spec, root_host());
    CHECK((*mount_at(config, "/dev/other"))["source"] == "/dev/null");
    CHECK(config["linux"]["resources"]["devices"][0]["allow"] == false);
    CHECK(config["linux"]["resources"]["devices"][1] ==
          json({{"allow", true}, {"type", "c"}, {"major", 1}, {"minor", 3}, {"access", "r"}}));
    CHECK(config["linux"]["resources"]["pids"]["limit"] == 20);
    CHECK(config["linux"]["sysctl"]["net.core.somaxconn"] == "99");
    CHECK_FALSE(config["linux"].contains("seccomp"));
    CHECK(config["linux"].contains("maskedPaths"));
  }
  SECTION("root without control groups makes no device nodes") {
    const ContainerHost bare{false, false, "/drydock", {"SCMP_ARCH_X86_64"}, ~0ull};
    const auto has_mknod = [](const json& config) {
      const auto& names = config["process"]["capabilities"]["bounding"];
      return std::find(names.begin(), names.end(), "CAP_MKNOD") != names.end();
    };
    CHECK_FALSE(has_mknod(runtime_config(spec, bare)));
    spec.capabilities = {{"CAP_MKNOD", "CAP_CHOWN"}};
    CHECK_FALSE(has_mknod(runtime_config(spec, bare)));
    CHECK(has_mknod(runtime_config(spec, root_host())));
    CHECK(has_mknod(runtime_config(spec, rootless_host())));
  }
  SECTION("never a capability that we lack") {
    auto host = root_host();
    host.capabilities = 1;  // CAP_CHOWN alone
    CHECK(runtime_config(spec, host)["process"]["capabilities"]["bounding"] == json({"CAP_CHOWN"}));
  }
  SECTION("limits, shared memory, hostname, access") {
    spec.ulimits = {*parse_ulimit("nofile=1024:2048")};
    spec.shm_size = 1 << 20;
    spec.hostname = "builder";
    spec.root_access = RootAccess::read_only;
    spec.privileges = Privileges::no_new;
    const auto config = runtime_config(spec, root_host());
    CHECK(config["process"]["rlimits"] == json::parse(R"([{"type":"RLIMIT_NOFILE","soft":1024,"hard":2048}])"));
    const auto& options = (*mount_at(config, "/dev/shm"))["options"];
    CHECK(std::find(options.begin(), options.end(), "size=1048576") != options.end());
    CHECK(config["hostname"] == "builder");
    CHECK(config["root"]["readonly"] == true);
    CHECK(config["process"]["noNewPrivileges"] == true);
  }
}

TEST_CASE("system calls follow capabilities and architecture") {
  const auto standard = standard_seccomp(standard_capabilities(), root_host());
  for (const auto* name : {"read", "openat2", "execve", "ptrace", "futex", "statx", "chroot", "arch_prctl", "rseq"}) {
    INFO(name);
    CHECK(allows(standard, name));
  }
  for (const auto* name : {"mount", "bpf", "kexec_load", "init_module", "keyctl", "add_key", "reboot", "clone", "clone3",
                           "unshare", "setns", "io_uring_setup", "userfaultfd", "swapon", "socket", "open_by_handle_at",
                           "set_tls"}) {
    INFO(name);
    CHECK_FALSE(allows(standard, name));
  }
  auto capabilities = standard_capabilities();
  capabilities.push_back("CAP_SYS_ADMIN");
  CHECK(allows(standard_seccomp(capabilities, root_host()), "mount"));
  auto arm = root_host();
  arm.native_architectures = {"SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"};
  CHECK(allows(standard_seccomp({}, arm), "set_tls"));
  CHECK_FALSE(allows(standard_seccomp({}, arm), "arch_prctl"));
}

TEST_CASE("ulimits as docker build takes them") {
  const struct {
    const char* text;
    bool valid;
    std::uint64_t soft, hard;
  } table[] = {
      {"nofile=1024:2048", true, 1024, 2048}, {"nproc=5", true, 5, 5},     {"core=-1", true, ~0ull, ~0ull},
      {"core=0:unlimited", true, 0, ~0ull},   {"nofile", false, 0, 0},     {"files=1", false, 0, 0},
      {"nofile=2:1", false, 0, 0},            {"nofile=1x", false, 0, 0},  {"nofile=", false, 0, 0},
  };
  for (const auto& row : table) {
    INFO(row.text);
    const auto limit = parse_ulimit(row.text);
    CHECK(limit.ok() == row.valid);
    if (limit && row.valid) CHECK((limit->soft == row.soft && limit->hard == row.hard));
    if (!limit) CHECK(limit.error().code == ErrorCode::usage);
  }
}
