#include "tests/executors/step/support.h"

#include <algorithm>

using namespace drydock;
using namespace drydock::step;
using namespace drydock::step::test;

namespace {

std::string after(const Ran& ran, const std::string& position) {
  std::string out;
  for (const auto& event : ran.events) {
    if (event.kind == EventKind::log && event.step == position) out += event.text;
  }
  return out;
}

}  // namespace

TEST_CASE("a background step runs beside the next ones; what it did is there after the wait") {
  const auto ran = run(R"(    env: {A: before}
    steps:
      - id: bg
        background: true
        run: |
          while [ ! -e go ]; do sleep 0.02; done
          echo "x=1" >> $GITHUB_OUTPUT
          echo "A=after" >> $GITHUB_ENV
          echo "in the background"
      - run: 'echo "[${{ steps.bg.outputs.x }}] [${{ steps.bg.outcome }}] $A"; touch go'
      - id: w
        wait: bg
      - run: 'echo "[${{ steps.bg.outputs.x }}] [${{ steps.bg.outcome }}] $A"'
)");
  INFO(ran.log << ran.messages);
  CHECK(ran.conclusions() == "success success success success");
  CHECK(ran.logged("\n[] [] before\n"));
  CHECK(ran.logged("\n[1] [success] after\n"));
  CHECK(after(ran, "1").find("in the background\n") != std::string::npos);
  CHECK(after(ran, "2").find("in the background\n") == std::string::npos);
  CHECK(after(ran, "3").find("Waiting for background step(s) to complete: Run while") != std::string::npos);
}

TEST_CASE("results of background steps") {
  struct Row {
    const char *what, *steps, *conclusions;
    Outcome job;
  };
  const Row rows[] = {
      {"a failure counts at the wait", "      - id: a\n        background: true\n        run: exit 3\n      - run: sleep 0.1\n      - wait: a\n      - run: echo\n",
       "failure success failure skipped", Outcome::failure},
      {"continue-on-error", "      - id: a\n        background: true\n        run: exit 3\n        continue-on-error: true\n      - wait-all:\n      - run: echo\n",
       "failure/success success success", Outcome::success},
      {"nobody waits: the end of the job does", "      - background: true\n        run: exit 3\n      - run: echo\n", "failure success failure", Outcome::failure},
      {"cancelled on purpose", "      - id: a\n        background: true\n        run: sleep 30\n      - cancel: a\n      - run: echo ${{ steps.a.outcome }}\n",
       "cancelled success success", Outcome::success},
      {"a skipped one needs no wait", "      - id: a\n        background: true\n        if: ${{ false }}\n        run: exit 1\n      - wait: a\n", "skipped success", Outcome::success},
      {"a time limit", "      - id: a\n        background: true\n        timeout-minutes: 0.005\n        run: sleep 30\n      - wait: a\n", "failure failure", Outcome::failure},
      {"in parallel", "      - parallel:\n          - run: touch one; while [ ! -e two ]; do sleep 0.02; done\n          - run: touch two; while [ ! -e one ]; do sleep 0.02; done\n      - run: test -e one\n",
       "success success success success", Outcome::success},
      {"in parallel, one fails", "      - parallel:\n          - run: exit 1\n          - run: echo\n      - run: echo\n", "failure success failure skipped", Outcome::failure},
  };
  for (const auto& row : rows) {
    const auto ran = run("    steps:\n" + std::string(row.steps));
    INFO(row.what << "\n" << ran.log << ran.messages);
    CHECK(ran.conclusions() == row.conclusions);
    CHECK(ran.result.conclusion == row.job);
  }
}

TEST_CASE("a cancelled job takes its background steps along, and always() ones still run") {
  std::stop_source stop;
  const auto ran = run(R"(    steps:
      - background: true
        if: always()
        run: echo ready; sleep 30
      - run: sleep 30
      - run: echo kept
        if: always()
)", {.stop = stop.get_token(), .on_event = [&](const Event& event) {
       if (event.kind == EventKind::log && event.text == "ready\n") stop.request_stop();
     }});
  INFO(ran.log << ran.messages);
  CHECK(ran.conclusions() == "cancelled cancelled success cancelled");
  CHECK(ran.logged("kept\n"));
  CHECK(ran.result.elapsed < std::chrono::seconds(20));
}

TEST_CASE("ten background steps run at once, the others wait for their turn") {
  std::string steps;
  for (int i = 0; i < 12; ++i) {
    steps += "      - background: true\n        run: mkdir $$.on; ls -d *.on | wc -l >> counts; sleep 0.3; rmdir $$.on\n";
  }
  const auto ran = run("    steps:\n" + steps + "      - wait-all:\n      - run: sort -n counts | tail -1 | sed s/^/most-/\n");
  INFO(ran.log << ran.messages);
  CHECK(ran.result.conclusion == Outcome::success);
  for (const char* more : {"most-11\n", "most-12\n"}) CHECK(!ran.logged(more));
}

TEST_CASE("post steps of background actions run, and composite ones keep to themselves") {
  const Files files{{"a/action.yml", "name: a\nruns:\n  using: composite\n  steps:\n    - run: echo \"N=$WHO\" >> $GITHUB_ENV\n      shell: sh\n"
                                     "    - run: sleep 0.1; echo \"mine $N $WHO\"\n      shell: sh\n"}};
  const auto ran = run(R"(    steps:
      - uses: ./a
        background: true
        env: {WHO: one}
      - uses: ./a
        background: true
        env: {WHO: two}
      - wait-all:
      - run: echo "last $N"
)", {.files = files});
  INFO(ran.log << ran.messages);
  CHECK(ran.conclusions() == "success success success success");
  CHECK(ran.logged("mine one one\n"));
  CHECK(ran.logged("mine two two\n"));
  CHECK(ran.logged("last two\n"));
}
