#include <cstdlib>
#include <filesystem>

#include "tests/executors/actions/support.h"

using namespace drydock;
using namespace drydock::actions;
namespace fs = std::filesystem;

namespace {

/// A repository with three commits, a branch, an annotated tag, and a changed file.
class Source {
 public:
  Source() : home_(test::temporary()) {
    git({"init", "-q", "-b", "main", path()});
    write("a", "1");
    commit("one");
    write("dir/b", "2");
    commit("two");
    git({"-C", path(), "tag", "-a", "v1", "-m", "tagged"});
    git({"-C", path(), "branch", "side"});
    write("a", "3");
    commit("three");
  }
  std::string path() const { return home_.path() + "/src"; }
  std::string workspace() const { return home_.path() + "/work"; }
  void write(const std::string& file, const std::string& text) {
    REQUIRE(make_directories(fs::path(path() + "/" + file).parent_path().string()).ok());
    REQUIRE(write_file_atomic(path() + "/" + file, text).ok());
  }
  void commit(const std::string& message) {
    git({"-C", path(), "add", "-A"});
    git({"-C", path(), "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "-m", message});
  }
  static std::string git(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "git");
    auto environment = current_environment();
    environment["GIT_COMMITTER_NAME"] = environment["GIT_AUTHOR_NAME"] = "t";
    environment["GIT_COMMITTER_EMAIL"] = environment["GIT_AUTHOR_EMAIL"] = "t@t";
    const auto ran = run_process({.argv = arguments, .environment = environment});
    REQUIRE(ran.ok());
    INFO(ran->err);
    REQUIRE(ran->exit_code == 0);
    return ran->out.substr(0, ran->out.find_last_not_of('\n') + 1);
  }
  std::string id(const std::string& revision) const { return git({"-C", path(), "rev-parse", revision + "^{commit}"}); }
  std::string in_work(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"-C", workspace()});
    return git(arguments);
  }

  test::Setting setting(step::NoCaseMap<std::string> inputs = {}, std::string ref = "refs/heads/main") const {
    test::Setting out{.uses = "actions/checkout@v4", .inputs = std::move(inputs),
                      .github = {{"repository", "o/r"}, {"server_url", "https://h"}, {"ref", ref},
                                 {"sha", id(ref)}, {"event", nlohmann::json::object()}},
                      .environment = current_environment()};
    out.places.workspace = workspace();
    out.places.source = path();
    return out;
  }

 private:
  TempDir home_;
};

}  // namespace

TEST_CASE("the commit of the event fills the workspace") {
  Source source;
  source.write("a", "changed");
  const auto before = Source::git({"-C", source.path(), "status", "--porcelain"});
  for (const auto isolation : {step::Isolation::host, step::Isolation::container}) {
    auto setting = source.setting();
    setting.runner.isolation = isolation;
    const auto done = test::run(*make_checkout({}), setting);
    INFO(done.error());
    REQUIRE(done.status.ok());
    CHECK(test::text_of(source.workspace() + "/a") == "3");
    CHECK(done.output("ref") == "refs/heads/main");
    CHECK(done.output("commit") == source.id("main"));
    CHECK(done.said("without 1 uncommitted change(s) (a)"));
    CHECK(source.in_work({"status", "--porcelain"}).empty());
    CHECK(source.in_work({"branch", "--show-current"}) == "main");
    CHECK(source.in_work({"rev-list", "--count", "HEAD"}) == "1");
    CHECK(source.in_work({"config", "remote.origin.url"}) == "https://h/o/r");
    CHECK(source.in_work({"fsck", "--no-dangling"}).empty());
  }
  CHECK(Source::git({"-C", source.path(), "status", "--porcelain"}) == before);
}

TEST_CASE("refs, depths and paths") {
  Source source;
  struct Row {
    const char* event_ref;
    step::NoCaseMap<std::string> inputs;
    const char *a, *branch, *depth;
  };
  const Row rows[] = {{"refs/heads/main", {{"ref", "side"}}, "1", "side", "1"},
                      {"refs/heads/main", {{"ref", "refs/tags/v1"}}, "1", "", "1"},
                      {"refs/heads/main", {{"ref", "v1"}}, "1", "", "1"},
                      {"refs/tags/v1", {}, "1", "", "1"},
                      {"refs/heads/main", {{"fetch-depth", "2"}}, "3", "main", "2"},
                      {"refs/heads/main", {{"fetch-depth", "0"}}, "3", "main", "3"}};
  for (const auto& row : rows) {
    const auto done = test::run(*make_checkout({}), source.setting(row.inputs, row.event_ref));
    INFO(done.error());
    REQUIRE(done.status.ok());
    CHECK(test::text_of(source.workspace() + "/a") == row.a);
    CHECK(source.in_work({"branch", "--show-current"}) == row.branch);
    CHECK(source.in_work({"rev-list", "--count", "HEAD"}) == row.depth);
  }
  CHECK(source.in_work({"tag"}) == "v1");
  CHECK(source.in_work({"branch", "-r"}).find("origin/side") != std::string::npos);

  const auto commit = source.id("side");
  const auto by_commit = test::run(*make_checkout({}), source.setting({{"ref", commit}, {"path", "sub/here"}}));
  INFO(by_commit.error());
  REQUIRE(by_commit.status.ok());
  CHECK(by_commit.output("ref").empty());
  CHECK(test::text_of(source.workspace() + "/sub/here/dir/b") == "2");
}

TEST_CASE("cleaning, uncommitted changes, sparse trees and credentials") {
  Source source;
  REQUIRE(test::run(*make_checkout({}), source.setting()).status.ok());
  REQUIRE(write_file_atomic(source.workspace() + "/left", "x").ok());
  REQUIRE(test::run(*make_checkout({}), source.setting({{"clean", "false"}})).status.ok());
  CHECK(exists(source.workspace() + "/left"));
  REQUIRE(test::run(*make_checkout({}), source.setting()).status.ok());
  CHECK(!exists(source.workspace() + "/left"));

  source.write("a", "changed");
  REQUIRE(fs::remove(source.path() + "/dir/b"));
  ActionServices with_changes;
  with_changes.uncommitted = Uncommitted::include;
  REQUIRE(test::run(*make_checkout(with_changes), source.setting()).status.ok());
  CHECK(test::text_of(source.workspace() + "/a") == "changed");
  CHECK(!exists(source.workspace() + "/dir/b"));

  const auto sparse = test::run(*make_checkout({}), source.setting({{"sparse-checkout", "dir"}, {"sparse-checkout-cone-mode", "false"}}));
  INFO(sparse.error());
  REQUIRE(sparse.status.ok());
  CHECK(exists(source.workspace() + "/dir/b"));
  CHECK(!exists(source.workspace() + "/a"));

  auto setting = source.setting({{"token", "tok"}});
  const auto done = test::run(*make_checkout({}), setting);
  const auto file = source.workspace() + "/.git/config";
  CHECK(test::text_of(file).find("AUTHORIZATION: basic eC1hY2Nlc3MtdG9rZW46dG9r") != std::string::npos);
  setting.state = done.effects.state;
  REQUIRE(test::run(*make_checkout({}), setting, test::Phase::post).status.ok());
  CHECK(test::text_of(file).find("AUTHORIZATION") == std::string::npos);
}

TEST_CASE("checkouts that are refused") {
  Source source;
  struct Row {
    step::NoCaseMap<std::string> inputs;
    const char* text;
  };
  const Row rows[] = {{{{"ref", "nosuch"}}, "A branch or tag with the name 'nosuch' could not be found"},
                      {{{"ref", std::string(40, 'd')}}, "is not in the repository"},
                      {{{"path", "../x"}}, "is not under"},
                      {{{"repository", "one"}}, "Invalid repository 'one'"},
                      {{{"lfs", "true"}}, "input 'lfs'"},
                      {{{"ssh-key", "k"}}, "input 'ssh-key'"}};
  for (const auto& row : rows) {
    const auto done = test::run(*make_checkout({}), source.setting(row.inputs));
    INFO(done.error());
    CHECK(!done.status.ok());
    CHECK(done.error().find(row.text) != std::string::npos);
  }
  auto other = source.setting({{"repository", "x/y"}});
  other.runner.network = step::NetworkPolicy::offline;
  CHECK(test::run(*make_checkout({}), other).status.error().code == ErrorCode::network);
  auto inside = source.setting();
  inside.places.workspace = source.path();
  CHECK(test::run(*make_checkout({}), inside).error().find("would overwrite") != std::string::npos);
  CHECK(exists(source.path() + "/a"));
}
