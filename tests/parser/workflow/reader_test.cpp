#include "parser/workflow/reader.h"

#include "tests/support/catch.h"

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
