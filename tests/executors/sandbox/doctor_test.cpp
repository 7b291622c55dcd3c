#include "executors/sandbox/doctor.h"

#include <nlohmann/json.hpp>

#include "executors/sandbox/mountinfo.h"
#include "tests/executors/sandbox/support.h"

using namespace drydock;
using namespace drydock::sandbox;
using namespace drydock::sandbox::test;

TEST_CASE("the doctor tries everything and leaves nothing behind", "[real]") {
  const Scratch scratch;
  const auto checks = examine_machine({scratch.path(), {host_platform(), {"linux", "wasm", "", ""}}});
  std::map<std::string, Check> by_id;
  for (const auto& check : checks) {
    INFO(check.id << ": " << check.detail);
    CHECK_FALSE(check.title.empty());
    CHECK_FALSE(check.detail.empty());
    CHECK((check.state == CheckState::ok) == check.mend.empty());
    by_id[check.id] = check;
  }
  for (const auto* id : {"runtime", "user_namespace", "uidmap", "overlay", "cgroups", "disk"}) {
    INFO(id);
    CHECK(by_id.count(id) == 1);
  }
  CHECK(by_id["platform " + host_platform().to_string()].state == CheckState::ok);
  CHECK(by_id["platform linux/wasm"].state == CheckState::warning);
  CHECK(std::filesystem::is_empty(scratch.path()));
  // Of ours alone: other programs of this machine mount and unmount as they like.
  for (const auto& mount : current_mounts()) CHECK_FALSE(mount.target.starts_with(scratch.path().string()));

  const auto json = to_json(checks);
  CHECK(json["schema"] == 1);
  CHECK(json["checks"].size() == checks.size());
  CHECK(json["checks"][0]["id"] == "runtime");
}

TEST_CASE("a state directory that cannot be made is said so") {
  const Scratch scratch;
  write(scratch.path() / "file", "");
  const auto checks = examine_machine({scratch.path() / "file", {}});
  REQUIRE(checks.size() == 1);
  CHECK(checks[0].state == CheckState::failure);
}
