#include "parser/workflow/reader.h"

#include "tests/support/catch.h"

#include <algorithm>

using namespace drydock::parser;
using namespace drydock::parser::workflow;

namespace {

constexpr std::string_view k_build_and_push = R"(name: Build and push
on:
  push:
    branches: [main]
    tags: ['v*']
  workflow_dispatch:

permissions:
  contents: read
  packages: write

env:
  REGISTRY: localhost:5000
  IMAGE: demo/app

jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: docker/setup-qemu-action@v3
      - uses: docker/setup-buildx-action@v3
      - uses: docker/login-action@v3
        with:
          registry: ${{ env.REGISTRY }}
          username: ${{ secrets.REGISTRY_USER }}
          password: ${{ secrets.REGISTRY_PASSWORD }}
      - id: meta
        uses: docker/metadata-action@v5
        with:
          images: ${{ env.REGISTRY }}/${{ env.IMAGE }}
          tags: |
            type=ref,event=branch
            type=semver,pattern={{version}}
      - id: build
        name: Build
        uses: docker/build-push-action@v5
        with:
          platforms: linux/amd64,linux/arm64
          push: true
          tags: ${{ steps.meta.outputs.tags }}
      - run: echo "${{ steps.build.outputs.digest }}"
)";

std::vector<std::string> lines(const ReadResult& result) {
  std::vector<std::string> lines;
  for (const auto& d : result.diagnostics) {
    lines.push_back(std::to_string(d.range.start.line) + ":" + std::to_string(d.range.start.column) + ": " + d.message +
                    (d.mend.empty() ? "" : " | " + d.mend));
  }
  return lines;
}

std::string job(const std::string& body) {
  return "on: push\njobs:\n  a:\n    runs-on: x\n" + body;
}

}  // namespace

TEST_CASE("a build-and-push workflow becomes the typed model") {
  const auto result = read_workflow(k_build_and_push, "ci.yml");
  CHECK(lines(result).empty());
  REQUIRE(result.ok());
  const auto& workflow = *result.workflow;
  CHECK(workflow.name->text == "Build and push");

  REQUIRE(workflow.on.size() == 2);
  const auto* push = workflow.find_event("push");
  REQUIRE(push != nullptr);
  CHECK(push->branches->items[0].value == "main");
  CHECK(push->tags->items[0].value == "v*");
  CHECK(push->tags->items[0].range.start == Position{5, 12});
  CHECK_FALSE(push->paths.has_value());
  CHECK(workflow.find_event("workflow_dispatch") != nullptr);

  CHECK(workflow.permissions->scopes.at("packages") == PermissionLevel::write);
  CHECK(workflow.env->find("IMAGE")->text == "demo/app");

  REQUIRE(workflow.jobs.size() == 1);
  const auto& build = workflow.jobs[0];
  CHECK(build.id == "build");
  CHECK(build.range.start == Position{17, 3});
  CHECK(build.name.text == "build");
  CHECK(build.condition == "success()");
  REQUIRE(build.runs_on->labels.size() == 1);
  CHECK(build.runs_on->labels[0].text == "ubuntu-latest");

  REQUIRE(build.steps.size() == 7);
  CHECK(build.steps[0].id == "__actions_checkout");
  CHECK(build.steps[0].uses->text == "actions/checkout@v4");
  const auto& login = build.steps[3];
  CHECK(login.with->find("password")->is_expression());
  CHECK(login.with->find("password")->text == "secrets.REGISTRY_PASSWORD");
  CHECK(login.with->find("password")->range.start == Position{27, 21});
  const auto& meta = build.steps[4];
  CHECK(meta.id == "meta");
  CHECK_FALSE(meta.id_generated);
  CHECK(meta.with->find("images")->text == "format('{0}/{1}', env.REGISTRY, env.IMAGE)");
  CHECK(meta.with->find("images")->source == "${{ env.REGISTRY }}/${{ env.IMAGE }}");
  CHECK(meta.with->find("tags")->style == ScalarStyle::literal);
  CHECK(meta.with->find("tags")->text == "type=ref,event=branch\ntype=semver,pattern={{version}}\n");
  CHECK(build.steps[5].with->find("push")->text == "true");
  CHECK(build.steps[6].kind == StepKind::run);
  CHECK(build.steps[6].run->text == "format('echo \"{0}\"', steps.build.outputs.digest)");
}

TEST_CASE("what is wrong is named with its place and mend") {
  struct Case {
    std::string text;
    std::vector<std::string> expected;
  };
  const std::vector<Case> cases = {
      {job("    steps: [{run: a}]\n    timeout-minute: 5\n"),
       {"6:5: Unexpected value 'timeout-minute' | did you mean 'timeout-minutes'?"}},
      {job("    runs-on: y\n    steps: []\n"), {"5:5: 'runs-on' is already defined"}},
      {job("    needs: b\n  bb:\n    runs-on: x\n"), {"5:12: Job 'a' depends on unknown job 'b'. | did you mean 'bb'?"}},
      {job("    needs: c\n  b:\n    runs-on: x\n  c:\n    runs-on: x\n    needs: a\n"),
       {"5:12: Job 'a' depends on job 'c' which creates a cycle in the dependency graph.",
        "10:12: Job 'c' depends on job 'a' which creates a cycle in the dependency graph."}},
      {job("    timeout-minutes: soon\n"), {"5:22: Unexpected value 'soon' | expected a number"}},
      {job("    steps:\n      - uses: actions/checkout\n"),
       {"6:15: Expected format {org}/{repo}[/path]@ref. Actual 'actions/checkout' | name a version, as in actions/checkout@v1"}},
      {job("    steps:\n      - name: x\n        run: ${{ github.foo\n"),
       {"7:14: The expression is not closed. An unescaped ${{ sequence was found, but the closing }} sequence was not found."}},
      {job("    env:\n      A: ${{ steps.a }}\n"),
       {"6:14: Unrecognized named-value: 'steps'. Located at position 1 within expression: steps.a"}},
      {job("    if: github.ref == \n"), {"5:20: Unexpected end of expression: '=='. Located at position 12 within expression: github.ref =="}},
      {"on: push\n", {"1:1: Required property is missing: jobs"}},
      {"on: pusch\njobs:\n  a: {runs-on: x}\n", {"1:5: Unexpected value 'pusch' | did you mean 'push'?"}},
      {"on:\n  push:\n    branch: main\njobs:\n  a: {runs-on: x}\n", {"3:5: Unexpected value 'branch' | did you mean 'branches'?"}},
      {"", {"1:1: Unexpected value '' | a value is expected here"}},
  };
  for (const auto& c : cases) {
    INFO(c.text);
    CHECK(lines(read_workflow(c.text, "w.yml")) == c.expected);
  }
}

TEST_CASE("anchors, aliases and merge keys") {
  const auto result = read_workflow(job("    env: &e {A: 1}\n    steps:\n      - &s {run: x}\n      - *s\n  b:\n    runs-on: x\n    env: *e\n"), "w.yml");
  CHECK(lines(result).empty());
  REQUIRE(result.ok());
  CHECK(result.workflow->jobs[0].steps.size() == 2);
  CHECK(result.workflow->jobs[0].steps[1].id == "__run_2");
  CHECK(result.workflow->jobs[1].env->find("A")->text == "1");

  const auto merged = read_workflow(job("    env: &e {A: 1}\n  b:\n    <<: {runs-on: x}\n    runs-on: x\n"), "w.yml");
  CHECK(lines(merged) == std::vector<std::string>{
      "7:5: Unexpected value '<<' | GitHub has no merge keys: write the keys out, or give the whole value by an alias"});
}

TEST_CASE("hostile files end early and say why") {
  std::string bomb = "on: push\nenv:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const auto name = "a" + std::to_string(i);
    bomb += "  " + name + ": &" + name + " [";
    for (int k = 0; k < 10; ++k) bomb += std::string(k ? ", " : "") + "*a" + std::to_string(i - 1);
    bomb += "]\n";
  }
  const auto says = [](const ReadResult& result, std::string_view text) {
    return std::any_of(result.diagnostics.begin(), result.diagnostics.end(),
                       [&](const Diagnostic& d) { return d.message.find(text) != std::string::npos; });
  };
  CHECK(says(read_workflow(bomb + "jobs: {a: {runs-on: x}}\n", "w.yml"), "Maximum YAML nodes exceeded"));
  CHECK(says(read_workflow("on: push\njobs: &j\n  a: *j\n", "w.yml"), "exceeded"));
  CHECK(says(read_workflow("on: push\nenv: " + std::string(100, '[') + std::string(100, ']'), "w.yml"), "Maximum object depth exceeded"));
  CHECK(says(read_workflow(std::string(2 * 1024 * 1024, '#'), "w.yml"), "maximum file size"));
  CHECK(says(read_workflow("on: push\njobs:\n\ta: {}\n", "w.yml"), "tab"));
  CHECK(says(read_workflow("a: \"x", "w.yml"), "is not closed"));
  CHECK(says(read_workflow("a: \"x\n", "w.yml"), "not closed"));
}

TEST_CASE("steps of every kind") {
  const auto result = read_workflow(job(R"(    steps:
      - {id: srv, run: ./serve, background: true}
      - {id: db, uses: ./db, background: true, timeout-minutes: 5}
      - {wait: [srv, db]}
      - {wait-all: }
      - {cancel: srv}
      - parallel:
          - run: a
          - run: b
      - {if: always(), run: c, continue-on-error: "${{ matrix.x }}", shell: bash, working-directory: d}
)"), "w.yml");
  CHECK(lines(result).empty());
  REQUIRE(result.ok());
  const auto& steps = result.workflow->jobs[0].steps;
  REQUIRE(steps.size() == 7);
  CHECK(steps[0].background);
  CHECK(steps[1].id == "db");
  CHECK(steps[1].timeout_minutes->number == 5);
  CHECK(steps[2].kind == StepKind::wait);
  CHECK(steps[2].wait_for[1].value == "db");
  CHECK(steps[3].kind == StepKind::wait_all);
  CHECK(steps[4].cancel->value == "srv");
  REQUIRE(steps[5].parallel.size() == 2);
  CHECK(steps[5].parallel[1].run->text == "b");
  CHECK(steps[6].condition == "always()");
  CHECK(steps[6].continue_on_error->is_expression());
}

TEST_CASE("what a step waits for stands before it, and blocks hold plain steps alone") {
  const auto result = read_workflow(job(R"(    steps:
      - {id: srv, run: x, background: true}
      - {wait: [srv, SRV]}
      - {id: me, wait: me}
      - {cancel: later}
      - {wait: [__run]}
      - {wait-all: false}
      - {id: later, run: x}
      - parallel:
          - {id: srv, run: a}
          - {run: b, background: true}
          - {wait: srv}
          - parallel: [{run: c}]
      - {uses: $/build}
)"), "w.yml");
  CHECK(lines(result) == std::vector<std::string>{
      "8:24: Step 'me' cannot reference itself",
      "9:18: Step references unknown step ID 'later' | give the step before it 'id: later'",
      "10:17: The identifier '__run' is invalid. IDs starting with '__' are reserved.",
      "11:20: The value of 'wait-all' must be true or omitted",
      "13:9: 'background' is not allowed inside a parallel block. | leave it out: all steps of the block run side by side",
      "13:9: 'wait' is not allowed inside a parallel block.",
      "13:9: Nested 'parallel' blocks are not allowed."});
  REQUIRE(result.workflow);
  std::vector<std::string> ids;
  for (const auto& step : result.workflow->jobs[0].steps) ids.push_back(step.id);
  CHECK(ids == std::vector<std::string>{"srv", "__wait", "me", "__cancel", "__wait_2", "__wait-all", "later", "__parallel", "__self"});
}

TEST_CASE("everything around the jobs") {
  const auto result = read_workflow(R"(name: All
run-name: by ${{ github.actor }}
on:
  schedule: [{cron: '0 5 * * *', timezone: Europe/Berlin}]
  workflow_dispatch:
    inputs:
      level: {type: choice, options: [a, b], default: a, required: true, description: Level}
      count: {type: number, default: 3}
  workflow_call:
    inputs: {n: {type: boolean}}
    secrets: {s: {required: true}, t: }
    outputs: {o: {value: '${{ jobs.a.outputs.o }}'}}
  workflow_run: {workflows: [CI], types: completed, branches: [main]}
concurrency: {group: '${{ github.ref }}', cancel-in-progress: true}
defaults: {run: {shell: bash}}
permissions: read-all
jobs:
  a:
    runs-on: {group: org/big, labels: [self-hosted, arm64]}
    environment: {name: prod, url: 'https://${{ github.sha }}'}
    outputs: {o: '${{ steps.x.outputs.y }}'}
    strategy:
      fail-fast: false
      max-parallel: 2
      matrix:
        os: [a, b]
        include: [{os: c, extra: 1}]
    container: {image: node:22, ports: [80], credentials: {username: u, password: '${{ secrets.p }}'}}
    services: {db: postgres, cache: {image: redis}}
    timeout-minutes: 30
  b:
    needs: [a]
    if: ${{ failure() }}
    uses: ./.github/workflows/x.yml
    with: {k: 1}
    secrets: inherit
)", "w.yml");
  CHECK(lines(result).empty());
  REQUIRE(result.ok());
  const auto& w = *result.workflow;
  CHECK(w.run_name->text == "format('by {0}', github.actor)");
  CHECK(w.on[0].schedule[0].timezone->value == "Europe/Berlin");
  CHECK(w.on[1].inputs[0].options[1].value == "b");
  CHECK(w.on[1].inputs[1].default_value->number == 3);
  CHECK(w.on[2].outputs[0].value.text == "jobs.a.outputs.o");
  CHECK(w.on[2].secrets[0].required);
  CHECK(w.on[3].types->items[0].value == "completed");
  CHECK(w.concurrency->cancel_in_progress->boolean);
  CHECK(w.defaults->shell->text == "bash");
  CHECK(w.permissions->all == PermissionLevel::read);
  const auto& a = w.jobs[0];
  CHECK(a.granted->all == PermissionLevel::read);
  CHECK(a.runs_on->group->text == "org/big");
  CHECK(a.runs_on->labels[1].text == "arm64");
  CHECK(a.environment->url->is_expression());
  CHECK(a.strategy->matrix->find("os")->items.size() == 2);
  CHECK(a.strategy->max_parallel->number == 2);
  CHECK_FALSE(a.strategy->fail_fast->boolean);
  CHECK(a.container->ports->items[0].text == "80");
  CHECK(a.container->credentials->password->text == "secrets.p");
  CHECK(a.services[1].container.image->text == "redis");
  const auto& b = w.jobs[1];
  CHECK(b.is_call());
  CHECK(b.inherit_secrets);
  CHECK(b.condition == "failure()");
  CHECK(b.needs[0].value == "a");
}
