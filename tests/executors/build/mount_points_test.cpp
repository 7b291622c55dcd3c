#include "executors/build/mount_points.h"

#include <sys/stat.h>

#include <map>

#include "tests/executors/build/support.h"

using namespace drydock;
using namespace drydock::build;
using namespace drydock::build::test;
namespace fs = std::filesystem;

namespace {

/// Everything that a layer could show of a tree.
std::map<std::string, std::string> state_of(const fs::path& root) {
  std::map<std::string, std::string> state;
  const auto note = [&](const fs::path& path) {
    struct stat st {};
    ::lstat(path.c_str(), &st);
    state[path.lexically_relative(root).string()] =
        std::to_string(st.st_mode) + " " + std::to_string(st.st_uid) + ":" + std::to_string(st.st_gid) + " " +
        std::to_string(st.st_mtim.tv_sec) + "." + std::to_string(st.st_mtim.tv_nsec) + " " +
        (S_ISDIR(st.st_mode) ? "" : std::to_string(st.st_size));
  };
  note(root);
  for (const auto& item : fs::recursive_directory_iterator(root)) note(item.path());
  return state;
}

MountPoints points_in(const fs::path& root) {
  auto points = MountPoints::open(root);
  REQUIRE(points.ok());
  return std::move(*points);
}

using Kind = MountPoints::Kind;

}  // namespace

TEST_CASE("mount points leave no trace") {
  Scratch scratch;
  const auto root = scratch.make("root");
  write(root / "etc/passwd", "x");
  write(root / "etc/hosts", "the image's own");
  fs::create_directories(root / "run");
  for (const auto* path : {"etc/passwd", "etc/hosts", "etc", "run", ""}) set_mtime(root / path, 1000000000);
  const auto before = state_of(root);
  {
    auto points = points_in(root);
    for (const auto* path : {"/proc", "/sys", "/dev", "/run/secrets", "/a/b/c/d"}) {
      CAPTURE(path);
      REQUIRE(points.need(path, Kind::directory).ok());
      CHECK(fs::is_directory(root / std::string(path).substr(1)));
    }
    for (const auto* path : {"/etc/hosts", "/etc/resolv.conf", "/run/secrets/token", "/opt/x/file"}) {
      CAPTURE(path);
      REQUIRE(points.need(path, Kind::file).ok());
      CHECK(fs::is_regular_file(root / std::string(path).substr(1)));
    }
    CHECK(read(root / "etc/hosts") == "the image's own");
  }
  CHECK(state_of(root) == before);
}

TEST_CASE("what the command did beside a mount point stays") {
  Scratch scratch;
  const auto root = scratch.make("root");
  fs::create_directories(root / "etc");
  set_mtime(root / "etc", 1000000000);
  {
    auto points = points_in(root);
    REQUIRE(points.need("/etc/hosts", Kind::file).ok());
    REQUIRE(points.need("/cache/npm", Kind::directory).ok());
    REQUIRE(points.need("/etc/resolv.conf", Kind::file).ok());
    write(root / "etc/new", "by the command");
    write(root / "cache/left", "by the command");
    write(root / "etc/resolv.conf", "written through");
  }
  CHECK(fs::exists(root / "etc/new"));
  CHECK_FALSE(fs::exists(root / "etc/hosts"));
  CHECK(read(root / "cache/left") == "by the command");
  CHECK_FALSE(fs::exists(root / "cache/npm"));
  CHECK(read(root / "etc/resolv.conf") == "written through");
  // Something was really done there, so the directory's time is the command's.
  CHECK(mtime(root / "etc") != 1000000000);
}

TEST_CASE("mount points never lie outside the root") {
  Scratch scratch;
  const auto root = scratch.make("root");
  const auto outside = scratch.make("outside");
  fs::create_symlink("/../outside", root / "link");
  fs::create_directories(root / "outside");
  {
    auto points = points_in(root);
    REQUIRE(points.need("/link/file", Kind::file).ok());
    REQUIRE(points.need("/../../escaped", Kind::file).ok());
    CHECK(fs::exists(root / "outside/file"));
    CHECK(fs::exists(root / "escaped"));
  }
  CHECK(fs::is_empty(outside));
  CHECK(fs::is_empty(root / "outside"));
  CHECK_FALSE(fs::exists(root / "escaped"));
}

TEST_CASE("a mount point below a file is refused") {
  Scratch scratch;
  const auto root = scratch.make("root");
  write(root / "file", "x");
  auto points = points_in(root);
  const auto refused = points.need("/file/below", Kind::file);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message.find("/file/below") != std::string::npos);
}
