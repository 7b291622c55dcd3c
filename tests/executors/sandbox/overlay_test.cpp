#include "executors/sandbox/overlay.h"

#include "executors/sandbox/mountinfo.h"
#include "tests/executors/sandbox/support.h"

using namespace drydock;
using namespace drydock::sandbox;
using namespace drydock::sandbox::test;
namespace fs = std::filesystem;

namespace {

bool is_mounted(const fs::path& target) {
  for (const auto& mount : current_mounts()) {
    if (mount.target == target) return true;
  }
  return false;
}

// Layer n holds its own file and its number in "top", so a missing layer shows.
void check_many_layers(const fs::path& scratch, int layers) {
  OverlaySpec spec;
  spec.marks = default_marks();
  for (int i = 0; i < layers; ++i) {
    const auto layer = scratch / "a-rather-long-directory-name-for-layers-as-chain-ids-are" / std::to_string(i);
    write(layer / ("file" + std::to_string(i)), std::to_string(i));
    write(layer / "top", std::to_string(i));
    spec.lower.push_back(layer);
  }
  fs::create_directories(scratch / "upper");
  fs::create_directories(scratch / "work");
  fs::create_directories(scratch / "target");
  spec.upper = scratch / "upper";
  spec.work = scratch / "work";
  const auto target = scratch / "target";
  {
    auto mount = mount_overlay(spec, target);
    if (!mount) FAIL(mount.error().to_string());
    CHECK(is_mounted(fs::canonical(target)));
    CHECK(read(target / "top") == "0");
    int found = 0;
    for (int i = 0; i < layers; ++i) found += read(target / ("file" + std::to_string(i))) == std::to_string(i);
    CHECK(found == layers);
    fs::remove(target / ("file" + std::to_string(layers - 1)));
    write(target / "new", "new");
    CHECK_FALSE(fs::exists(target / ("file" + std::to_string(layers - 1))));
  }
  CHECK_FALSE(is_mounted(fs::canonical(target)));
  CHECK(read(scratch / "upper/new") == "new");
  CHECK(fs::symlink_status(scratch / "upper" / ("file" + std::to_string(layers - 1))).type() ==
        fs::file_type::character);
}

void check_small_mounts(const fs::path& scratch) {
  write(scratch / "one/file", "one");
  fs::create_directories(scratch / "view");
  const auto view = scratch / "view";
  {
    auto mount = mount_overlay({{scratch / "one"}, {}, {}, default_marks()}, view);
    if (!mount) FAIL(mount.error().to_string());
    CHECK(read(view / "file") == "one");
    write(view / "file", "changed");
    CHECK(read(scratch / "one/file") == "one");
  }
  {
    auto mount = mount_tmpfs({1 << 20, 0700}, view);
    if (!mount) FAIL(mount.error().to_string());
    write(view / "x", "x");
    auto moved = std::move(*mount);
    CHECK(moved.path() == fs::canonical(view));
    REQUIRE(moved.detach());
    CHECK_FALSE(fs::exists(view / "x"));
  }
  CHECK_FALSE(is_mounted(fs::canonical(view)));
}

}  // namespace

TEST_CASE("overlay options are as snapshots record them") {
  CHECK(overlay_options(OverlayMarks::trusted) == "redirect_dir=off,metacopy=off,index=off");
  CHECK(overlay_options(OverlayMarks::user) == "redirect_dir=nofollow,metacopy=off,index=off,userxattr");
}

TEST_CASE("mountinfo is read with its escapes") {
  const auto mounts = parse_mountinfo(
      "36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 shared:7 - ext3 /dev/root rw,errors=continue\n"
      "37 35 0:52 / /x rw - overlay drydock-1-2-3 rw\n");
  REQUIRE(mounts.size() == 2);
  CHECK(mounts[0].target == "/mnt 2");
  CHECK(mounts[0].type == "ext3");
  CHECK(mounts[1].source == "drydock-1-2-3");
}

TEST_CASE("130 layers as root", "[real]") {
  if (!is_root()) return skipped("needs root");
  const Scratch scratch;
  check_many_layers(scratch.path(), 130);
}

TEST_CASE("small mounts as root", "[real]") {
  if (!is_root()) return skipped("needs root");
  const Scratch scratch;
  check_small_mounts(scratch.path());
}

TEST_CASE("a mount that fails says what and where", "[real]") {
  if (!is_root()) return skipped("needs root");
  const Scratch scratch;
  const auto absent = mount_overlay({{scratch.path() / "absent", scratch.make("b")}, {}, {}, OverlayMarks::trusted},
                                    scratch.make("target"));
  REQUIRE_FALSE(absent);
  CHECK(absent.error().message.find("absent") != std::string::npos);
  CHECK_FALSE(mount_tmpfs({}, scratch.path() / "nowhere"));
}

TEST_CASE("inside: mounts", "[.inside]") {
  const Scratch first, second;
  check_many_layers(first.path(), 130);
  check_small_mounts(second.path());
  CHECK(probe_overlay(first.path()).works);
}

TEST_CASE("mounts in a user namespace", "[real]") {
  if (const auto support = probe_user_namespace(); !support.possible) return skipped(support.why);
  const Scratch scratch;
  const auto rerun = in_user_namespace("inside: mounts", scratch.path());
  INFO(rerun.output);
  CHECK(rerun.exit_code == 0);
}

TEST_CASE("the overlay probe leaves nothing", "[real]") {
  if (!is_root()) return skipped("needs root");
  const Scratch scratch;
  const auto support = probe_overlay(scratch.path());
  INFO(support.why);
  CHECK(support.works);
  CHECK(fs::is_empty(scratch.path()));
}
