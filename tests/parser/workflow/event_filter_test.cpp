#include "parser/workflow/event_filter.h"
#include "parser/workflow/reader.h"

#include "tests/support/catch.h"

using namespace drydock::parser::workflow;

namespace {

Verdict judge(const std::string& on, const Trigger& trigger) {
  const auto result = read_workflow("on:\n" + on + "jobs:\n  a:\n    runs-on: x\n", "w.yml");
  REQUIRE(result.ok());
  return triggered_by(*result.workflow, trigger);
}

Trigger push(std::string ref, std::optional<std::vector<std::string>> paths = std::nullopt) {
  Trigger trigger;
  trigger.event = "push";
  trigger.ref = std::move(ref);
  trigger.changed_paths = std::move(paths);
  return trigger;
}

Trigger pull(std::string activity, std::string base) {
  Trigger trigger;
  trigger.event = "pull_request";
  trigger.activity = std::move(activity);
  trigger.ref = std::move(base);
  return trigger;
}

}  // namespace

TEST_CASE("on: decides which events run a workflow, and says why not") {
  struct Case {
    std::string on;
    Trigger trigger;
    bool runs;
    std::string reason;
  };
  const std::string branches_and_tags = "  push:\n    branches: [main]\n    tags: ['v*']\n";
  const std::string paths = "  push:\n    paths: ['src/**', '!src/docs/**']\n";
  const std::vector<Case> cases = {
      {"  push:\n", push("refs/heads/x"), true, ""},
      {"  push:\n", pull("opened", "main"), false, "event 'pull_request' is not among: push"},
      {branches_and_tags, push("refs/heads/main"), true, ""},
      {branches_and_tags, push("refs/heads/x"), false, "branch 'x' does not match branches: main"},
      {branches_and_tags, push("refs/tags/v1"), true, ""},
      {branches_and_tags, push("refs/tags/x"), false, "tag 'x' does not match tags: v*"},
      {"  push:\n    branches: main\n", push("refs/tags/v1"), false, "a tag was pushed, and only branches are filtered for"},
      {"  push:\n    tags: v*\n", push("refs/heads/main"), false, "a branch was pushed, and only tags are filtered for"},
      {"  push:\n    branches-ignore: ['wip/**']\n", push("refs/heads/wip/a"), false, "branch 'wip/a' matches branches-ignore: wip/**"},
      {paths, push("refs/heads/x", {{"src/a.c"}}), true, ""},
      {paths, push("refs/heads/x", {{"src/docs/a.md", "README"}}), false, "no changed path matches paths: src/**, !src/docs/**"},
      {paths, push("refs/heads/x"), true, "the changed paths are not known and taken to match"},
      {paths, push("refs/tags/v1", {{"README"}}), true, ""},
      {"  push:\n    paths-ignore: ['**.md']\n", push("refs/heads/x", {{"a.md", "b/c.md"}}), false,
       "every changed path matches paths-ignore: **.md"},
      {"  push:\n    paths-ignore: ['**.md']\n", push("refs/heads/x", {{"a.md", "b.c"}}), true, ""},
      {"  pull_request:\n", pull("opened", "refs/heads/main"), true, ""},
      {"  pull_request:\n", pull("closed", "refs/heads/main"), false,
       "activity type 'closed' is not among: opened, synchronize, reopened"},
      {"  pull_request:\n    types: [closed]\n    branches: [main]\n", pull("closed", "refs/heads/dev"), false,
       "branch 'dev' does not match branches: main"},
  };
  for (const auto& c : cases) {
    INFO(c.on << c.trigger.ref);
    const auto verdict = judge(c.on, c.trigger);
    CHECK(verdict.runs == c.runs);
    CHECK(verdict.reason == c.reason);
  }
}
