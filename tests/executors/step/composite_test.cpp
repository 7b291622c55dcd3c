#include "tests/executors/step/support.h"

using namespace drydock;
using namespace drydock::step;
using namespace drydock::step::test;

namespace {

std::string composite(const std::string& steps, const std::string& head = {}) {
  return "name: c\n" + head + "runs:\n  using: composite\n  steps:\n" + steps;
}

}  // namespace

TEST_CASE("a local composite action: inputs, outputs, steps of its own, environment") {
  const Files files{{"act/action.yml", composite(R"(    - id: a
      run: |
        echo "who=${{ inputs.who }} other=${{ inputs.other }} env=$OUTER-$INNER-${{ env.OUTER }} path=$GITHUB_ACTION_PATH"
        echo "same=${{ github.action_path == env.GITHUB_ACTION_PATH || github.action_path }}"
        echo "hello=hi ${{ inputs.who }}" >> $GITHUB_OUTPUT
        echo "LATER=set" >> $GITHUB_ENV
        echo "action=${{ github.action }} repo=[${{ github.action_repository }}] status=${{ github.action_status }}"
      shell: bash
      env: {INNER: in}
    - run: echo "later=$LATER outside=[${{ steps.outside.outputs.x }}] here=${{ steps.a.outputs.hello }}"
      shell: bash
      working-directory: sub
)", R"(inputs:
  who: {required: true}
  other: {default: "${{ github.ref }}"}
outputs:
  greeting: {value: "${{ steps.a.outputs.hello }}!"}
)")}, {"sub/x", ""}, {"deep/x", ""}};
  const auto ran = run(R"x(    defaults: {run: {working-directory: deep}}
    steps:
      - id: outside
        run: echo x=1 >> $GITHUB_OUTPUT
      - uses: ./act
        id: c
        with: {who: me, typo: 1}
        env: {OUTER: out}
      - run: echo "got ${{ steps.c.outputs.greeting }} after=$LATER outer=[$OUTER] inner=[${{ steps.a.outputs.hello }}] dir=$(basename "$PWD")"
      - uses: ./act
)x", {.files = files});
  INFO(ran.log << ran.messages);
  CHECK(ran.conclusions() == "success success success success");
  CHECK(ran.logged("who=me other=refs/heads/main env=out-in-out path=" + ran.workspace + "/act\n"));
  CHECK(ran.logged("same=" + ran.workspace + "/act\n"));
  CHECK(ran.logged("action=c repo=[] status=success\n"));
  CHECK(ran.logged("later=set outside=[] here=hi me\n"));
  CHECK(ran.logged("got hi me! after=set outer=[] inner=[] dir=deep\n"));
  CHECK(ran.said("warning: Unexpected input(s) 'typo', valid inputs are ['who', 'other']"));
  CHECK(ran.said("warning: Input 'who' is required by ./act and is not given"));
}

TEST_CASE("conditions, continue-on-error and status inside composite actions") {
  struct Row {
    const char *what, *steps, *conclusions, *logged;
  };
  const Row rows[] = {
      {"a failure skips the rest and fails the step",
       "    - run: exit 3\n      shell: sh\n    - run: echo never\n      shell: sh\n    - run: echo always-${{ github.action_status }}-${{ job.status }}\n      shell: sh\n      if: always()\n",
       "failure skipped success", "always-failure-success\n"},
      {"continue-on-error", "    - id: x\n      run: exit 3\n      shell: sh\n      continue-on-error: true\n    - run: echo ${{ steps.x.outcome }}-${{ steps.x.conclusion }}\n      shell: sh\n",
       "success success success", "failure-success\n"},
      {"failure()", "    - run: exit 3\n      shell: sh\n    - run: echo seen\n      shell: sh\n      if: failure()\n", "failure skipped success", "seen\n"},
      {"a skipped step", "    - id: x\n      run: exit 3\n      shell: sh\n      if: ${{ false }}\n    - run: echo ${{ steps.x.outcome }}\n      shell: sh\n",
       "success success success", "skipped\n"},
  };
  for (const auto& row : rows) {
    const auto ran = run("    steps:\n      - uses: ./a\n      - run: echo\n      - run: echo\n        if: always()\n", {.files = {{"a/action.yml", composite(row.steps)}}});
    INFO(row.what << "\n" << ran.log << ran.messages);
    CHECK(ran.conclusions() == row.conclusions);
    CHECK(ran.logged(row.logged));
    CHECK(!ran.logged("\nnever\n"));
  }
}

TEST_CASE("success() of a composite action asks the action, not the job") {
  const auto ran = run("    steps:\n      - run: exit 1\n      - uses: ./a\n        if: always()\n",
                       {.files = {{"a/action.yml", composite("    - run: echo ran-${{ job.status }}\n      shell: sh\n")}}});
  INFO(ran.log << ran.messages);
  CHECK(ran.logged("ran-failure\n"));
  CHECK(ran.conclusions() == "failure success");
}

TEST_CASE("remote composite actions nest, ten deep at most") {
  const auto uses = [](const std::string& name) { return composite("    - uses: " + name + "\n"); };
  std::map<std::string, Files> trees;
  for (int i = 0; i < 12; ++i) trees["o/n" + std::to_string(i) + "@v1"] = {{"action.yml", uses("o/n" + std::to_string(i + 1) + "@v1")}};
  trees["o/n5@v1"]["action.yml"] = composite("    - run: echo bottom $GITHUB_ACTION_PATH\n      shell: sh\n");
  Trees source(trees);
  SECTION("deep enough") {
    const auto ran = run("    steps:\n      - uses: o/n0@v1\n", {.source = &source});
    INFO(ran.log << ran.messages);
    CHECK(ran.conclusions() == "success");
    CHECK(ran.logged("bottom " + ran.temp + "/_actions/o/n5/v1\n"));
    CHECK(ran.logged("Download action repository 'o/n3@v1' (SHA:abc)\n"));
  }
  SECTION("too deep") {
    trees["o/n5@v1"]["action.yml"] = uses("o/n6@v1");
    Trees deep(trees);
    const auto ran = run("    steps:\n      - run: echo first\n      - uses: o/n0@v1\n", {.source = &deep});
    CHECK(ran.said("error: Composite action depth exceeded max depth 9"));
    CHECK(!ran.logged("first"));
  }
}

TEST_CASE("what is wrong in an action's metadata is refused before the first step, with its place") {
  struct Row {
    const char *what, *metadata, *message;
  };
  const Row rows[] = {
      {"an unknown runtime", "name: x\nruns: {using: node9, main: a.js}\n", "o/a@v1/action.yml:2:15: 'using: node9' is not supported"},
      {"no shell", "name: x\nruns:\n  using: composite\n  steps:\n    - run: echo\n", "o/a@v1/action.yml:5:7: Required property is missing: shell"},
      {"a missing script", "name: x\nruns: {using: node20, main: dist/a.js}\n", "o/a@v1/action.yml:2:29: File not found: 'dist/a.js'"},
      {"an image that is none", "name: x\nruns: {using: docker, image: alpine}\n", "o/a@v1/action.yml:2:30: 'alpine' should be either '[path]/Dockerfile' or 'docker://image[:tag]'."},
  };
  for (const auto& row : rows) {
    Trees source({{"o/a@v1", {{"action.yml", row.metadata}}}});
    const auto ran = run("    steps:\n      - run: echo first\n      - uses: o/a@v1\n", {.source = &source});
    INFO(row.what << "\n" << ran.log << ran.messages);
    CHECK(ran.result.error == ErrorCode::invalid_source);
    CHECK(ran.said(row.message));
    CHECK(ran.result.steps.empty());
    CHECK(ran.events.back().place.line == 7);
  }
}

TEST_CASE("an action that cannot be fetched fails the job before its first step, by its code") {
  Trees source({});
  source.failure = make_error(ErrorCode::network, "nobody answers");
  const auto ran = run("    steps:\n      - run: echo first\n      - uses: o/a/sub@v1\n", {.secrets = {{"GITHUB_TOKEN", "tok-123"}}, .source = &source});
  CHECK(ran.result.error == ErrorCode::network);
  CHECK(ran.said("error: nobody answers"));
  CHECK(!ran.logged("first"));
  CHECK(source.asked == "o/a@v1 tok-123\n");
}

TEST_CASE("cancellation inside a composite action") {
  std::stop_source stop;
  const Files files{{"a/action.yml", composite("    - run: echo ready; sleep 20\n      shell: sh\n    - run: echo never\n      shell: sh\n"
                                               "    - run: echo kept\n      shell: sh\n      if: cancelled()\n")}};
  const auto ran = run("    steps:\n      - uses: ./a\n        if: always()\n      - run: echo after\n        if: always()\n",
                       {.files = files, .stop = stop.get_token(), .on_event = [&](const Event& event) {
                          if (event.kind == EventKind::log && event.text == "ready\n") stop.request_stop();
                        }});
  INFO(ran.log << ran.messages);
  CHECK(ran.conclusions() == "cancelled success");
  CHECK(ran.logged("\nkept\n"));
  CHECK(!ran.logged("\nnever\n"));
}
