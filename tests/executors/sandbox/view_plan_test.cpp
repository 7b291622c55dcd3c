#include "executors/sandbox/view_plan.h"

#include <linux/mount.h>
#include <sys/mount.h>

#include <algorithm>

#include "tests/support/catch.h"

using namespace drydock::sandbox;

namespace {

ViewFacts root_facts() {
  ViewFacts facts;
  facts.kind = ViewKind::copy_on_write;
  facts.directory = "/store/job/view";
  facts.overlay_options = "index=off";
  facts.mounts = {{.path = "/", .type = "ext4"}};
  facts.shared = {"/store/job/temp", "/store/job/work"};
  return facts;
}

std::vector<ViewStep> at(const std::vector<ViewStep>& steps, const std::string& target) {
  std::vector<ViewStep> found;
  for (const auto& step : steps) {
    if (step.target == "/store/job/view/root" + target && step.act != Act::make_directory) found.push_back(step);
  }
  return found;
}

std::size_t position(const std::vector<ViewStep>& steps, const std::string& target) {
  const auto found = std::find_if(steps.begin(), steps.end(), [&](const ViewStep& step) {
    return step.target == "/store/job/view/root" + target && step.act == Act::mount;
  });
  REQUIRE(found != steps.end());
  return static_cast<std::size_t>(found - steps.begin());
}

}  // namespace

TEST_CASE("which mounts belong in a view") {
  struct Row {
    const char* path;
    const char* type;
    RootOf root;
    bool belongs;
  };
  const auto row = GENERATE(values<Row>({
      {"/", "ext4", RootOf::directory, true},
      {"/", "overlay", RootOf::directory, true},
      {"/home", "btrfs", RootOf::directory, true},
      {"/tmp", "tmpfs", RootOf::directory, true},
      {"/usr", "overlay", RootOf::directory, true},
      {"/var/lib/docker/overlay2/abc/merged", "overlay", RootOf::directory, false},
      {"/etc/hosts", "ext4", RootOf::file, true},
      {"/srv/name-space", "nsfs", RootOf::other, false},
      {"/srv/socket", "ext4", RootOf::other, false},
      {"/proc", "proc", RootOf::directory, false},
      {"/srv/chroot/proc", "proc", RootOf::directory, false},
      {"/sys/fs/cgroup", "cgroup2", RootOf::directory, false},
      {"/run", "tmpfs", RootOf::directory, false},
      {"/run/user/1000", "tmpfs", RootOf::directory, false},
      {"/runner", "ext4", RootOf::directory, true},
      {"/dev/shm", "tmpfs", RootOf::directory, false},
      {"/misc", "autofs", RootOf::directory, false},
  }));
  CAPTURE(row.path, row.type);
  CHECK(belongs_in_view({.path = row.path, .type = row.type, .root = row.root}) == row.belongs);
}

TEST_CASE("every file system of the machine gets its own overlay, without devices") {
  auto facts = root_facts();
  facts.mounts.push_back({.path = "/home", .type = "xfs", .mode = 0711, .uid = 3, .gid = 4});
  facts.mounts.push_back({.path = "/tmp:a,b", .type = "tmpfs", .mode = 01777});
  const auto steps = plan_view(facts);
  for (const auto* target : {"", "/home", "/tmp:a,b"}) {
    const auto found = at(steps, target);
    REQUIRE(found.size() == 1);
    CHECK(found[0].type == "overlay");
    CHECK(found[0].flags & MS_NODEV);
  }
  CHECK(at(steps, "").front().if_fails == IfFails::stop);
  CHECK(at(steps, "/home").front().if_fails == IfFails::bind_read_only);
  CHECK(at(steps, "/home").front().data ==
        "index=off,volatile,lowerdir=/home,upperdir=/store/job/view/1/upper,workdir=/store/job/view/1/work");
  CHECK(at(steps, "/tmp:a,b").front().data.find("lowerdir=/tmp\\:a\\,b,") != std::string::npos);
  const auto upper = std::find_if(steps.begin(), steps.end(),
                                  [](const auto& step) { return step.target == "/store/job/view/1/upper"; });
  REQUIRE(upper != steps.end());
  CHECK((upper->mode == 0711 && upper->uid == 3u && upper->gid == 4));
}

TEST_CASE("a file that is a mount is copied when it is small, and what is shared has no overlay") {
  auto facts = root_facts();
  facts.mounts.push_back({.path = "/etc/hosts", .type = "ext4", .root = RootOf::file, .size = 200});
  facts.mounts.push_back({.path = "/etc/huge", .type = "ext4", .root = RootOf::file, .size = 1u << 30});
  facts.mounts.push_back({.path = "/store/job/work/deep", .type = "ext4"});
  const auto steps = plan_view(facts);
  REQUIRE(at(steps, "/etc/hosts").size() == 1);
  CHECK(at(steps, "/etc/hosts").front().act == Act::copy_file);
  CHECK(at(steps, "/etc/huge").empty());
  CHECK(at(steps, "/store/job/work/deep").empty());
  const auto shared = at(steps, "/store/job/work");
  REQUIRE(shared.size() == 2);
  CHECK((shared[0].source == "/store/job/work" && shared[0].flags == (MS_BIND | MS_REC)));
  CHECK((shared[1].act == Act::protect && shared[1].flags == MOUNT_ATTR_NODEV));
}

TEST_CASE("what root could change the machine through is read-only or hidden") {
  const auto steps = plan_view(root_facts());
  for (const auto* path : {"/proc/sys", "/proc/sysrq-trigger", "/sys"}) {
    const auto found = at(steps, path);
    REQUIRE(found.size() == 2);
    CHECK((found[1].act == Act::protect && found[1].flags & MOUNT_ATTR_RDONLY));
  }
  REQUIRE(at(steps, "/proc/kcore").size() == 1);
  CHECK(position(steps, "/dev/null") < position(steps, "/proc/kcore"));
  CHECK(position(steps, "") < position(steps, "/dev"));
  CHECK(steps.back().target == "/store/job/view/root/store/job/view");  // its own changes, last
}

TEST_CASE("an ordinary user's view is read-only but for a few folders") {
  auto facts = root_facts();
  facts.kind = ViewKind::read_only;
  facts.mounts.clear();
  facts.writable = {{.path = "/tmp", .mode = 01777}, {.path = "/home/anna", .mode = 0700, .uid = 1000, .gid = 1000}};
  facts.root_tools = {"/usr/bin/sudo"};
  const auto steps = plan_view(facts);
  const auto root = at(steps, "");
  REQUIRE(root.size() == 2);
  CHECK((root[0].source == "/" && root[0].flags == (MS_BIND | MS_REC)));
  CHECK((root[1].act == Act::protect && root[1].flags & MOUNT_ATTR_RDONLY));
  REQUIRE(at(steps, "/home/anna").size() == 1);
  CHECK(at(steps, "/home/anna").front().if_fails == IfFails::bind_empty);
  CHECK(at(steps, "/usr/bin/sudo").size() == 1);
  CHECK(at(steps, "/proc/sys").empty());
  // One id is mapped: no owner can be given away.
  CHECK(std::none_of(steps.begin(), steps.end(), [](const auto& step) { return step.uid.has_value(); }));
}

TEST_CASE("changes kept in memory lie on a file system of their own") {
  auto facts = root_facts();
  facts.in_memory = true;
  const auto steps = plan_view(facts);
  CHECK((steps.front().type == "tmpfs" && steps.front().target == "/store/job/view"));
}
