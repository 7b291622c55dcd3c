#include "runner/plan/expand.h"

#include "parser/workflow/reader.h"
#include "tests/support/catch.h"

using namespace drydock;
using namespace drydock::runner;

namespace {

/// The legs of the only job of a workflow; `job` is its body, indented by four.
Expansion expand(const std::string& job, const std::string& head = "", const RunSettings& changed = {}) {
  const auto read = parser::workflow::read_workflow("on: push\n" + head + "jobs:\n  a:\n" + job, ".github/workflows/w.yml");
  for (const auto& problem : read.diagnostics) UNSCOPED_INFO(format_line(problem));
  REQUIRE(read.ok());
  RunSettings settings = changed;
  settings.runner.arch = "X64";
  settings.vars = {{"LABELS", "[\"self-hosted\",\"gpu\"]"}, {"YES", "true"}};
  ExpansionContexts contexts;
  contexts.github = {{"repository", "o/r"}, {"ref", "refs/heads/main"}, {"sha", "abc"}};
  contexts.needs = parser::expression::Value(parser::expression::Object());
  return expand_job(*read.workflow, read.workflow->jobs.front(), contexts, settings);
}

const std::string k_steps = "    steps: [{run: 'true'}]\n";

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const auto& text : texts) out += (out.empty() ? "" : " ") + text;
  return out;
}

}  // namespace

TEST_CASE("labels and groups of runs-on") {
  RunSettings gpu;
  gpu.labels = {"gpu"};
  struct Row {
    const char *runs_on, *labels, *group, *refused;
  };
  const Row rows[] = {
      {"ubuntu-latest", "ubuntu-latest", "", ""},
      {"[self-hosted, linux, x64]", "self-hosted linux x64", "", ""},
      {"[self-hosted, GPU]", "self-hosted GPU", "", ""},
      {"[self-hosted, arm64]", "self-hosted arm64", "", "asks for another processor"},
      {"${{ fromJSON(vars.LABELS) }}", "self-hosted gpu", "", ""},
      {"'${{ vars.YES && ''linux'' }}'", "linux", "", ""},
      {"{group: big}", "", "big", ""},
      {"{group: big, labels: [linux, gpu]}", "linux gpu", "big", ""},
      {"{group: '${{ github.ref }}', labels: tpu}", "tpu", "refs/heads/main", "runs-on 'tpu' is no label of this machine"},
      {"${{ fromJSON('{\"group\":\"big\",\"labels\":\"linux\"}') }}", "linux", "big", ""},
      {"windows-2022", "windows-2022", "", "Windows jobs cannot run"},
  };
  for (const auto& row : rows) {
    INFO(row.runs_on);
    const auto out = expand("    runs-on: " + std::string(row.runs_on) + "\n" + k_steps, "", gpu);
    REQUIRE(out.legs.size() == 1);
    CHECK(joined(out.legs[0].labels) == row.labels);
    CHECK(out.legs[0].runner_group == row.group);
    REQUIRE(out.problems.size() == (*row.refused ? 1 : 0));
    if (*row.refused) CHECK(format_line(out.problems[0]).find(row.refused) != std::string::npos);
  }
}

TEST_CASE("limits of a job") {
  const auto leg = [](const std::string& keys) { return expand("    runs-on: linux\n" + keys + k_steps); };
  CHECK(leg("").legs[0].request.timeout == std::chrono::minutes(360));
  CHECK(leg("").legs[0].request.cancel_timeout == std::chrono::minutes(5));
  CHECK(leg("    timeout-minutes: ${{ fromJSON('2') }}\n").legs[0].request.timeout == std::chrono::minutes(2));
  CHECK(leg("    cancel-timeout-minutes: 1\n").legs[0].request.cancel_timeout == std::chrono::minutes(1));
  CHECK(format_line(leg("    timeout-minutes: ${{ fromJSON('0') }}\n").problems.at(0)).find("timeout-minutes is '0'") != std::string::npos);
  CHECK(format_line(leg("    timeout-minutes: ${{ format('{0}', 2) }}\n").problems.at(0)).find("Unexpected value '2'") != std::string::npos);
  CHECK(format_line(leg("    timeout-minutes: ${{ github.nothing }}\n").problems.at(0)).find("Unexpected value ''") != std::string::npos);
}

TEST_CASE("continue-on-error, names, environments and groups of each leg") {
  const auto out = expand(R"(    runs-on: linux
    name: Test ${{ matrix.n }}
    strategy: {matrix: {n: [1, 2]}, fail-fast: false, max-parallel: 1}
    continue-on-error: ${{ matrix.n == 2 }}
    environment: {name: "site-${{ matrix.n }}", url: "https://${{ job.status }}"}
    concurrency: {group: "g-${{ matrix.n }}", cancel-in-progress: "${{ matrix.n == 1 }}"}
)" + k_steps);
  REQUIRE(out.legs.size() == 2);
  CHECK(!out.fail_fast);
  CHECK(out.max_parallel == 1);
  CHECK(out.legs[0].request.key == "a (1)");
  CHECK(out.legs[0].request.name == "Test 1");
  CHECK(!out.legs[0].continue_on_error);
  CHECK(out.legs[1].continue_on_error);
  CHECK(out.legs[0].request.environment == "site-1");
  CHECK(out.legs[0].request.environment_url.is_expression());
  CHECK(out.legs[0].group->name == "g-1");
  CHECK(out.legs[0].group->cancel_in_progress);
  CHECK(!out.legs[1].group->cancel_in_progress);
}

TEST_CASE("what concurrency says") {
  struct Row {
    const char *written, *name;
    bool cancel;
    GroupQueue queue;
  };
  const Row rows[] = {
      {"deploy", "deploy", false, GroupQueue::one},
      {"'${{ github.ref }}'", "refs/heads/main", false, GroupQueue::one},
      {"{group: g, cancel-in-progress: true}", "g", true, GroupQueue::one},
      {"{group: g, queue: max}", "g", false, GroupQueue::many},
      {"{group: g, queue: single}", "g", false, GroupQueue::one},
      {"${{ fromJSON('{\"group\":\"g\",\"cancel-in-progress\":true}') }}", "g", true, GroupQueue::one},
  };
  for (const auto& row : rows) {
    INFO(row.written);
    const auto out = expand("    runs-on: linux\n    concurrency: " + std::string(row.written) + "\n" + k_steps);
    REQUIRE(out.legs.at(0).group);
    CHECK(out.legs[0].group->name == row.name);
    CHECK(out.legs[0].group->cancel_in_progress == row.cancel);
    CHECK(out.legs[0].group->queue == row.queue);
  }
  CHECK(!expand("    runs-on: linux\n    concurrency: ${{ github.nothing }}\n" + k_steps).legs.at(0).group);
}

TEST_CASE("permissions: the job's own, else the workflow's") {
  using Permissions = std::map<std::string, std::string>;
  const auto of = [](const std::string& job, const std::string& workflow) {
    return expand("    runs-on: linux\n" + job + k_steps, workflow).legs.at(0).request.permissions;
  };
  CHECK(of("", "") == Permissions{});
  CHECK(of("", "permissions: read-all\n") == Permissions{{"all", "read"}});
  CHECK(of("    permissions: {id-token: write}\n", "permissions: read-all\n") == Permissions{{"id-token", "write"}});
}

TEST_CASE("where a called workflow's jobs are") {
  const auto read = parser::workflow::read_workflow("on: push\njobs:\n  a:\n    runs-on: linux\n    strategy: {matrix: {n: [1, 2]}}\n" + k_steps,
                                                    "org/shared/.github/workflows/w.yml@v1");
  ExpansionContexts contexts;
  contexts.github = {{"repository", "o/r"}};
  contexts.caller = {.key = "call (x) / ", .name = "Call / ", .directory = "call.0+"};
  RunSettings settings;
  settings.work_dir = "/w";
  const auto out = expand_job(*read.workflow, read.workflow->jobs.front(), contexts, settings);
  REQUIRE(out.legs.size() == 2);
  CHECK(out.legs[1].request.key == "call (x) / a (2)");
  CHECK(out.legs[1].request.name == "Call / a (2)");
  CHECK(out.legs[1].request.places.temp == "/w/call.0+a.1/_temp");
  CHECK(out.legs[1].request.job["workflow_repository"] == "org/shared");
  CHECK(out.legs[1].request.job["workflow_file_path"] == ".github/workflows/w.yml");
}
