#include "tests/executors/step/support.h"

#include <algorithm>

using namespace drydock;
using namespace drydock::step;
using namespace drydock::step::test;

namespace {

/// Says which stage it is, what it was given and what was saved; saves and sets.
constexpr const char* k_stage = R"js(
const fs = require('fs');
const stage = process.argv[1].split('/').pop().replace('.js', '');
const say = text => console.log(`${stage}[${process.env.INPUT_NAME}] ${text}`);
say(`state=${process.env.STATE_trace || ''} space=${process.env['INPUT_WITH_SPACE']} token=${process.env.ACTIONS_RUNTIME_TOKEN || 'none'}`);
fs.appendFileSync(process.env.GITHUB_STATE, `trace=${process.env.STATE_trace || ''}${stage}>\n`);
if (stage == 'main') {
  fs.appendFileSync(process.env.GITHUB_OUTPUT, 'said<<E\nhello ' + process.env.INPUT_NAME + '\nE\n');
  fs.appendFileSync(process.env.GITHUB_ENV, 'FROM_JS=yes\n');
  console.log('::warning file=a.js,line=3::careful');
  if (process.env.INPUT_FAIL == 'true') { console.log('::error::it failed'); process.exitCode = 7; }
}
)js";

Files action(const std::string& more = {}, const std::string& version = "node20") {
  return {{"action.yml", "name: js\ninputs:\n  name: {required: true}\n  with space: {default: blank}\n  fail: {default: false}\n"
                         "runs: {using: " + version + ", pre: pre.js, main: main.js, post: post.js" + more + "}\n"},
          {"pre.js", k_stage}, {"main.js", k_stage}, {"post.js", k_stage}};
}

std::string order_of(const Ran& ran) {
  std::string out;
  for (const auto& step : ran.result.steps) out += (out.empty() ? "" : ", ") + step.name;
  return out;
}

bool no_node() {
  if (find_program("node")) return false;
  WARN("skipped: no node here");
  return true;
}

}  // namespace

TEST_CASE("pre, main and post of JavaScript actions, in GitHub's order, with their state") {
  if (no_node()) return;
  Trees source({{"o/a@v1", action()}, {"o/b@v2", action()}});
  Setting setting{.source = &source};
  setting.action_environment = [](const JobRequest&) { return Environment{{"ACTIONS_RUNTIME_TOKEN", "t0k"}}; };
  const auto ran = run(R"(    steps:
      - run: echo "script ${INPUT_NAME:-none}"
      - uses: o/a@v1
        id: a
        with: {name: one}
      - name: Second
        uses: o/b@v2
        with: {name: "two ${{ steps.a.outputs.said }}"}
      - run: echo "env $FROM_JS"
)", setting);
  INFO(ran.log << ran.messages);
  CHECK(ran.result.conclusion == Outcome::success);
  CHECK(order_of(ran) == "Pre Run o/a@v1, Pre Second, Run echo \"script ${INPUT_NAME:-none}\", Run o/a@v1, Second, Run echo \"env $FROM_JS\", "
                         "Post Second, Post Run o/a@v1");
  CHECK(ran.logged("pre[one] state= space=blank token=t0k\n"));
  CHECK(ran.logged("main[one] state=pre> space=blank"));
  CHECK(ran.logged("main[two hello one] state=pre>"));
  CHECK(ran.logged("post[two hello one] state=pre>main>"));
  CHECK(ran.logged("post[one] state=pre>main>"));
  CHECK(ran.logged("script none\n"));
  CHECK(ran.logged("env yes\n"));
  CHECK(ran.logged("Post job cleanup.\n"));
  CHECK(ran.said("warning: careful"));
}

TEST_CASE("failures of JavaScript actions, pre-if and post-if") {
  if (no_node()) return;
  struct Row {
    const char *what, *more, *steps, *conclusions;
  };
  const Row rows[] = {
      {"a failing main: its post runs", "", "      - uses: o/a@v1\n        with: {name: x, fail: true}\n      - run: echo\n",
       "success failure skipped success"},
      {"continue-on-error", "", "      - uses: o/a@v1\n        continue-on-error: true\n        with: {name: x, fail: true}\n      - run: echo\n",
       "success failure/success success success"},
      {"pre-if and post-if", ", pre-if: false, post-if: failure()", "      - uses: o/a@v1\n        with: {name: x}\n", "skipped success skipped"},
      {"post-if: success()", ", post-if: success()", "      - uses: o/a@v1\n        with: {name: x}\n      - run: exit 1\n", "success success failure skipped"},
      {"a skipped main whose pre ran has a post", "", "      - uses: o/a@v1\n        if: ${{ false }}\n        with: {name: x}\n", "success skipped success"},
  };
  for (const auto& row : rows) {
    Trees source({{"o/a@v1", action(row.more)}});
    const auto ran = run("    steps:\n" + std::string(row.steps), {.source = &source});
    INFO(row.what << "\n" << ran.log << ran.messages);
    CHECK(ran.conclusions() == row.conclusions);
  }
}

TEST_CASE("JavaScript actions in composite ones: nested pre and post steps, the outputs") {
  if (no_node()) return;
  const Files outer{{"action.yml", R"(name: outer
inputs: {who: {default: w}}
outputs: {all: {value: "${{ steps.one.outputs.said }}/${{ steps.two.outputs.said }}"}}
runs:
  using: composite
  steps:
    - uses: o/a@v1
      id: one
      with: {name: "1${{ inputs.who }}"}
    - uses: o/a@v1
      id: two
      with: {name: "2${{ steps.one.outputs.said }}"}
)"}};
  Trees source({{"o/a@v1", action()}, {"o/outer@v1", outer}});
  const auto ran = run("    steps:\n      - uses: o/outer@v1\n        id: c\n      - run: echo \"all ${{ steps.c.outputs.all }}\"\n", {.source = &source});
  INFO(ran.log << ran.messages);
  CHECK(order_of(ran) == "Pre Run o/outer@v1, Run o/outer@v1, Run echo \"all hello 1w/hello 2hello 1w\", Post Run o/outer@v1");
  CHECK(ran.logged("pre[1w] "));
  CHECK(ran.logged("pre[2] "));  // there are no results of steps yet
  CHECK(ran.logged("main[2hello 1w] state=pre>"));
  const auto second = ran.log.find("post[2hello 1w] state=pre>main>"), first = ran.log.find("post[1w] state=pre>main>");
  REQUIRE(second != std::string::npos);
  REQUIRE(first != std::string::npos);
  CHECK(second < first);
}

TEST_CASE("a local action's pre step cannot run; its post step does") {
  if (no_node()) return;
  Files files;
  for (const auto& [path, text] : action()) files["my/" + path] = text;
  const auto ran = run("    steps:\n      - uses: ./my\n        with: {name: l}\n", {.files = files});
  INFO(ran.log << ran.messages);
  CHECK(order_of(ran) == "Run ./my, Post Run ./my");
  CHECK(ran.said("warning: `pre` execution is not supported for local action from './my'"));
  CHECK(ran.logged("post[l] state=main>"));
}

TEST_CASE("the Node that is here serves every version, with a warning; none is an environment error") {
  if (no_node()) return;
  Trees source({{"o/a@v1", action("", "node12")}});
  const auto ran = run("    steps:\n      - uses: o/a@v1\n        with: {name: x}\n", {.source = &source});
  INFO(ran.messages);
  CHECK(ran.result.conclusion == Outcome::success);
  CHECK(ran.said("warning: o/a@v1 is made for node12; Node "));

  auto none = TempDir::create();
  const auto without = run("    steps:\n      - run: echo first\n      - uses: o/a@v1\n        with: {name: x}\n", {.source = &source, .services = [&](JobServices& services) {
    services.node.program = none->path() + "/node";
  }});
  CHECK(without.result.error == ErrorCode::environment);
  CHECK(without.said("run.node names " + none->path() + "/node, which is no program here"));
  CHECK(!without.logged("first"));
}

TEST_CASE("node is found in the externals: the wanted version, the next newer, the newest") {
  auto home = TempDir::create();
  for (const char* name : {"node20", "node24", "node9"}) write_files(home->path(), {{std::string(name) + "/bin/node", "#!/bin/sh\n"}});
  const auto found = [&](int wanted) { return find_node({.externals = home->path()}, wanted, {})->program; };
  CHECK(found(20) == home->path() + "/node20/bin/node");
  CHECK(found(12) == home->path() + "/node20/bin/node");
  CHECK(found(22) == home->path() + "/node24/bin/node");
  CHECK(found(26) == home->path() + "/node24/bin/node");
  CHECK(find_node({}, 20, {{"PATH", home->path()}}).error().code == ErrorCode::environment);
}

TEST_CASE("a hung post step ends at its step's time limit, or when a cancelled job's time is over") {
  if (no_node()) return;
  Files hung = action();
  hung["post.js"] = "console.log('hanging'); setTimeout(() => {}, 60000)";
  Trees source({{"o/a@v1", hung}});
  SECTION("the step's limit") {
    const auto ran = run("    steps:\n      - uses: o/a@v1\n        timeout-minutes: 0.01\n        with: {name: x}\n", {.source = &source});
    CHECK(ran.conclusions() == "success success failure");
    CHECK(ran.said("The action 'Post Run o/a@v1' has timed out after 0.01 minutes."));
  }
  SECTION("the job's") {
    std::stop_source stop;
    const auto ran = run("    steps:\n      - uses: o/a@v1\n        with: {name: x}\n",
                         {.source = &source, .stop = stop.get_token(), .on_event = [&](const Event& event) {
                            if (event.kind == EventKind::log && event.text == "hanging\n") stop.request_stop();
                          }, .change = [](JobRequest& request) { request.cancel_timeout = std::chrono::milliseconds(200); }});
    CHECK(ran.conclusions() == "success success cancelled");
    CHECK(ran.result.conclusion == Outcome::cancelled);
  }
}
