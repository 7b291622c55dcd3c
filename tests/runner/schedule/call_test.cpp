// Reusable workflows: what goes in, what comes out, and how their jobs count.
#include <algorithm>

#include "tests/runner/schedule/support.h"

using namespace drydock;
using namespace drydock::runner;
using namespace drydock::runner::test;

namespace {

const std::string k_file = "./.github/workflows/called.yml";
const std::string k_call = "  call:\n    uses: " + k_file + "\n";

std::string called(const std::string& call, const std::string& jobs) {
  return "on:\n  workflow_call:\n" + call + "jobs:\n" + jobs;
}

}  // namespace

TEST_CASE("a called workflow gets inputs with types and defaults, and gives outputs") {
  const std::string inside = called(R"(    inputs:
      tag: {type: string, required: true}
      deep: {type: boolean}
      level: {type: number}
      plain: {type: string, default: "on ${{ github.ref_name }}"}
      flag: {type: boolean}
      zero: {type: number}
    outputs:
      url: {value: "https://${{ jobs.make.outputs.host }}/${{ inputs.tag }}"}
)", R"(  make:
    name: Make
    runs-on: ubuntu-latest
    outputs: {host: "${{ steps.h.outputs.host }}"}
    steps:
      - {id: h, run: echo host=a.example >> $GITHUB_OUTPUT}
      - run: echo '${{ toJSON(inputs) }}' | tr -d ' \n'; echo
      - run: echo "${{ github.workflow_ref }} ${{ job.workflow_ref }} ${{ job.workflow_file_path }} ${{ github.job }}"
)");
  const auto ran = run(k_on + R"(  first:
    runs-on: ubuntu-latest
    outputs: {tag: v7}
    steps: [{run: 'true'}]
  call:
    name: Build it
    needs: first
    uses: ./.github/workflows/called.yml
    with: {tag: "${{ needs.first.outputs.tag }}", deep: true, level: "${{ fromJSON('3') }}"}
  last:
    needs: call
    runs-on: ubuntu-latest
    steps: [{run: 'echo "got ${{ needs.call.outputs.url }} ${{ needs.call.result }}"'}]
)", {.called = {{k_file, inside}}});
  INFO(ran.log << ran.messages);
  CHECK(ran.conclusions() == "first=success call=success call / make=success last=success");
  CHECK(ran.logged(R"({"tag":"v7","deep":true,"level":3,"plain":"onmain","flag":false,"zero":0})"));
  CHECK(ran.logged("\no/r/.github/workflows/w.yml@refs/heads/main "
                   "o/r/.github/workflows/called.yml@refs/heads/main .github/workflows/called.yml make\n"));
  CHECK(ran.logged("\ngot https://a.example/v7 success\n"));
  REQUIRE(ran.result.jobs.size() == 4);
  CHECK(ran.result.jobs[1].outputs == std::map<std::string, std::string>{{"url", "https://a.example/v7"}});
  const auto named = std::find_if(ran.events.begin(), ran.events.end(), [](const Event& event) { return event.job == "call / make"; });
  REQUIRE(named != ran.events.end());
  CHECK(named->name == "Build it / Make");
}

TEST_CASE("secrets of a called workflow") {
  const std::string inside = called("    secrets: {RENAMED: {required: false}}\n", job("a", R"(    steps:
      - run: |
          test "${{ secrets.S }}" = swordfish && echo S-yes
          test "${{ secrets.RENAMED }}" = swordfish && echo renamed-yes
          test -n "${{ secrets.OTHER }}" && echo other-yes
          test -n "${{ secrets.GITHUB_TOKEN }}" && echo token-yes
          true
        shell: bash {0}
)"));
  struct Row {
    const char *what, *secrets, *seen;
  };
  const Row rows[] = {
      {"none but the token", "", "token"},
      {"mapped", "    secrets: {RENAMED: '${{ secrets.S }}'}\n", "renamed token"},
      {"inherited", "    secrets: inherit\n", "S other token"},
  };
  for (const auto& row : rows) {
    const auto ran = run(k_on + k_call + row.secrets, {.called = {{k_file, inside}}, .change = [](RunOptions& options) {
                           options.settings.secrets = {"S", "OTHER", "GITHUB_TOKEN"};
                         }});
    INFO(row.what << "\n" << ran.log << ran.messages);
    std::string seen;
    for (const char* name : {"S", "renamed", "other", "token"}) {
      if (ran.logged("\n" + std::string(name) + "-yes\n")) seen += (seen.empty() ? "" : " ") + std::string(name);
    }
    CHECK(seen == row.seen);
  }
}

TEST_CASE("calls within calls, with inherited and mapped secrets") {
  const std::string middle = "on: workflow_call\njobs:\n  two:\n    uses: ./.github/workflows/inner.yml\n    secrets: {KEY: '${{ secrets.S }}'}\n";
  const std::string inner = "on: {workflow_call: {secrets: {KEY: {required: true}}}}\nenv: {A: b}\njobs:\n" +
                            job("three", "    steps: [{run: 'test \"${{ secrets.KEY }}\" = swordfish && echo \"is $A\"'}]\n");
  const auto ran = run(k_on + "  one:\n    uses: ./.github/workflows/middle.yml\n    secrets: inherit\n",
                       {.called = {{"./.github/workflows/middle.yml", middle}, {"./.github/workflows/inner.yml", inner}},
                        .change = [](RunOptions& options) { options.settings.secrets = {"S"}; }});
  INFO(ran.log << ran.messages);
  CHECK(ran.conclusions() == "one=success one / two=success one / two / three=success");
  CHECK(ran.logged("\nis b\n"));
}

TEST_CASE("a workflow of another repository, whose own calls lie there too") {
  const std::string b = "on: workflow_call\njobs:\n" +
      job("c", "    steps: [{run: 'echo ${{ job.workflow_repository }} ${{ job.workflow_ref }} ${{ github.repository }}'}]\n");
  const auto ran = run(k_on + "  far:\n    uses: org/shared/.github/workflows/a.yml@v2\n",
                       {.called = {{"org/shared/.github/workflows/a.yml@v2", "on: workflow_call\njobs:\n  b:\n    uses: ./.github/workflows/b.yml\n"},
                                   {"org/shared/.github/workflows/b.yml@v2", b}}});
  INFO(ran.log << ran.messages);
  CHECK(ran.conclusions() == "far=success far / b=success far / b / c=success");
  CHECK(ran.logged("\norg/shared org/shared/.github/workflows/b.yml@v2 o/r\n"));
}

TEST_CASE("how the jobs of a call count for the caller") {
  struct Row {
    const char* what;
    std::string inside;
    const char* conclusions;
    Outcome run;
  };
  const Row rows[] = {
      {"success", job("a", k_ok), "call=success call / a=success next=success", Outcome::success},
      {"one skipped", job("a", k_ok) + job("b", "    if: false\n" + k_ok),
       "call=success call / a=success call / b=skipped next=success", Outcome::success},
      {"all skipped", job("a", "    if: false\n" + k_ok), "call=skipped call / a=skipped next=skipped", Outcome::skipped},
      {"failure", job("a", k_bad) + job("b", k_ok), "call=failure call / a=failure call / b=success next=skipped", Outcome::failure},
      {"continue-on-error inside", job("a", "    continue-on-error: true\n" + k_bad), "call=success call / a=failure next=success", Outcome::success},
      {"a job that cleans up inside", job("a", k_bad) + job("b", "    needs: a\n    if: failure()\n" + k_ok),
       "call=failure call / a=failure call / b=success next=skipped", Outcome::failure},
  };
  for (const auto& row : rows) {
    const auto ran = run(k_on + k_call + job("next", "    needs: call\n" + k_ok), {.called = {{k_file, called("", row.inside)}}});
    INFO(row.what << "\n" << ran.messages);
    CHECK(ran.conclusions() == row.conclusions);
    CHECK(ran.result.conclusion == row.run);
  }
}

TEST_CASE("a matrix over a call") {
  const std::string inside = called("    inputs: {n: {type: number}}\n    outputs: {o: {value: '${{ jobs.a.outputs.o }}'}}\n",
                                    job("a", R"(    outputs: {o: "${{ inputs.n == 2 && 2 || '' }}"}
    steps: [{run: 'echo n=${{ inputs.n }} > file; test ${{ inputs.n }} != 3 || exit 1'}]
)"));
  const auto call = [](const char* strategy) {
    return k_on + "  call:\n    strategy: " + strategy + "\n    uses: " + k_file + "\n    with: {n: '${{ matrix.n }}'}\n" +
           job("next", "    if: always()\n    needs: call\n    steps: [{run: 'echo o=${{ needs.call.outputs.o }}'}]\n");
  };
  SECTION("outputs of the last leg that has a value; directories of their own") {
    const auto ran = run(call("{matrix: {n: [1, 2]}}"), {.called = {{k_file, inside}}, .change = [](RunOptions& options) {
                           options.work_dirs = WorkDirs::kept;
                         }});
    INFO(ran.log << ran.messages);
    CHECK(ran.conclusions() == "call (1)=success call (1) / a=success call (2)=success call (2) / a=success next=success");
    CHECK(ran.logged("\no=2\n"));
    CHECK(read_file(ran.dir + "/run/work/call.0+a/r/r/file").value() == "n=1\n");
    CHECK(read_file(ran.dir + "/run/work/call.1+a/r/r/file").value() == "n=2\n");
  }
  SECTION("fail-fast and max-parallel reach into calls") {
    const auto ran = run(call("{max-parallel: 1, matrix: {n: [3, 4]}}"), {.called = {{k_file, inside}}});
    INFO(ran.messages);
    CHECK(ran.conclusions() == "call (3)=failure call (3) / a=failure call (4)=cancelled next=success");
  }
}

TEST_CASE("what a call cannot be given") {
  struct Row {
    const char *what, *with, *message;
  };
  const Row rows[] = {
      {"a text for a boolean", "{flag: \"${{ github.ref_name }}\"}", "Unexpected value 'main'"},
      {"a text for a number", "{level: \"${{ github.ref_name }}\"}", "Unexpected value 'main'"},
      {"a failing expression", "{level: \"${{ fromJSON(github.ref_name) }}\"}", "w.yml:5:"},
  };
  const std::string inputs = "    inputs: {flag: {type: boolean}, level: {type: number}}\n";
  for (const auto& row : rows) {
    const auto ran = run(k_on + k_call + "    with: " + row.with + "\n", {.called = {{k_file, called(inputs, job("a", k_ok))}}});
    INFO(row.what);
    REQUIRE(!ran.result.problems.empty());
    INFO(format_line(ran.result.problems.front()));
    CHECK(format_line(ran.result.problems.front()).find(row.message) != std::string::npos);
    CHECK(ran.result.exit_code() == 3);
  }
  SECTION("known only when the jobs before have ended") {
    const auto ran = run(k_on + job("a", "    outputs: {x: 'true'}\n" + k_ok) + k_call + "    needs: a\n    with: {flag: '${{ needs.a.outputs.x }}'}\n",
                         {.called = {{k_file, called(inputs, job("a", k_ok))}}});
    INFO(ran.messages);
    CHECK(ran.conclusions() == "a=success call=failure");
    CHECK(ran.messages.find("Unexpected value 'true'. input 'flag' is of type boolean; fromJSON()") != std::string::npos);
  }
  SECTION("what its jobs use is refused before anything runs") {
    const auto ran = run(k_on + job("a", "    steps: [{run: echo ran}]\n") + k_call + "    needs: a\n",
                         {.called = {{k_file, "on: workflow_call\njobs:\n  w:\n    runs-on: windows-latest\n" + k_ok}}});
    REQUIRE(!ran.result.problems.empty());
    CHECK(format_line(ran.result.problems.front()).find("called.yml:4:14: runs-on 'windows-latest'") != std::string::npos);
    CHECK(ran.log.empty());
  }
}

TEST_CASE("cancellation and resuming reach into calls") {
  SECTION("cancellation") {
    std::stop_source stop;
    const auto ran = run(k_on + k_call, {.called = {{k_file, called("", job("a", "    steps: [{run: echo ready; sleep 30}]\n") +
                                                                            job("b", "    needs: a\n    if: always()\n    steps: [{run: echo cleaned}]\n"))}},
                                         .on_event = [&](const Event& event) {
                                           if (event.kind == EventKind::log && event.text == "ready\n") stop.request_stop();
                                         },
                                         .stop = stop.get_token()});
    INFO(ran.messages);
    CHECK(ran.conclusions() == "call=cancelled call / a=cancelled call / b=success");
    CHECK(ran.logged("\ncleaned\n"));
    CHECK(ran.result.exit_code() == 130);
  }
  SECTION("resuming") {
    const std::string inside = called("", job("a", "    strategy: {matrix: {n: [1, 2]}}\n    outputs: {x: one}\n    steps: [{run: 'echo once-${{ matrix.n }}'}]\n") +
                                              job("b", "    needs: a\n    steps: [{run: 'echo got ${{ needs.a.outputs.x }}; exit 1'}]\n"));
    const auto first = run(k_on + k_call, {.called = {{k_file, inside}}});
    CHECK(first.conclusions() == "call=failure call / a (1)=success call / a (2)=success call / b=failure");
    const auto kept = finished_jobs(first.dir + "/run");
    REQUIRE(kept.ok());
    CHECK(kept->contains(".github/workflows/w.yml#call / a (2)"));
    const auto second = run(k_on + k_call, {.called = {{k_file, inside}}, .change = [&](RunOptions& options) { options.finished = *kept; }});
    CHECK(second.conclusions() == first.conclusions());
    CHECK(!second.logged("\nonce-"));
    CHECK(second.logged("\ngot one\n"));
  }
}

TEST_CASE("concurrency of and in a called workflow") {
  const std::string caller = "    concurrency: {group: g, queue: max}\n    uses: " + k_file + "\n";
  const auto ran = run(k_on + "  one:\n" + caller + "  two:\n" + caller,
                       {.called = {{k_file, called("", job("a", "    steps: [{run: sleep 0.2}]\n"))}}});
  INFO(ran.messages);
  CHECK(ran.conclusions() == "one=success one / a=success two=success two / a=success");
  std::string order;
  for (const auto& event : ran.events) {
    if (event.kind == EventKind::job_started && event.job.size() == 3) order += "+" + event.job;
    if (event.kind == EventKind::job_finished && event.job.size() == 3) order += "-" + event.job;
  }
  CHECK(order == "+one-one+two-two");
  CHECK(ran.result.jobs[0].elapsed >= std::chrono::milliseconds(200));
  const auto stuck = run(k_on + "  one:\n    concurrency: g\n    uses: " + k_file + "\n",
                         {.called = {{k_file, "on: workflow_call\nconcurrency: G\njobs:\n" + job("a", k_ok)}}});
  CHECK(stuck.conclusions() == "one=cancelled");
  CHECK(stuck.messages.find("deadlock for concurrency group 'G'") != std::string::npos);
}
