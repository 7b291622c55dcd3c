#include "tests/executors/sandbox/support.h"

#include <csignal>
#include <thread>

#include "executors/sandbox/emulation.h"

using namespace drydock;
using namespace drydock::sandbox;
using namespace drydock::sandbox::test;

namespace {

ContainerSpec spec_for(const std::filesystem::path& rootfs, const std::string& id, std::vector<std::string> args) {
  ContainerSpec spec;
  spec.id = "t" + std::to_string(getpid()) + "-" + id;
  spec.rootfs = rootfs;
  spec.args = std::move(args);
  spec.env = {"PATH=/bin", "GREETING=hello"};
  return spec;
}

struct Outcome {
  ContainerResult result;
  std::string out, err, error;
};

Outcome run(const Runtime& runtime, const ContainerSpec& spec, std::stop_token stop = {}) {
  Outcome outcome;
  ContainerIo io;
  io.on_stdout = [&](std::string_view piece) { outcome.out += piece; };
  io.on_stderr = [&](std::string_view piece) { outcome.err += piece; };
  if (auto result = runtime.run(spec, io, stop)) {
    outcome.result = *result;
  } else {
    outcome.error = result.error().to_string();
    outcome.result.exit_code = -1;
  }
  return outcome;
}

// The same promises hold for root and in a user namespace.
void check_containers(const std::filesystem::path& scratch) {
  const auto rootfs = scratch / "rootfs";
  make_rootfs(rootfs, *native_busybox());
  const auto found = Runtime::find(scratch / "state");
  if (!found) FAIL(found.error().to_string());
  const auto& runtime = *found;
  INFO(runtime.name() << " " << runtime.version());

  SECTION("what a step sees") {
    const struct {
      std::string name, script, out;
      int exit_code;
    } table[] = {
        {"hello", "echo $GREETING", "hello\n", 0},
        {"status", "exit 7", "", 7},
        {"init", "echo $$", "1\n", 0},
        {"no-kernel-memory", "cat /proc/kcore | wc -c", "0\n", 0},
        {"sys-is-there", "test -d /sys/kernel && echo yes", "yes\n", 0},
        {"proc-sys-read-only", "echo 1 > /proc/sys/kernel/hostname || echo refused", "refused\n", 0},
        {"no-mount", "mount -t tmpfs none /tmp 2>/dev/null || echo refused", "refused\n", 0},
        {"devices", "echo x > /dev/null; test -c /dev/urandom && test -d /dev/shm && echo ok", "ok\n", 0},
    };
    for (const auto& row : table) {
      INFO(row.name);
      const auto outcome = run(runtime, spec_for(rootfs, row.name, {"/bin/sh", "-c", row.script}));
      INFO(outcome.error << outcome.err);
      CHECK(outcome.out == row.out);
      CHECK(outcome.result.exit_code == row.exit_code);
    }
  }
  SECTION("user and groups") {
    auto spec = spec_for(rootfs, "user", {"/bin/id"});
    const auto ids = resolve_user(rootfs, "node");
    REQUIRE(ids);
    spec.user = *ids;
    const auto outcome = run(runtime, spec);
    INFO(outcome.error << outcome.err);
    CHECK(outcome.out == "uid=1000(node) gid=1000(node) groups=50(staff)\n");
  }
  SECTION("a missing program is a failure in words") {
    const auto outcome = run(runtime, spec_for(rootfs, "missing", {"/bin/absent"}));
    CHECK(outcome.result.exit_code == -1);
    CHECK(outcome.error.find("/bin/absent") != std::string::npos);
  }
  SECTION("network none has the loopback only") {
    auto spec = spec_for(rootfs, "net", {"/bin/sh", "-c", "cat /proc/net/dev | grep -c :"});
    spec.network = ContainerNetwork::none;
    const auto outcome = run(runtime, spec);
    INFO(outcome.error << outcome.err);
    CHECK(outcome.out == "1\n");
  }
  SECTION("bind, tmpfs, read-only root and hostname") {
    write(scratch / "secret", "42");
    auto spec = spec_for(rootfs, "mounts",
                         {"/bin/sh", "-c", "cat /run/secret; echo x > /run/secret; echo y > /scratch/y; echo z > /z; "
                                           "uname -n"});
    spec.mounts = {{"bind", (scratch / "secret").string(), "/run/secret", {"bind", "ro"}},
                   {"tmpfs", "tmpfs", "/scratch", {"size=1m"}}};
    spec.hostname = "builder";
    // The runtime makes mount points in a writable root; with a read-only one they must be there.
    std::filesystem::create_directories(rootfs / "run");
    std::filesystem::create_directories(rootfs / "scratch");
    write(rootfs / "run/secret", "");
    spec.root_access = RootAccess::read_only;
    const auto outcome = run(runtime, spec);
    INFO(outcome.error << outcome.err);
    CHECK(outcome.out == "42builder\n");
    CHECK(read(scratch / "secret") == "42");
    CHECK_FALSE(std::filesystem::exists(rootfs / "z"));
  }
  SECTION("insecure has every capability we have") {
    auto spec = spec_for(rootfs, "insecure", {"/bin/sh", "-c", "mount -t tmpfs none /tmp && echo mounted"});
    spec.security = Security::insecure;
    const auto outcome = run(runtime, spec);
    INFO(outcome.error << outcome.err);
    CHECK(outcome.out == "mounted\n");
  }
  SECTION("with an init of ours the program is not process 1") {
    auto spec = spec_for(rootfs, "init-ours", {"sh", "-c", "echo $$; exit 9"});
    spec.init = ContainerInit::ours;
    const auto outcome = run(runtime, spec);
    INFO(outcome.error << outcome.err);
    CHECK(outcome.out.size() > 1);
    CHECK(outcome.out != "1\n");
    CHECK(outcome.result.exit_code == 9);
    spec.args = {"/bin/sh", "-c", "kill -11 $$"};
    CHECK(run(runtime, spec).result.signal == SIGSEGV);
    write(rootfs / "foreign", "no program at all");
    std::filesystem::permissions(rootfs / "foreign", std::filesystem::perms(0755));
    spec.args = {"/foreign"};
    const auto foreign = run(runtime, spec);
    CHECK(foreign.result.exit_code == 126);
    CHECK(foreign.err == "exec format error\n");
    spec.args = {"absent"};
    CHECK(run(runtime, spec).error.find("absent") != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(rootfs / "dev/.drydock-init"));
  }
  SECTION("death by a signal") {
    const auto outcome =
        run(runtime, spec_for(rootfs, "signal", {"/bin/sh", "-c", "sh -c 'kill -11 $$'; exit $?"}));
    CHECK(outcome.result.exit_code == 139);
    CHECK(outcome.result.signal == SIGSEGV);
  }
  SECTION("a stop request ends it at once and leaves nothing") {
    std::stop_source source;
    std::jthread stopper([&source] {
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
      source.request_stop();
    });
    const auto begin = std::chrono::steady_clock::now();
    const auto spec = spec_for(rootfs, "stop", {"/bin/sh", "-c", "echo up; sleep 100 & sleep 100"});
    const auto outcome = run(runtime, spec, source.get_token());
    CHECK(outcome.result.stopped);
    CHECK(outcome.out == "up\n");
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
    CHECK_FALSE(std::filesystem::exists(scratch / "state/runtime" / spec.id));
    CHECK_FALSE(std::filesystem::exists(scratch / "state/bundles" / spec.id));
  }
}

}  // namespace

TEST_CASE("containers as root", "[real]") {
  if (!is_root()) return skipped("needs root");
  if (const auto why = why_no_containers(); !why.empty()) return skipped(why);
  const Scratch scratch;
  check_containers(scratch.path());
}

TEST_CASE("inside: containers", "[.inside]") {
  const Scratch scratch;
  check_containers(scratch.path());
}

TEST_CASE("containers in a user namespace", "[real]") {
  if (const auto support = probe_user_namespace(); !support.possible) return skipped(support.why);
  if (!native_busybox()) return skipped("busybox-static is not installed");
  const Scratch scratch;
  const auto rerun = in_user_namespace("inside: containers", scratch.path());
  INFO(rerun.output);
  CHECK(rerun.exit_code == 0);
}

TEST_CASE("inside: an arm64 container", "[.inside]") {
  const Scratch scratch;
  const auto emulators = set_up_emulation({{"linux", "arm64", "", ""}});
  if (!emulators) FAIL(emulators.error().to_string());
  const auto rootfs = scratch.path() / "rootfs";
  make_rootfs(rootfs, std::getenv("DRYDOCK_TEST_ARM64_BUSYBOX"));
  const auto runtime = Runtime::find(scratch.path() / "state");
  if (!runtime) FAIL(runtime.error().to_string());
  auto spec = spec_for(rootfs, "arm64", {"/bin/uname", "-m"});
  if (const auto& qemu = emulators->plans[0].qemu) {
    for (auto& line : emulation_environment("arm64", *qemu)) spec.env.push_back(std::move(line));
  }
  const auto outcome = run(*runtime, spec);
  INFO(outcome.error << outcome.err);
  CHECK(outcome.out == "aarch64\n");
  spec.args = {"/bin/sh", "-c", "exit 5"};
  CHECK(run(*runtime, spec).result.exit_code == 5);
  spec.init = ContainerInit::ours;  // as process 1 it would hang
  spec.args = {"/bin/sh", "-c", "kill -11 $$"};
  const auto crash = run(*runtime, spec);
  INFO(crash.err << crash.result.exit_code);
  CHECK(classify_failure(crash.result.exit_code, crash.result.signal, crash.result.stderr_tail, Emulated::yes).kind ==
        FailureKind::emulator_crash);
}

TEST_CASE("an arm64 container in a user namespace", "[real]") {
  const auto plan = plan_emulation({"linux", "arm64", "", ""});
  if (plan.way == EmulationWay::refused) return skipped(plan.why);
  if (const auto support = probe_user_namespace(); !support.possible) return skipped(support.why);
  std::string why;
  const auto busybox = arm64_busybox(why);
  if (!busybox) return skipped(why);
  const Scratch scratch;
  setenv("DRYDOCK_TEST_ARM64_BUSYBOX", busybox->c_str(), 1);
  const auto rerun = in_user_namespace("inside: an arm64 container", scratch.path());
  INFO(rerun.output);
  CHECK(rerun.exit_code == 0);
}

TEST_CASE("an ordinary user runs all of this", "[real]") {
  if (!is_root()) return skipped("needs root to make a user");
  for (const auto* tool : {"useradd", "userdel", "setpriv", "newuidmap"}) {
    if (!find_program(tool)) return skipped(std::string(tool) + " is not installed");
  }
  // Another user must be able to start this program, which may lie in a private directory.
  const Scratch scratch;
  const auto program = scratch.path() / "program", home = scratch.make("home");
  std::filesystem::copy_file(std::filesystem::read_symlink("/proc/self/exe"), program);
  std::filesystem::permissions(program, std::filesystem::perms(0755));
  const auto user = "drydock-t" + std::to_string(getpid());
  ProcessSpec spec;
  spec.argv = {"sh", "-ec",
               "trap 'userdel \"$1\" 2>/dev/null' EXIT\n"
               "useradd --no-create-home --home-dir \"$2\" --shell /bin/sh \"$1\"\n"
               "grep -q \"^$1:\" /etc/subuid || usermod --add-subuids 400000-465535 --add-subgids 400000-465535 \"$1\"\n"
               "chown \"$1\" \"$2\"\n"
               "setpriv --reuid \"$1\" --regid \"$1\" --clear-groups env HOME=\"$2\" DRYDOCK_TEST_SCRATCH=\"$2\" "
               "\"$3\" '*in a user namespace*' || exit 9",
               "sh", user, home.string(), program.string()};
  spec.timeout = std::chrono::seconds(90);
  const auto result = run_process(spec);
  REQUIRE(result);
  INFO(result->out << result->err);
  CHECK(result->exit_code == 0);
  CHECK(result->err.find("skipped: kernel") == std::string::npos);
}
