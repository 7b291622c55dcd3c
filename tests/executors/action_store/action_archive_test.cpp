#include "executors/action_store/action_archive.h"

#include <filesystem>

#include "executors/base/fs.h"
#include "executors/base/process.h"
#include "tests/executors/action_store/tarball.h"
#include "tests/support/catch.h"

using namespace drydock;
using namespace drydock::action_store;
using test::Entry;
using test::tarball;

namespace {

/// "" when it was unpacked, else what was said.
std::string unpack(const std::vector<Entry>& entries, const ArchiveLimits& limits, const std::string& into) {
  auto work = TempDir::create();
  REQUIRE(write_file_atomic(work->path() + "/a.tar.gz", tarball(entries)).ok());
  Status status = unpack_action(work->path() + "/a.tar.gz", into, limits);
  if (status) return "";
  CHECK(status.error().code == ErrorCode::corrupted);
  return status.error().message;
}

}  // namespace

TEST_CASE("the tree of an archive, without the directory around it") {
  auto target = TempDir::create();
  CHECK(unpack({{"repo-abc/", "", Entry::directory},
                {"repo-abc/action.yml", "name: x\n"},
                {"repo-abc/bin/run.sh", "#!/bin/sh\n", Entry::file, 0755},
                {"repo-abc/link", "bin/run.sh", Entry::link},
                {"repo-abc/bin/up", "../action.yml", Entry::link}},
               {}, target->path()) == "");
  CHECK(*read_file(target->path() + "/action.yml") == "name: x\n");
  CHECK(*read_file(target->path() + "/link") == "#!/bin/sh\n");
  CHECK(*read_file(target->path() + "/bin/up") == "name: x\n");
  CHECK((std::filesystem::status(target->path() + "/bin/run.sh").permissions() & std::filesystem::perms::owner_exec) != std::filesystem::perms::none);
}

TEST_CASE("hostile archives are refused and write nothing outside") {
  struct Row {
    const char* what;
    std::vector<Entry> entries;
    const char* message;
  };
  const Row rows[] = {
      {"traversal", {{"r/../../evil", "x"}}, "leads out of it"},
      {"traversal at the front", {{"../evil", "x"}}, "leads out of it"},
      {"absolute", {{"/tmp/evil", "x"}}, "is absolute"},
      {"two tops", {{"r/a", "x"}, {"s/b", "x"}}, "is not below 'r'"},
      {"a link out", {{"r/l", "../../evil", Entry::link}}, "the link 'l' leads out of it"},
      {"an absolute link", {{"r/l", "/etc/passwd", Entry::link}}, "the link 'l' leads out of it"},
      {"a link that leads out through another", {{"r/p/q/f", "x"}, {"r/p/q/l", "../..", Entry::link}, {"r/x", "p/q/l/../secret", Entry::link}}, "leads out of it"},
      {"a file through a link", {{"r/d", "..", Entry::link}, {"r/d/evil", "x"}}, "leads out of it"},
      {"a file below a link inside", {{"r/b/f", "x"}, {"r/d", "b", Entry::link}, {"r/d/evil", "x"}}, "'d' comes twice"},
      {"a file twice", {{"r/a", "x"}, {"r/a", "y"}}, "'a' comes twice"},
      {"a hard link", {{"r/a", "x"}, {"r/b", "r/a", Entry::hard_link}}, "'b' is a hard link"},
      {"a device", {{"r/null", "", Entry::device}}, "'null' is a special file"},
      {"a file at the top", {{"evil", "x"}}, "its top is no directory"},
      {"nothing", {}, "it is empty"},
  };
  for (const auto& row : rows) {
    auto target = TempDir::create();
    REQUIRE(make_directories(target->path() + "/deep/tree").ok());
    INFO(row.what);
    const std::string said = unpack(row.entries, {}, target->path() + "/deep/tree");
    CHECK_THAT(said, Catch::Matchers::Contains(row.message));
    CHECK(!exists(target->path() + "/evil"));
    CHECK(!exists(target->path() + "/deep/evil"));
  }
}

TEST_CASE("limits of an archive; what is no archive") {
  auto target = TempDir::create();
  CHECK_THAT(unpack({{"r/zeros", std::string(300'000, '\0')}}, {.bytes = 200'000}, target->path()), Catch::Matchers::Contains("more than 200000 bytes"));
  auto other = TempDir::create();
  CHECK_THAT(unpack({{"r/a", ""}, {"r/b", ""}, {"r/c", ""}}, {.entries = 2}, other->path()), Catch::Matchers::Contains("more than 2 entries"));
  REQUIRE(write_file_atomic(other->path() + "/text", "<html>not found</html>").ok());
  CHECK(unpack_action(other->path() + "/text", target->path()).error().code == ErrorCode::corrupted);
}
