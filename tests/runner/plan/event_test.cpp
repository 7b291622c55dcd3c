#include "runner/plan/event.h"

#include <cstdlib>
#include <fstream>

#include "executors/base/fs.h"
#include "executors/base/process.h"
#include "parser/workflow/reader.h"
#include "tests/support/catch.h"

using namespace drydock;
using namespace drydock::runner;

namespace {

/// A repository made by git itself, away from the user's configuration.
class Repo {
 public:
  Repo() : dir_(TempDir::create("", "drydock-git-test-").value()) {
    sh("git init -q -b main . && git config user.name 'Jo Doe' && git config user.email jo@example.org");
  }
  void sh(const std::string& script) {
    Environment environment = current_environment();
    for (const char* name : {"GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"}) environment[name] = "2024-02-03T04:05:06 +0200";
    environment["GIT_CONFIG_GLOBAL"] = "/dev/null";
    const auto ran = run_process({.argv = {"sh", "-ec", script}, .environment = environment, .directory = path()});
    REQUIRE(ran.ok());
    INFO(ran->err);
    REQUIRE(ran->exit_code == 0);
  }
  const std::string& path() const { return dir_.path(); }

 private:
  TempDir dir_;
};

parser::workflow::Workflow workflow_of(const std::string& yaml) {
  const auto read = parser::workflow::read_workflow(yaml, ".github/workflows/w.yml");
  REQUIRE(read.ok());
  return *read.workflow;
}

}  // namespace

TEST_CASE("remote addresses") {
  struct Row {
    const char *url, *expected;
  };
  const Row rows[] = {
      {"git@github.com:o/r.git", "https://github.com o r"},
      {"https://github.com/o/r", "https://github.com o r"},
      {"https://user:pw@example.org/o/r.git/", "https://example.org o r"},
      {"ssh://git@example.org:2222/o/r.git", "https://example.org o r"},
      {"https://example.org/a/b/r", "https://example.org a/b r"},
      {"http://localhost:3000/o/r", "http://localhost:3000 o r"},
      {"/srv/git/r.git", "-"},
      {"../r", "-"},
      {"file:///srv/o/r", "-"},
      {"https://example.org/r", "-"},
  };
  for (const auto& row : rows) {
    INFO(row.url);
    const auto parts = parse_remote_url(row.url);
    CHECK((parts ? parts->server + " " + parts->owner + " " + parts->name : "-") == row.expected);
  }
}

TEST_CASE("a push is read from the repository") {
  Repo repo;
  repo.sh("echo 1 > a; mkdir sub; echo 1 > sub/b; git add .; git commit -qm one; "
          "echo 2 > a; git rm -q sub/b; echo 1 > c; git add .; git commit -qm 'two\n\nmore'; "
          "git remote add origin git@github.com:acme/harbour.git");
  auto git = read_git_facts(repo.path() + "/");
  REQUIRE(git.ok());
  CHECK(git->repository() == "acme/harbour");
  CHECK(git->ref == "refs/heads/main");
  CHECK(git->default_branch == "main");
  CHECK(git->changed_paths == std::vector<std::string>{"a", "c", "sub/b"});
  CHECK(!git->uncommitted);
  REQUIRE(git->commits.size() == 1);
  CHECK(git->commits[0].timestamp == "2024-02-03T04:05:06+02:00");
  CHECK(git->commits[0].removed == std::vector<std::string>{"sub/b"});

  const auto event = make_event({.name = "push", .run_id = "42"}, *git);
  REQUIRE(event.ok());
  const auto text = [&](const char* name) { return event->github.at(name).get<std::string>(); };
  CHECK(text("ref_name") == "main");
  CHECK(text("ref_type") == "branch");
  CHECK(text("repository_owner") == "acme");
  CHECK(text("actor") == "acme");
  CHECK(text("run_id") == "42");
  CHECK(text("sha") == git->sha);
  CHECK(event->payload().at("before") == git->before);
  CHECK(event->payload().at("head_commit").at("message") == "two\n\nmore");
  CHECK(event->payload().at("head_commit").at("author").at("name") == "Jo Doe");
  CHECK(event->payload().at("repository").at("default_branch") == "main");
  CHECK(event->trigger.ref == "refs/heads/main");

  repo.sh("git tag v1.2.3 && echo dirty > new");
  const auto tagged = read_git_facts(repo.path(), "v1.2.3");
  REQUIRE(tagged.ok());
  CHECK(tagged->uncommitted);
  const auto push_of_tag = make_event({.name = "push"}, *tagged);
  CHECK(push_of_tag->github.at("ref") == "refs/tags/v1.2.3");
  CHECK(push_of_tag->github.at("ref_name") == "v1.2.3");
  CHECK(push_of_tag->github.at("ref_type") == "tag");
  repo.sh("git checkout -q --detach");
  CHECK(read_git_facts(repo.path())->ref == "refs/tags/v1.2.3");
  CHECK(read_git_facts(repo.path(), "nothing").error().code == ErrorCode::usage);
}

TEST_CASE("the commits since the remote's state") {
  Repo repo;
  repo.sh("git commit -q --allow-empty -m one; git init -q --bare up.git; git remote add origin ./up.git; "
          "git push -q -u origin main; git commit -q --allow-empty -m two; git commit -q --allow-empty -m three");
  const auto git = read_git_facts(repo.path());
  REQUIRE(git.ok());
  REQUIRE(git->commits.size() == 2);
  CHECK(git->commits[0].message == "two");
  CHECK(git->commits[1].message == "three");
  CHECK(!git->has_remote);
  CHECK(git->owner == "local");
}

TEST_CASE("no repository, no commit") {
  const auto empty = TempDir::create();
  CHECK(read_git_facts(empty->path()).error().code == ErrorCode::not_found);
  Repo repo;
  CHECK(read_git_facts(repo.path()).error().message.find("has no commit") != std::string::npos);
}

TEST_CASE("payloads of the user's and of pull requests") {
  GitFacts git{.sha = std::string(40, 'a'), .ref = "refs/heads/topic", .owner = "o", .name = "r", .has_remote = true,
               .default_branch = "main", .before = std::string(40, 'b')};
  const auto pull = make_event({.name = "pull_request"}, git);
  REQUIRE(pull.ok());
  CHECK(pull->github.at("ref") == "refs/pull/1/merge");
  CHECK(pull->github.at("ref_name") == "1/merge");
  CHECK(pull->github.at("head_ref") == "topic");
  CHECK(pull->github.at("base_ref") == "main");
  CHECK(pull->trigger.ref == "refs/heads/main");
  CHECK(pull->trigger.activity == "opened");
  CHECK(pull->notes.size() == 1);

  const auto dir = TempDir::create();
  const std::string file = dir->path() + "/event.json";
  REQUIRE(write_file_atomic(file, R"({"ref":"refs/tags/v2","after":"cafe","repository":{"full_name":"x/y"},"sender":{"login":"jo"}})").ok());
  const auto given = make_event({.name = "push", .payload_file = file}, git);
  REQUIRE(given.ok());
  CHECK(given->github.at("ref") == "refs/tags/v2");
  CHECK(given->github.at("sha") == "cafe");
  CHECK(given->github.at("repository") == "x/y");
  CHECK(given->github.at("actor") == "jo");
  CHECK(!given->trigger.changed_paths);
  REQUIRE(write_file_atomic(file, R"({"pull_request":{"number":7,"base":{"ref":"release/1"}}})").ok());
  CHECK(make_event({.name = "pull_request", .payload_file = file}, git)->github.at("ref") == "refs/pull/7/merge");
  CHECK(make_event({.name = "push", .payload_file = dir->path() + "/none"}, git).error().code == ErrorCode::not_found);
  REQUIRE(write_file_atomic(file, "[]").ok());
  CHECK(!make_event({.name = "push", .payload_file = file}, git).ok());
}

TEST_CASE("inputs of workflow_dispatch") {
  const auto workflow = workflow_of(R"(on:
  workflow_dispatch:
    inputs:
      who: {required: true}
      level: {type: choice, options: [low, high], default: low}
      dry: {type: boolean}
      count: {type: number, default: 3}
jobs: {a: {runs-on: ubuntu-latest, steps: [{run: x}]}}
)");
  GitFacts git{.sha = "a", .ref = "refs/heads/main", .owner = "o", .name = "r", .has_remote = true, .default_branch = "main"};
  struct Row {
    std::map<std::string, std::string> given;
    const char* expected;
  };
  const Row rows[] = {
      {{{"who", "me"}}, R"({"who":"me","level":"low","dry":false,"count":3.0})"},
      {{{"who", "me"}, {"level", "high"}, {"dry", "true"}, {"count", "5"}}, R"({"who":"me","level":"high","dry":true,"count":5.0})"},
      {{}, "the workflow .github/workflows/w.yml needs the input 'who'"},
      {{{"who", "me"}, {"level", "x"}}, "input 'level' is 'x'"},
      {{{"who", "me"}, {"dry", "yes"}}, "input 'dry' is 'yes'"},
      {{{"who", "me"}, {"nope", "1"}}, "the workflow .github/workflows/w.yml has no input 'nope'"},
  };
  for (const auto& row : rows) {
    const auto event = make_event({.name = "workflow_dispatch", .inputs = row.given}, git);
    REQUIRE(event.ok());
    const auto inputs = inputs_for(*event, workflow);
    CHECK((inputs ? inputs->dump() : inputs.error().message) == row.expected);
  }
  CHECK(default_event({workflow}) == "workflow_dispatch");
  const auto pushed = parser::workflow::read_workflow("on: push\njobs: {a: {runs-on: x, steps: [{run: a}]}}", "b.yml");
  REQUIRE(pushed.ok());
  CHECK(default_event({workflow, *pushed.workflow}) == "push");
}
