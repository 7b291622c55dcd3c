#include "executors/sandbox/journal.h"

#include <sys/mount.h>
#include <sys/wait.h>

#include <csignal>
#include <thread>

#include <nlohmann/json.hpp>

#include "executors/sandbox/journal_file.h"
#include "executors/sandbox/mountinfo.h"
#include "executors/sandbox/overlay.h"
#include "executors/sandbox/supervisor.h"
#include "tests/executors/sandbox/support.h"

using namespace drydock;
using namespace drydock::sandbox;
using namespace drydock::sandbox::test;
namespace fs = std::filesystem;

namespace {

int mounts_below(const fs::path& directory) {
  int found = 0;
  for (const auto& mount : current_mounts()) found += mount.target.starts_with(directory.string());
  return found;
}

int journals_in(const fs::path& state) {
  int found = 0;
  std::error_code error;
  for ([[maybe_unused]] const auto& file : fs::directory_iterator(state / "journal", error)) ++found;
  return found;
}

// Runs a hidden test case of this program as a child and waits until it has written `ready`.
pid_t start_owner(const std::string& filter, const fs::path& scratch) {
  const auto self = fs::read_symlink("/proc/self/exe").string();
  const pid_t pid = fork();
  if (pid == 0) {
    setenv("DRYDOCK_TEST_OWNER", scratch.c_str(), 1);
    execl(self.c_str(), self.c_str(), filter.c_str(), nullptr);
    _exit(127);
  }
  for (int i = 0; i < 500 && !fs::exists(scratch / "ready"); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return pid;
}

void kill_hard(pid_t pid) {
  ::kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
}

}  // namespace

TEST_CASE("a journal's text gives what is still held") {
  const Owner owner{7, 99, "boot", "mnt:[1]"};
  const auto header = journal_header(owner).dump() + "\n";
  const auto one = journal_line(1, {Held::mount, "/a", {{"source", "s"}}}).dump() + "\n";
  const auto two = journal_line(2, {Held::container, "c", {}}).dump() + "\n";
  const struct {
    std::string name, text;
    int held;  // -1: not a journal
  } table[] = {
      {"nothing held", header, 0},
      {"two", header + one + two, 2},
      {"one gone", header + one + two + "{\"gone\":1}\n", 1},
      {"last line cut short", header + one + two.substr(0, 20), 1},
      {"a line of a later version's kind", header + one + "{\"hold\":3,\"kind\":\"vm\",\"name\":\"x\"}\n", 1},
      {"unknown schema", "{\"schema\":2,\"pid\":1}\n" + one, -1},
      {"no header", one, -1},
      {"empty", "", -1},
  };
  for (const auto& row : table) {
    INFO(row.name);
    const auto journal = parse_journal(row.text);
    CHECK((journal ? static_cast<int>(journal->held.size()) : -1) == row.held);
    if (journal) CHECK(journal->owner == owner);
  }
}

TEST_CASE("a living owner's journal is left alone, an empty one goes with it") {
  const Scratch scratch;
  {
    const auto journal = Journal::open(scratch.path());
    REQUIRE(journal);
    const auto directory = scratch.make("held");
    const auto number = (*journal)->note({Held::directory, directory.string(), {}});
    REQUIRE(number);
    const auto report = reap(scratch.path());
    REQUIRE(report);
    CHECK(report->dead_owners == 0);
    CHECK(fs::exists(directory));
    (*journal)->gone(*number);
    CHECK(journals_in(scratch.path()) == 1);
  }
  CHECK(journals_in(scratch.path()) == 0);
}

TEST_CASE("what a journal names but does not match is left alone", "[real]") {
  if (!is_root()) return skipped("needs root");
  const Scratch scratch;
  const auto target = fs::canonical(scratch.make("target"));
  auto mount = mount_tmpfs({}, target);
  REQUIRE(mount);
  auto owner = this_process();
  owner.pid = 999999;
  const auto entry = JournalEntry{Held::mount, target.string(), {{"source", "drydock-another"}}};
  write(scratch.path() / "state/journal/999999-1-0.jsonl",
        journal_header(owner).dump() + "\n" + journal_line(1, entry).dump() + "\n");
  const auto report = reap(scratch.path() / "state");
  REQUIRE(report);
  CHECK(report->dead_owners == 1);
  CHECK(report->undone.empty());
  CHECK(mounts_below(target) == 1);
}

TEST_CASE("groups of a container whose runtime was killed while it made them go", "[real]") {
  const auto host = this_container_host();
  if (!host.cgroups_writable) return skipped("needs control groups that can be made");
  const Scratch scratch;
  const auto id = "half-made-" + std::to_string(getpid());
  std::vector<fs::path> made;
  for (const auto& mount : current_mounts()) {
    if (!mount.type.starts_with("cgroup")) continue;
    made.push_back(mount.target + host.cgroup_parent + "/" + id);
    fs::create_directories(made.back() / "below");
  }
  REQUIRE_FALSE(made.empty());
  auto owner = this_process();
  owner.pid = 999999;
  const JournalEntry entry{Held::container, id, {{"runtime", "/bin/false"}, {"root", scratch.path() / "runtime"}, {"group", host.cgroup_parent + "/" + id}}};
  write(scratch.path() / "state/journal/999999-1-0.jsonl",
        journal_header(owner).dump() + "\n" + journal_line(1, entry).dump() + "\n");
  const auto report = reap(scratch.path() / "state");
  REQUIRE(report);
  CHECK(report->left.empty());
  for (const auto& group : made) CHECK_FALSE(fs::exists(group));
  CHECK(journals_in(scratch.path() / "state") == 0);
}

TEST_CASE("inside: hold mounts", "[.inside]") {
  const fs::path scratch = std::getenv("DRYDOCK_TEST_OWNER");
  const auto journal = *Journal::open(scratch / "state");
  OverlaySpec spec{{scratch / "lower", scratch / "second"}, scratch / "upper", scratch / "work", default_marks()};
  for (const auto* name : {"lower", "second", "upper", "work", "merged", "bound", "memory", "held"}) {
    fs::create_directories(scratch / name);
  }
  const auto overlay = mount_overlay(spec, scratch / "merged", journal);
  REQUIRE(overlay);
  const auto bound = bind_mount({scratch / "lower", Access::read_only}, scratch / "bound", journal);
  REQUIRE(bound);
  const auto memory = mount_tmpfs({}, scratch / "memory", journal);
  REQUIRE(memory);
  REQUIRE(journal->note({Held::directory, (scratch / "held").string(), {}}));
  write(scratch / "ready", "");
  std::this_thread::sleep_for(std::chrono::seconds(60));
}

TEST_CASE("kill -9 of the owner, then reap: nothing stays mounted", "[real]") {
  if (!is_root()) return skipped("needs root");
  const Scratch scratch;
  const auto pid = start_owner("inside: hold mounts", scratch.path());
  REQUIRE(fs::exists(scratch.path() / "ready"));
  CHECK(mounts_below(scratch.path()) == 3);
  kill_hard(pid);
  CHECK(mounts_below(scratch.path()) == 3);
  const auto report = reap(scratch.path() / "state");
  REQUIRE(report);
  CHECK(report->dead_owners == 1);
  CHECK(report->left.empty());
  CHECK(mounts_below(scratch.path()) == 0);
  CHECK_FALSE(fs::exists(scratch.path() / "held"));
  CHECK(journals_in(scratch.path() / "state") == 0);
}

TEST_CASE("inside: hold a container", "[.inside]") {
  const fs::path scratch = std::getenv("DRYDOCK_TEST_OWNER");
  make_rootfs(scratch / "rootfs", *native_busybox());
  const auto runtime = Runtime::find(scratch / "state", *Journal::open(scratch / "state"));
  REQUIRE(runtime);
  ContainerSpec spec;
  spec.id = "held-" + std::to_string(getpid());
  spec.rootfs = scratch / "rootfs";
  spec.args = {"/bin/sh", "-c", "sleep 7071 & echo up; sleep 7072"};
  ContainerIo io;
  io.on_stdout = [&](std::string_view) { write(scratch / "ready", ""); };
  (void)runtime->run(spec, io);
}

TEST_CASE("kill -9 of the owner ends its container and everything in it", "[real]") {
  if (!is_root()) return skipped("needs root");
  if (const auto why = why_no_containers(); !why.empty()) return skipped(why);
  const Scratch scratch;
  const auto pid = start_owner("inside: hold a container", scratch.path());
  REQUIRE(fs::exists(scratch.path() / "ready"));
  kill_hard(pid);
  const auto runs = [] {
    for (const auto& entry : fs::directory_iterator("/proc")) {
      const auto line = read(entry.path() / "cmdline");
      if (line.find("sleep") != std::string::npos && line.find("707") != std::string::npos) return true;
    }
    return false;
  };
  for (int i = 0; i < 250 && runs(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK_FALSE(runs());
  const auto state = scratch.path() / "state/runtime" / ("held-" + std::to_string(pid));
  for (int i = 0; i < 250 && fs::exists(state); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK_FALSE(fs::exists(state));
  const auto report = reap(scratch.path() / "state");
  REQUIRE(report);
  CHECK(report->left.empty());
  CHECK_FALSE(fs::exists(scratch.path() / "state/bundles" / ("held-" + std::to_string(pid))));
}
