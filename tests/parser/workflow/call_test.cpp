#include "parser/workflow/reader.h"

#include "tests/support/catch.h"

#include <map>

using namespace drydock::parser;
using namespace drydock::parser::workflow;

namespace {

ReadResult read(const std::string& job, const std::map<std::string, std::string>& files) {
  Options options;
  options.max_call_depth = 3;
  options.resolve = [&](std::string_view uses) -> std::optional<std::string> {
    const auto found = files.find(std::string(uses));
    return found == files.end() ? std::nullopt : std::optional(found->second);
  };
  return read_workflow("on: push\njobs:\n  a:\n" + job, "w.yml", options);
}

std::string problems(const ReadResult& result) {
  std::string text;
  for (const auto& d : result.diagnostics) {
    text += (text.empty() ? "" : "; ") + d.file + ":" + std::to_string(d.range.start.line) + ":" +
            std::to_string(d.range.start.column) + " " + d.message;
  }
  return text;
}

constexpr auto k_plain = "on: workflow_call\njobs:\n  x: {runs-on: u}\n";

}  // namespace

TEST_CASE("called workflows are read and checked against the call") {
  struct Case {
    std::string job, called, expected;
  };
  const std::string uses = "    uses: ./.github/workflows/b.yml\n";
  const std::string inputs = "on:\n  workflow_call:\n    inputs:\n      n: {type: number, required: true}\n    secrets:\n"
                             "      s: {required: true}\njobs:\n  x: {runs-on: u}\n";
  const std::vector<Case> cases = {
      {uses, k_plain, ""},
      {uses, "on: push\njobs:\n  x: {runs-on: u}\n", "./.github/workflows/b.yml:1:5 workflow_call key is not defined in the referenced workflow."},
      {uses + "    with: {n: 1}\n    secrets: inherit\n", inputs, ""},
      {uses + "    with: {n: '1'}\n    secrets: {s: x}\n", inputs, "w.yml:5:15 Unexpected value '1'"},
      {uses, inputs, "w.yml:4:11 Input n is required, but not provided while calling.; "
                     "w.yml:4:11 Secret s is required, but not provided while calling."},
      {uses + "    with: {n: 1, m: 2}\n    secrets: {s: x, t: y}\n", inputs,
       "w.yml:5:21 Invalid input, m is not defined in the referenced workflow.; "
       "w.yml:6:24 Invalid secret, t is not defined in the referenced workflow."},
      {uses + "    permissions: {contents: read}\n", "on: workflow_call\npermissions: {contents: write}\njobs:\n  x: {runs-on: u}\n",
       "w.yml:3:3 Error calling workflow './.github/workflows/b.yml'. The workflow './.github/workflows/b.yml' is requesting "
       "'contents: write', but is only allowed 'contents: read'."},
      {uses, "on: workflow_call\njobs:\n  x: {runs_on: u}\n",
       "./.github/workflows/b.yml:3:6 There's not enough info to determine what you meant. Add one of these properties: "
       "cancel-timeout-minutes, container, continue-on-error, defaults, env, environment, outputs, runs-on, secrets, services, "
       "snapshot, steps, timeout-minutes, uses, with; ./.github/workflows/b.yml:3:7 Unexpected value 'runs_on'"},
      {uses, "on: workflow_call\njobs:\n  x: {uses: ./.github/workflows/b.yml}\n",
       "./.github/workflows/b.yml:3:13 Nested reusable workflow depth exceeded 3."},
  };
  for (const auto& c : cases) {
    INFO(c.job << c.called);
    CHECK(problems(read(c.job, {{"./.github/workflows/b.yml", c.called}})) == c.expected);
  }
}

TEST_CASE("a call keeps what it called, and permissions go down") {
  const auto result = read("    uses: o/r/.github/workflows/b.yml@v1\n    permissions: {contents: read, packages: write}\n",
                           {{"o/r/.github/workflows/b.yml@v1", "on: workflow_call\njobs:\n  x: {uses: ./.github/workflows/c.yml}\n"},
                            {"o/r/.github/workflows/c.yml@v1", k_plain}});
  CHECK(problems(result).empty());
  REQUIRE(result.ok());
  const auto& job = result.workflow->jobs[0];
  REQUIRE(job.called);
  REQUIRE(job.called->jobs[0].called);
  CHECK(job.called->jobs[0].called->file == "o/r/.github/workflows/c.yml@v1");
  CHECK(job.called->jobs[0].called->jobs[0].granted->scopes.at("packages") == PermissionLevel::write);
}

TEST_CASE("a called workflow that cannot be had is left unresolved") {
  const auto result = read("    uses: o/r/.github/workflows/b.yml@v1\n", {});
  CHECK(result.ok());
  CHECK_FALSE(result.workflow->jobs[0].called);
}
