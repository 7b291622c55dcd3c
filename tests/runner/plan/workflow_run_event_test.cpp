#include "runner/plan/workflow_run_event.h"

#include "parser/workflow/reader.h"
#include "tests/support/catch.h"

using namespace drydock;
using namespace drydock::runner;

namespace {

GitFacts facts(const std::string& ref, char sha) {
  GitFacts git;
  git.owner = "o";
  git.name = "r";
  git.has_remote = true;
  git.sha = std::string(40, sha);
  git.ref = ref;
  git.default_branch = "main";
  git.before = std::string(40, '0');
  git.login = "jo";
  return git;
}

parser::workflow::Workflow workflow(const std::string& head) {
  const auto read = parser::workflow::read_workflow(head + "\njobs: {a: {runs-on: x, steps: [{run: a}]}}\n", ".github/workflows/ci.yml");
  REQUIRE(read.ok());
  return *read.workflow;
}

}  // namespace

TEST_CASE("the event that follows a run") {
  const auto ci = workflow("name: CI\non: push");
  const auto push = make_event({.name = "push"}, facts("refs/heads/topic", 'b')).value();
  const FollowedRun run{.workflow = &ci, .event = &push, .title = "CI of topic", .id = "77", .conclusion = Outcome::failure,
                        .started = parse_rfc3339("2024-02-03T04:05:06Z").value(), .finished = parse_rfc3339("2024-02-03T04:06:00Z").value()};
  const auto event = follow_event(run, RunActivity::completed, facts("refs/heads/main", 'a')).value();
  CHECK(event.github["event_name"] == "workflow_run");
  CHECK(event.github["ref"] == "refs/heads/main");
  CHECK(event.github["sha"] == std::string(40, 'a'));
  CHECK(event.github["actor"] == "jo");
  CHECK(event.notes.empty());
  const OrderedJson& payload = event.payload();
  CHECK(payload["action"] == "completed");
  CHECK(payload["workflow"]["path"] == ".github/workflows/ci.yml");
  const OrderedJson& of = payload["workflow_run"];
  CHECK(of["id"] == 77);
  CHECK(of["name"] == "CI");
  CHECK(of["display_title"] == "CI of topic");
  CHECK(of["head_branch"] == "topic");
  CHECK(of["head_sha"] == std::string(40, 'b'));
  CHECK(of["event"] == "push");
  CHECK(of["status"] == "completed");
  CHECK(of["conclusion"] == "failure");
  CHECK(of["updated_at"] == "2024-02-03T04:06:00Z");
  CHECK(of["workflow_id"] == payload["workflow"]["id"]);
  CHECK(of["repository"]["full_name"] == "o/r");
  const auto begun = follow_event(run, RunActivity::in_progress, facts("refs/heads/main", 'a')).value();
  CHECK(begun.payload()["workflow_run"]["status"] == "in_progress");
  CHECK(begun.payload()["workflow_run"]["conclusion"].is_null());
}

TEST_CASE("a run of a pull request is followed by its own branch") {
  const auto ci = workflow("on: pull_request");
  const auto pull = make_event({.name = "pull_request"}, facts("refs/heads/topic", 'b')).value();
  const auto event = follow_event({.workflow = &ci, .event = &pull, .id = "77", .conclusion = Outcome::success}, RunActivity::completed,
                                  facts("refs/heads/main", 'a')).value();
  const OrderedJson& of = event.payload()["workflow_run"];
  CHECK(of["name"] == ".github/workflows/ci.yml");
  CHECK(of["head_branch"] == "topic");
  CHECK(of["head_sha"] == std::string(40, 'b'));
  CHECK(of["pull_requests"][0]["base"]["ref"] == "main");
}

TEST_CASE("which workflows follow") {
  const auto ci = workflow("name: CI\non: push");
  const auto push = make_event({.name = "push"}, facts("refs/heads/topic", 'b')).value();
  const auto event = follow_event({.workflow = &ci, .event = &push, .id = "1"}, RunActivity::completed, facts("refs/heads/main", 'a')).value();
  struct Row {
    const char* on;
    bool follows;
  };
  const Row rows[] = {
      {"on: {workflow_run: {workflows: [CI]}}", true},
      {"on: {workflow_run: {workflows: [CI], types: [completed]}}", true},
      {"on: {workflow_run: {workflows: [CI], types: [requested]}}", false},
      {"on: {workflow_run: {workflows: [Other]}}", false},
      {"on: {workflow_run: {workflows: ['C*']}}", true},
      {"on: {workflow_run: {workflows: [CI], branches: [topic]}}", true},
      {"on: {workflow_run: {workflows: [CI], branches: [main]}}", false},
      {"on: {workflow_run: {workflows: [CI], branches-ignore: ['top*']}}", false},
      {"on: push", false},
  };
  for (const auto& row : rows) {
    INFO(row.on);
    CHECK(triggered_by(workflow(row.on), event.trigger).runs == row.follows);
  }
}
