#include "executors/step/hash_files.h"

#include <filesystem>
#include <fstream>

#include "executors/base/fs.h"
#include "tests/executors/step/support.h"

namespace drydock::step {
namespace {

namespace fs = std::filesystem;

class Workspace {
 public:
  Workspace() : root_(TempDir::create("", "drydock-hash-test-").value()) {
    write("work/package-lock.json", "one\n");
    write("work/app/package-lock.json", "two\n");
    write("work/app/.hidden", "three\n");
    write("outside/package-lock.json", "four\n");
    fs::create_directory_symlink(root_.path() + "/outside", root_.path() + "/work/linked");
  }

  std::string path() const { return root_.path() + "/work"; }
  std::string home() const { return path() + "/app"; }
  void write(const std::string& name, const std::string& text) {
    const fs::path file = root_.path() + "/" + name;
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
  }
  /// The first 12 digits, or the message of the error.
  std::string hash(const std::vector<std::string>& arguments) const {
    const auto result = hash_files(arguments, {.workspace = path(), .home = home()});
    return result.ok() ? result->substr(0, 12) : result.error().message;
  }

 private:
  TempDir root_;
};

}  // namespace

// Expected: the binary SHA-256 sums of the files one after another, hashed once more.
TEST_CASE("files of a workspace are hashed as GitHub's runner does") {
  const Workspace workspace;
  struct Case {
    std::vector<std::string> arguments;
    std::string expected;
  };
  const std::string one = "9c64071fc196", two_one = "18d44588eb75", three_two = "fb8dacd91e6e", two_four_one = "faf57c5b2556", four = "a5b67d65899c";
  const std::vector<Case> cases = {
      {{"package-lock.json"}, one},
      {{"**/package-lock.json"}, two_one},
      {{"package-lock.json", "app/package-lock.json"}, "b3e00007a221"},
      {{"**/package-lock.json", "!app/**"}, one},
      {{"**/package-lock.json\n!app"}, one},
      {{"app"}, three_two},
      {{"~"}, three_two},
      {{"./app/"}, three_two},
      {{"# app", "app"}, three_two},
      {{"--follow-symbolic-links", "**/package-lock.json"}, two_four_one},
      {{"--Follow-Symbolic-Links", "linked/*"}, four},
      {{"linked/*"}, ""},
      {{"missing", "*.nothing"}, ""},
      {{"../outside/*"}, "hashFiles('../outside/*') failed. Fail to hash files under directory '" + workspace.path() +
                             "': Invalid pattern '../outside/*'. Relative pathing '.' and '..' is not allowed."},
      {{"--follow", "x"}, "Invalid glob option --follow, available option: '--follow-symbolic-links'."},
      {{""}, ""},
  };
  for (const auto& c : cases) {
    INFO(c.arguments.front());
    CHECK(workspace.hash(c.arguments) == c.expected);
  }
}

TEST_CASE("hashing is bounded in time, and a broken link is an error") {
  const Workspace workspace;
  const std::vector<std::string> all{"*.json"};
  const auto late = hash_files(all, {.workspace = workspace.path(), .home = "", .limit = std::chrono::seconds(-1)});
  REQUIRE_FALSE(late.ok());
  CHECK(late.error().code == ErrorCode::timeout);
  fs::create_symlink("nowhere", workspace.path() + "/broken");
  CHECK(workspace.hash({"broken"}).find("Fail to hash files") != std::string::npos);
  CHECK(workspace.hash({"--follow-symbolic-links", "broken"}).empty());
}

TEST_CASE("steps see the files as they are when the step begins") {
  const auto ran = test::run(R"(    steps:
      - run: echo "before '${{ hashFiles('*.lock') }}'"
      - run: printf one > a.lock
      - run: echo "after '${{ hashFiles('*.lock') }}'"
      - run: echo condition
        if: hashFiles('a.lock') != '' && hashFiles('b.lock') == ''
      - run: echo "$KEY"
        env:
          KEY: ${{ runner.os }}-${{ hashFiles('**/a.lock') }}
      - run: echo never ${{ hashFiles('../x') }}
)");
  INFO(ran.log << ran.messages);
  CHECK(ran.logged("before ''\n"));
  CHECK(ran.logged("after 'fe8d7a873dc48961a6af334c996b2cb3ce37149d5ce9c9253952a54c6a92c1ad'\n"));
  CHECK(ran.logged("condition\n"));
  CHECK(ran.logged("Linux-fe8d7a873dc48961a6af334c996b2cb3ce37149d5ce9c9253952a54c6a92c1ad\n"));
  CHECK(ran.conclusions() == "success success success success success failure");
  CHECK(ran.said("Relative pathing '.' and '..' is not allowed"));
}

}  // namespace drydock::step
