#include <sys/stat.h>

#include "tests/executors/sandbox/support.h"

using namespace drydock;
using namespace drydock::sandbox;
using namespace drydock::sandbox::test;

namespace {

std::string shown(const Result<UserIds>& ids) {
  if (!ids) return "error " + std::string(name_of(ids.error().code));
  auto text = std::to_string(ids->uid) + ":" + std::to_string(ids->gid) + " [";
  for (const auto group : ids->groups) text += " " + std::to_string(group);
  return text + " ] " + ids->home;
}

}  // namespace

TEST_CASE("users of an image") {
  const Scratch scratch;
  write(scratch.path() / "etc/passwd",
        "root:x:0:0:root:/root:/bin/bash\nbroken\nnode:x:1000:1001:Node:/home/node:/bin/sh\n7:x:70:71::/seven:\n"
        "nohome:x:80:80\nhuge:x:99999999999:1::/:\n");
  write(scratch.path() / "etc/group",
        "root:x:0:root\nnode:x:1001:\nstaff:x:50:node,other\nwheel:x:10:other,node\nlike:x:60:nodejs\n");
  const struct {
    const char *user, *expected;
  } table[] = {
      {"", "0:0 [ ] /root"},
      {"root", "0:0 [ 0 ] /root"},
      {"node", "1000:1001 [ 50 10 ] /home/node"},
      {"1000", "1000:1001 [ 50 10 ] /home/node"},
      {"node:staff", "1000:50 [ ] /home/node"},
      {"node:77", "1000:77 [ ] /home/node"},
      {"1234", "1234:0 [ ] /"},
      {"1234:5678", "1234:5678 [ ] /"},
      {"7", "70:71 [ ] /seven"},
      {":staff", "0:50 [ ] /root"},
      {"nohome", "80:80 [ ] /"},
      {"huge", "error not_found"},
      {"nobody", "error not_found"},
      {"node:nogroup", "error not_found"},
      {"-1", "error not_found"},
      {"4294967296", "error not_found"},
  };
  for (const auto& row : table) {
    INFO(row.user);
    CHECK(shown(resolve_user(scratch.path(), row.user)) == row.expected);
  }
}

TEST_CASE("an image's passwd cannot point outside") {
  const Scratch scratch;
  write(scratch.path() / "outside/passwd", "evil:x:6:6::/:\n");
  const auto rootfs = scratch.make("rootfs");
  std::filesystem::create_directories(rootfs / "etc");
  SECTION("an absolute link is taken inside the image") {
    std::filesystem::create_symlink((scratch.path() / "outside/passwd").string(), rootfs / "etc/passwd");
    CHECK(shown(resolve_user(rootfs, "evil")) == "error not_found");
    write(rootfs / "data/passwd", "good:x:5:5::/:\n");
    std::filesystem::remove(rootfs / "etc/passwd");
    std::filesystem::create_symlink("/data/passwd", rootfs / "etc/passwd");
    CHECK(shown(resolve_user(rootfs, "good")) == "5:5 [ ] /");
  }
  SECTION("so is one with too many steps up") {
    std::filesystem::create_symlink("../../outside/passwd", rootfs / "etc/passwd");
    CHECK(shown(resolve_user(rootfs, "evil")) == "error not_found");
  }
  SECTION("a FIFO does not stop us") {
    REQUIRE(mkfifo((rootfs / "etc/passwd").c_str(), 0644) == 0);
    CHECK(shown(resolve_user(rootfs, "3")) == "3:0 [ ] /");
  }
  SECTION("no file at all") { CHECK(shown(resolve_user(rootfs, "3:4")) == "3:4 [ ] /"); }
}
