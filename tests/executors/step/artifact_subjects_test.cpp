#include "executors/step/artifact_subjects.h"

#include <filesystem>

#include "executors/base/fs.h"
#include "tests/support/catch.h"

using namespace drydock;
using namespace drydock::step;

namespace {

std::string told(const std::string& text, const ArtifactPlaces& places) {
  ArtifactSubjects subjects;
  const auto added = subjects.declare(text, places);
  return added ? subjects.list() : added.error().message;
}

}  // namespace

TEST_CASE("artifacts are files of the workspace and images by digest") {
  auto made = TempDir::create(std::filesystem::temp_directory_path());
  REQUIRE(made.ok());
  const std::string root = made->path();
  REQUIRE(write_file_atomic(root + "/app", "abc").ok());
  const ArtifactPlaces here{.workspace = root, .shared = {}}, inside{.workspace = root, .shared = {{"/github/workspace", root}}};
  const std::string abc = R"({"version":1,"subjects":[{"name":"app","digest":"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","kind":"file"}]})";
  const std::string zeros(64, '0'), line = "Invalid $GITHUB_ARTIFACTS entry on line 1: ";
  CHECK(told("", here) == R"({"version":1,"subjects":[]})");
  CHECK(told("app", here) == abc);
  CHECK(told("\n# a remark\n  ./app \r\nFILE://" + root + "/app\n", here) == abc);
  CHECK(told("/github/workspace/app", inside) == abc);
  CHECK(told(root + "/app", inside) == line + "absolute path '" + root + "/app' is not in a directory that the step shares with its runner");
  CHECK(told("/github/workspace/../app", inside).find("is not in a directory") != std::string::npos);
  CHECK(told("r/i:1@SHA256:" + zeros, here) == line + "file 'r/i:1@SHA256:" + zeros + "' does not exist (relative paths are resolved against the workspace root '" + root + "')");
  CHECK(told("oci://r/i:1@sha256:" + zeros, here) == R"({"version":1,"subjects":[{"name":"r/i:1","digest":"sha256:)" + zeros + R"(","kind":"oci"}]})");
  CHECK(told("oci://r/i@sha512:" + zeros, here) == line + "digest 'sha512' must be 128 hex characters, got 64");
  CHECK(told("oci://r/i", here) == line + "oci:// entries must include an @sha{256,384,512}:<hex> digest");
  CHECK(told("https://x/y", here) == line + "unsupported URI scheme");
  CHECK(told(".", here) == line + "'.' is a directory, not a regular file");
  CHECK(told("file:// ", here) == line + "file:// entries must include a path");
  CHECK(told("a=b", here) == line + "entries containing '=' are reserved and not permitted");
}

TEST_CASE("a job declares 500 artifacts at most, each with one digest, and a wrong file changes nothing") {
  ArtifactSubjects subjects;
  const ArtifactPlaces places{.workspace = "/nowhere", .shared = {}};
  std::string many;
  for (int i = 0; i < 500; ++i) many += "i" + std::to_string(i) + "@sha256:" + std::string(64, 'a') + "\n";
  CHECK(*subjects.declare(many, places) == 500);
  CHECK(*subjects.declare(many, places) == 0);
  const auto one_more = subjects.declare("i500@sha256:" + std::string(64, 'a'), places);
  REQUIRE(!one_more.ok());
  CHECK(one_more.error().message == "Invalid $GITHUB_ARTIFACTS entry on line 1: The job has exceeded the maximum of 500 declared artifacts.");
  const auto other = subjects.declare("\ni7@sha256:" + std::string(64, 'b'), places);
  REQUIRE(!other.ok());
  CHECK(other.error().message.find("entry on line 2: Conflicting digest for artifact 'i7'") != std::string::npos);
  CHECK(subjects.size() == 500);
  CHECK(!subjects.declare(std::string(1024 * 1024 + 1, '#'), places).ok());
}
