#include "executors/sandbox/view.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <thread>

#include "executors/sandbox/mountinfo.h"
#include "tests/executors/sandbox/support.h"

using namespace drydock;
using namespace drydock::sandbox;
using namespace drydock::sandbox::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

constexpr unsigned k_user = 61234;

View make_view(const fs::path& scratch, const std::vector<std::string>& shared = {}) {
  const char* home = ::getenv("HOME");
  auto view = View::make({.directory = scratch / "view", .shared = shared, .home = home ? home : ""});
  if (!view) FAIL(view.error().to_string());
  return std::move(view).value();
}

ProcessResult sh(const View& view, const std::string& script) {
  ProcessSpec spec;
  spec.argv = {"/bin/sh", "-c", script};
  auto result = view.run(spec);
  if (!result) FAIL(result.error().to_string());
  return std::move(result).value();
}

// What must be the same afterwards: names, owners, modes, times and content of the places that a script touches.
std::string machine() {
  ProcessSpec spec;
  spec.argv = {"/bin/sh", "-c",
               "stat -c '%n %i %u %g %a %s %Y' /etc/hosts /etc/passwd /usr/bin/env /usr/bin /etc /var/lib/dpkg/status;"
               "sha256sum /etc/hosts /etc/passwd /usr/bin/env /var/lib/dpkg/status; hostname"};
  const auto result = run_process(spec);
  REQUIRE(result.ok());
  return result->out;
}

bool gone_soon(const std::string& what) {
  for (int i = 0; i < 100; ++i) {
    ProcessSpec spec;
    spec.argv = {"pgrep", "-f", what};
    const auto found = run_process(spec);
    if (found.ok() && found->exit_code == 1) return true;
    std::this_thread::sleep_for(50ms);
  }
  return false;
}

std::string nap(int number) { return "sleep 98" + std::to_string(::getpid()) + std::to_string(number); }

/// This program's hidden cases as an ordinary user, in a folder of that user's.
Rerun as_user(const std::string& filter, const fs::path& scratch) {
  const auto home = scratch / "home";
  fs::create_directories(home);
  REQUIRE(::chown(home.c_str(), k_user, k_user) == 0);
  REQUIRE(::chmod(scratch.c_str(), 0755) == 0);
  ProcessSpec spec;
  const auto id = std::to_string(k_user);
  spec.argv = {"setpriv", "--reuid", id, "--regid", id, "--clear-groups", "--inh-caps=-all",
               fs::canonical("/proc/self/exe").string(), filter};
  spec.environment = current_environment();
  (*spec.environment)["HOME"] = home.string();
  (*spec.environment)["DRYDOCK_TEST_SCRATCH"] = home.string();
  const auto result = run_process(spec);
  REQUIRE(result.ok());
  return {result->exit_code, result->out + result->err};
}

}  // namespace

TEST_CASE("root changes its view as it likes, and the machine stays as it was") {
  if (!is_root()) return skipped("root only");
  Scratch scratch;
  const auto work = scratch.make("work");
  const auto before = machine();
  {
    const auto view = make_view(scratch.path(), {work.string()});
    CHECK(view.kind() == ViewKind::copy_on_write);
    const auto first = sh(view, "rm -f /usr/bin/env && echo '1.2.3.4 elsewhere' >>/etc/hosts && useradd walrus;"
                                "mkdir /tmp/many && seq 1000 | (cd /tmp/many && xargs touch);"
                                "chown 7:8 /etc/passwd; ln /bin/sh /bin/other-sh; echo made >" + work.string() + "/made");
    CHECK(first.err == "");
    const auto second = sh(view, "ls /usr/bin/env; grep -c elsewhere /etc/hosts; ls /tmp/many | wc -l; stat -c %u:%g /etc/passwd");
    CHECK(second.out == "1\n1000\n7:8\n");
    CHECK(view.find_program("env", {{"PATH", "/usr/bin"}}) == std::nullopt);
    CHECK(view.find_program("other-sh", {{"PATH", "/none:/bin"}}) == "/bin/other-sh");
    CHECK(machine() == before);
  }
  CHECK(machine() == before);
  CHECK(read(work / "made") == "made\n");
  CHECK_FALSE(fs::exists(scratch.path() / "view"));
  CHECK_FALSE(fs::exists("/tmp/many"));
  const auto next = make_view(scratch.path());
  CHECK(sh(next, "ls /tmp/many || grep elsewhere /etc/hosts").exit_code != 0);
}

TEST_CASE("a package is installed in a view alone") {
  if (!is_root() || !find_program("dpkg-deb")) return skipped("root and dpkg only");
  Scratch scratch;
  write(scratch.path() / "deb/DEBIAN/control",
        "Package: drydock-walrus\nVersion: 1\nArchitecture: all\nMaintainer: Captain <captain@example.org>\n"
        "Description: a test\n");
  write(scratch.path() / "deb/DEBIAN/postinst", "#!/bin/sh\nset -e\nuseradd --system walrus\nchown walrus /etc/walrus\n");
  fs::permissions(scratch.path() / "deb/DEBIAN/postinst", fs::perms(0755));
  write(scratch.path() / "deb/etc/walrus", "tusks\n");
  const auto before = machine();
  {
    const auto view = make_view(scratch.path());
    const auto deb = (scratch.path() / "deb").string();
    const auto done = sh(view, "dpkg-deb --root-owner-group -b " + deb + " /tmp/w.deb && dpkg -i /tmp/w.deb && stat -c %U /etc/walrus");
    CHECK(done.err == "");
    CHECK(done.out.ends_with("\nwalrus\n"));
    CHECK(sh(view, "dpkg -s drydock-walrus").exit_code == 0);
  }
  CHECK(machine() == before);
  CHECK_FALSE(fs::exists("/etc/walrus"));
}

TEST_CASE("there is no way out of a view") {
  if (!is_root()) return skipped("root only");
  Scratch scratch;
  const auto work = scratch.make("work");
  write(scratch.path() / "outside", "outside");
  const auto view = make_view(scratch.path(), {work.string()});
  const auto self = std::to_string(::getpid());
  const auto script = GENERATE_COPY(values<std::string>({
      "mount -t tmpfs none /mnt",
      "mount --bind / /mnt",
      "mount -o remount,rw /proc/sys",
      "umount /proc/sys",
      "umount -l /dev",
      "unshare --mount true",
      "unshare --user --map-root-user --mount mount -o remount,rw,bind /proc/sys",
      "unshare --user --map-root-user --mount umount /run",
      "unshare --user --map-root-user --mount --pid --fork mount -t proc proc /mnt",
      "unshare --user --map-root-user --mount mount -t sysfs sysfs /mnt",
      "cd /proc/1/root && ls",
      "cd /proc/1/cwd && ls",
      "cat /proc/1/environ",
      "head -c1 /proc/1/mem",
      "readlink /proc/1/exe",
      "nsenter --target 1 --mount true",
      "kill -0 " + self,
      "ls /proc/" + self + "/root && ps -p " + self,
      "mknod /tmp/disk b 8 0",
      "mknod " + work.string() + "/disk b 8 0",
      "mknod /dev/mem2 c 1 1",
      "ls /dev/sd* /dev/vd* /dev/nvme* /dev/loop* /dev/mem 2>/dev/null | grep .",
      "echo x >/proc/sys/kernel/core_pattern",
      "echo h >/proc/sysrq-trigger",
      "echo 0 >/sys/kernel/mm/transparent_hugepage/khugepaged/defrag",
      "echo 1 >/proc/irq/default_smp_affinity",
      "hostname elsewhere",
      "date -s @0",
      "dmesg",
      "ip link add drydock0 type dummy",
      "python3 -c 'import ctypes;l=ctypes.CDLL(None);exit(l.ptrace(16,1,0,0)==-1)'",
      "exec 3<>/dev/tty",
  }));
  CAPTURE(script);
  CHECK(sh(view, script).exit_code != 0);
  // A link in the shared workspace leads to the view's files, not the machine's.
  CHECK(sh(view, "ln -sfn " + scratch.path().string() + " " + work.string() + "/link; echo changed >" + work.string() +
                     "/link/outside").exit_code == 0);
  CHECK(read(scratch.path() / "outside") == "outside");
}

TEST_CASE("files of the machine cannot be opened by number") {
  if (!is_root() || !find_program("python3")) return skipped("root and python3 only");
  Scratch scratch;
  const auto view = make_view(scratch.path(), {scratch.make("work").string()});
  const auto tried = sh(view, "cd " + (scratch.path() / "work").string() + R"( && python3 -c '
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
handle = ctypes.create_string_buffer(136)
ctypes.memmove(handle, b"\x80\0\0\0", 4)
mount = ctypes.c_int()
assert libc.name_to_handle_at(-100, b".", handle, ctypes.byref(mount), 0) == 0
here = os.open(".", os.O_RDONLY)
print(libc.open_by_handle_at(here, handle, os.O_RDONLY), ctypes.get_errno())')");
  CHECK(tried.err == "");
  CHECK(tried.out == "-1 1\n");
}

TEST_CASE("a program in a view has its streams, its directory and its exit status") {
  Scratch scratch;
  const auto work = scratch.make("work");
  const auto view = make_view(scratch.path(), {work.string()});
  ProcessSpec spec;
  spec.argv = {"sh", "-c", "cat; pwd; echo $NAME >&2; exit 7"};
  spec.environment = Environment{{"PATH", "/usr/bin:/bin"}, {"NAME", "captain"}};
  spec.directory = work.string();
  spec.input = "ahoy\n";
  const auto ended = view.run(spec);
  REQUIRE(ended.ok());
  CHECK(ended->out == "ahoy\n" + work.string() + "\n");
  CHECK(ended->err == "captain\n");
  CHECK(ended->exit_code == 7);

  spec.argv = {"no-such-program"};
  const auto missing = view.run(spec);
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().code == ErrorCode::not_found);
  spec.argv = {"sh"};
  spec.directory = "/no/such/directory";
  const auto nowhere = view.run(spec);
  REQUIRE_FALSE(nowhere.ok());
  CHECK(nowhere.error().message.find("/no/such/directory") != std::string::npos);
  CHECK(sh(view, "kill -9 $$").signal == SIGKILL);
  CHECK(sh(view, "tr '\\0' ' ' </proc/1/cmdline").out.find("test_") == std::string::npos);
}

TEST_CASE("a step that is stopped ends with all its group; what it left behind ends with the view") {
  Scratch scratch;
  const auto background = nap(1), stubborn = nap(2);
  {
    const auto view = make_view(scratch.path());
    CHECK(sh(view, "setsid " + background + " >/dev/null 2>&1 & echo started").out == "started\n");
    CHECK(sh(view, "ps ax").out.find(background) != std::string::npos);
    std::stop_source stop;
    std::jthread stopper([&stop] {
      std::this_thread::sleep_for(300ms);
      stop.request_stop();
    });
    ProcessSpec spec;
    spec.argv = {"/bin/sh", "-c", "trap '' INT TERM; " + stubborn + " & wait; wait; wait; " + stubborn};
    spec.interrupt_grace = spec.terminate_grace = 100ms;
    const auto ended = view.run(spec, stop.get_token());
    REQUIRE(ended.ok());
    CHECK(ended->stopped);
    CHECK(ended->signal == SIGKILL);
    CHECK(gone_soon("^" + stubborn));
    CHECK_FALSE(sh(view, "pgrep -f '^" + background + "'").out.empty());
  }
  CHECK(gone_soon("^" + background));
}

TEST_CASE("an owner of a view", "[.view-owner]") {
  const char* given = ::getenv("DRYDOCK_TEST_OWNER");
  if (!given) return skipped("for the next case");
  const fs::path scratch = given;
  auto journal = Journal::open(scratch / "state");
  REQUIRE(journal.ok());
  auto view = View::make({.directory = scratch / "view", .journal = *journal});
  if (!view) FAIL(view.error().to_string());
  sh(*view, "setsid " + std::string(::getenv("DRYDOCK_TEST_NAP")) + " & echo x >/tmp/in-the-view; sleep 100");
}

TEST_CASE("an owner that is killed leaves nothing after the next start") {
  Scratch scratch;
  const auto background = nap(3);
  const pid_t owner = ::fork();
  REQUIRE(owner >= 0);
  if (owner == 0) {
    ::setenv("DRYDOCK_TEST_OWNER", scratch.path().c_str(), 1);
    ::setenv("DRYDOCK_TEST_NAP", background.c_str(), 1);
    ::execl("/proc/self/exe", "test", "[.view-owner]", nullptr);
    ::_exit(127);
  }
  for (int i = 0; i < 100; ++i) {
    ProcessSpec spec;
    spec.argv = {"pgrep", "-f", "^" + background};
    if (run_process(spec)->exit_code == 0) break;
    std::this_thread::sleep_for(50ms);
  }
  REQUIRE(::kill(owner, SIGKILL) == 0);
  REQUIRE(::waitpid(owner, nullptr, 0) == owner);
  CHECK(gone_soon("^" + background));
  CHECK(fs::exists(scratch.path() / "view"));
  const auto reaped = reap(scratch.path() / "state");
  REQUIRE(reaped.ok());
  CHECK(reaped->left == std::vector<std::string>{});
  CHECK_FALSE(fs::exists(scratch.path() / "view"));
  for (const auto& mount : current_mounts()) CHECK_FALSE(mount.target.starts_with(scratch.path().string()));
}

TEST_CASE("in an ordinary user's view", "[.view-user]") {
  if (is_root()) return skipped("for the next case");
  Scratch scratch;
  const auto work = scratch.make("work");
  const std::string home = ::getenv("HOME");
  write(home + "/kept", "kept");
  {
    const auto view = make_view(scratch.path(), {work.string()});
    CHECK(view.kind() == ViewKind::read_only);
    CHECK(sh(view, "echo changed >$HOME/kept && echo new >/tmp/new && echo new >/var/tmp/new && echo made >" +
                       work.string() + "/made && echo x >/dev/shm/x").err == "");
    CHECK(sh(view, "cat $HOME/kept /tmp/new; id -u").out == "changed\nnew\n" + std::to_string(k_user) + "\n");
    for (const auto* script : {"echo x >/etc/x", "echo x >/usr/bin/x", "mount -t tmpfs none /mnt", "cd /proc/1/root",
                               "unshare --user --map-root-user --mount mount -o remount,rw,bind /", "cat /proc/1/environ",
                               "ls /dev/sd* /dev/vd* /dev/loop* 2>/dev/null | grep .", "apt-get install -y no-such"}) {
      CAPTURE(script);
      CHECK(sh(view, script).exit_code != 0);
    }
    const auto su = sh(view, "su -c id");
    CHECK(su.exit_code == 1);
    CHECK(su.err.find("refused: this step runs as an ordinary user") != std::string::npos);
  }
  CHECK(read(home + "/kept") == "kept");
  CHECK(read(work / "made") == "made\n");
  CHECK_FALSE(fs::exists(scratch.path() / "view"));
  CHECK_FALSE(fs::exists("/tmp/new"));
}

TEST_CASE("an ordinary user has a read-only view") {
  if (!is_root()) return skipped("root only, who becomes another user");
  Scratch scratch;
  const auto done = as_user("[.view-user]", scratch.path());
  if (done.output.find("gives no view of itself") != std::string::npos) return skipped(done.output);
  INFO(done.output);
  CHECK(done.exit_code == 0);
}

TEST_CASE("what runs in an ordinary user's view ends as in root's") {
  if (!is_root()) return skipped("root only, who becomes another user");
  Scratch scratch;
  const auto done = as_user("a program in a view has its streams*,a step that is stopped*,an owner that is killed*",
                            scratch.path());
  INFO(done.output);
  CHECK(done.exit_code == 0);
}
