#include "tests/executors/step/support.h"

#include <algorithm>
#include <fstream>

using namespace drydock;
using namespace drydock::step;
using namespace drydock::step::test;

TEST_CASE("conditions, outcome and conclusion") {
  struct Row {
    const char *what, *steps, *conclusions;
    Outcome job;
  };
  const Row rows[] = {
      {"all well", "      - run: 'true'\n      - run: echo\n", "success success", Outcome::success},
      {"a failure skips the rest", "      - run: exit 3\n      - run: echo\n", "failure skipped", Outcome::failure},
      {"failure() and always()",
       "      - run: exit 3\n      - run: echo\n        if: failure()\n      - run: echo\n        if: always()\n"
       "      - run: echo\n        if: success()\n",
       "failure success success skipped", Outcome::failure},
      {"a condition implies success()", "      - run: exit 1\n      - run: echo\n        if: 1 == 1\n", "failure skipped",
       Outcome::failure},
      {"continue-on-error", "      - run: exit 1\n        continue-on-error: true\n      - run: echo\n",
       "failure/success success", Outcome::success},
      {"continue-on-error by expression",
       "      - run: exit 1\n        continue-on-error: ${{ github.ref == 'refs/heads/main' }}\n", "failure/success",
       Outcome::success},
      {"outcome and conclusion of a step",
       "      - id: a\n        run: exit 1\n        continue-on-error: true\n"
       "      - run: test ${{ steps.a.outcome }}-${{ steps.a.conclusion }} = failure-success\n",
       "failure/success success", Outcome::success},
      {"skipped by condition", "      - id: a\n        run: exit 1\n        if: github.ref == 'x'\n"
                               "      - run: test '${{ steps.a.conclusion }}' = skipped\n",
       "skipped success", Outcome::success},
      {"bash stops at an error", "      - run: |\n          false\n          true\n", "failure", Outcome::failure},
      {"no pipefail by default", "      - run: false | true\n", "success", Outcome::success},
      {"pipefail when bash is asked for", "      - run: false | true\n        shell: bash\n", "failure", Outcome::failure},
      {"a shell of one's own", "      - run: BEGIN { exit 0 }\n        shell: awk -f {0}\n", "success", Outcome::success},
      {"a signal", "      - run: kill -9 $$\n", "failure", Outcome::failure},
      {"a condition that cannot be evaluated", "      - run: echo\n        if: fromJSON('{')\n", "failure", Outcome::failure},
  };
  for (const auto& row : rows) {
    const auto ran = run("    steps:\n" + std::string(row.steps));
    INFO(row.what << "\n" << ran.log << ran.messages);
    CHECK(ran.conclusions() == row.conclusions);
    CHECK(ran.result.conclusion == row.job);
  }
}

TEST_CASE("environment layers") {
  const auto ran = run(R"(    env:
      B: job
      C: job
      D: ${{ github.event.number }}
    steps:
      - run: echo "1:$A-$B-$C-$D-$E"
        env:
          C: step
          E: ${{ env.B }}-${{ env.A }}
      - run: |
          echo "B=file" >> "$GITHUB_ENV"
          echo "LONG<<X" >> "$GITHUB_ENV"
          printf 'a\nb\nX\n' >> "$GITHUB_ENV"
          echo "2:$B"
      - run: echo "3:$B-$C-${{ env.B }}-${LONG/$'\n'/,}-$E"
      - run: echo "4:$CI-$GITHUB_ACTIONS-$GITHUB_REPOSITORY-$GITHUB_JOB-$RUNNER_OS-$RUNNER_TEMP"
      - run: 'echo "5:$CI-$GITHUB_SHA-$GITHUB_ACTION"'
        id: five
        env: {CI: mine, GITHUB_SHA: mine}
      - run: test "$PWD" = "$GITHUB_WORKSPACE" && jq -e '.number == 7' "$GITHUB_EVENT_PATH" && test -d "$DOCKER_CONFIG"
)", {}, "env: {A: workflow, B: workflow}\n");
  INFO(ran.log << ran.messages);
  CHECK(ran.result.conclusion == Outcome::success);
  CHECK(ran.logged("\n1:workflow-job-step-7-job-workflow\n"));
  CHECK(ran.logged("\n2:job\n"));
  CHECK(ran.logged("\n3:file-job-file-a,b-\n"));
  CHECK(ran.logged("\n4:true-true-o/r-job-Linux-" + ran.temp + "\n"));
  CHECK(ran.logged("\n5:mine-abc-five\n"));
}

TEST_CASE("outputs, path, summary, working directory, job outputs") {
  const auto ran = run(R"(    outputs:
      both: ${{ steps.a.outputs.x }}-${{ steps.a.outputs.y }}
      hidden: ${{ secrets.S }}!
    defaults:
      run: {working-directory: sub, shell: bash}
    steps:
      - run: mkdir -p sub/deep bin && printf '#!/bin/sh\necho mine' > bin/tool && chmod +x bin/tool
        working-directory: .
      - id: a
        run: |
          echo "x=1" >> $GITHUB_OUTPUT
          echo "::set-output name=y::2%0A3"
          echo "$GITHUB_WORKSPACE/bin" >> $GITHUB_PATH
          echo "# Title ${{ secrets.S }}" >> $GITHUB_STEP_SUMMARY
      - run: tool && basename "$PWD"
        working-directory: sub/deep
      - run: test -o pipefail && basename "$PWD"
)", {.secrets = {{"S", "hunter22"}}});
  INFO(ran.log << ran.messages);
  REQUIRE(ran.result.conclusion == Outcome::success);
  CHECK(ran.result.outputs == std::map<std::string, std::string>{{"both", "1-2\n3"}});
  CHECK(ran.logged("\nmine\ndeep\n"));
  CHECK(ran.logged("\nsub\n"));
  CHECK(ran.result.steps[1].summary == "# Title ***\n");
  CHECK(ran.said("warning: The `set-output` command is deprecated"));
  CHECK(ran.said("warning: Skip output 'hidden' since it may contain secret."));
}

TEST_CASE("printed commands act") {
  const auto ran = run(R"(    steps:
      - run: |
          echo "::add-mask::topsecret"
          echo "it is topsecret"
          echo "::group::G"; echo in; echo "::endgroup::"
          echo "::error file=a.c,line=4,col=2,title=T::wrong"
          echo "::notice::on the other stream" >&2; sleep 0.2  # commands on the one stop those on the other
          echo "::notice::note"
          echo "::debug::hidden"
          echo "::stop-commands::tok"
          echo "::warning::as text"
          echo "::tok::"
          printf '::warning::no newline'
      - run: echo "::set-env name=A::b"
      - run: echo "::set-env name=A::b"
        if: always()
        env: {ACTIONS_ALLOW_UNSECURE_COMMANDS: true}
      - run: test $A = b
        if: always()
      - run: echo broken >> $GITHUB_OUTPUT
        if: always()
)");
  INFO(ran.log << ran.messages);
  CHECK(ran.conclusions() == "success failure success success failure");
  CHECK(ran.logged("it is ***\n"));
  CHECK(!ran.logged("topsecret\nit is"));
  CHECK(ran.said("error: wrong\n"));
  CHECK(ran.said("notice: note\n"));
  CHECK(!ran.said("hidden"));
  CHECK(ran.logged("::warning::as text\n"));
  CHECK(ran.said("warning: no newline\n"));
  CHECK(ran.said("error: The `set-env` command is disabled."));
  CHECK(ran.said("error: Invalid format 'broken'"));
  CHECK(ran.said("notice: on the other stream\n"));
  const auto& annotations = ran.result.annotations;
  const auto wrong = std::find_if(annotations.begin(), annotations.end(),
                                  [](const Annotation& annotation) { return annotation.message == "wrong"; });
  REQUIRE(wrong != annotations.end());
  CHECK(wrong->place.file == "a.c");
  CHECK(wrong->place.line == 4);
  CHECK(wrong->place.column == 2);
  CHECK(wrong->title == "T");
}

TEST_CASE("secrets are masked, missing ones warned of with their place") {
  const auto ran = run(R"(    steps:
      - run: |
          echo "have $S"
          echo "$S" | base64
          echo "missing '${{ secrets.NONE }}'"
        env:
          S: ${{ secrets.s }}
          T: ${{ secrets.NONE }}
)", {.secrets = {{"S", "correct-horse"}}});
  INFO(ran.log << ran.messages);
  CHECK(ran.result.conclusion == Outcome::success);
  CHECK(ran.logged("have ***\n***"));
  CHECK(!ran.logged("correct-horse"));
  CHECK(ran.logged("missing ''\n"));
  int warnings = 0;
  for (const auto& event : ran.events) {
    if (event.level == Level::warning && event.text.find("secret 'NONE' is not defined") == 0) {
      ++warnings;
      CHECK(event.place.file == "w.yml");
      CHECK((event.place.line == 6 || event.place.line == 12));
    }
  }
  CHECK(warnings == 2);
}

TEST_CASE("time limits and cancellation") {
  SECTION("of a step") {
    const auto ran = run("    steps:\n      - run: sleep 20\n        timeout-minutes: 0.005\n      - run: echo\n        if: failure()\n");
    CHECK(ran.conclusions() == "failure success");
    CHECK(ran.said("has timed out after 0.005 minutes."));
    CHECK(ran.result.error == ErrorCode::timeout);
  }
  SECTION("of a step that is none") {
    const auto ran = run("    steps:\n      - run: echo\n        timeout-minutes: ${{ format('{0}', 'soon') }}\n      - run: echo\n        timeout-minutes: ${{ fromJSON('0') }}\n");
    CHECK(ran.conclusions() == "success success");
    CHECK(ran.said("error: An error occurred when attempting to determine the step timeout."));
    CHECK(ran.said("Unexpected value 'soon'"));
    CHECK(ran.result.annotations.size() == 2);
  }
  SECTION("of the job") {
    const auto ran = run("    steps:\n      - run: sleep 20\n      - run: echo\n      - run: echo\n        if: always()\n",
                         {.change = [](JobRequest& request) { request.timeout = std::chrono::milliseconds(200); }});
    CHECK(ran.conclusions() == "cancelled skipped success");
    CHECK(ran.result.conclusion == Outcome::cancelled);
    CHECK(ran.result.error == ErrorCode::timeout);
  }
  SECTION("asked for: always() steps still run, and are not interrupted") {
    std::stop_source stop;
    const auto ran = run(R"(    steps:
      - run: echo ready; sleep 20
      - run: echo no
      - run: sleep 0.1; echo kept
        if: always()
      - run: echo told
        if: cancelled()
      - run: echo failed
        if: failure()
)", {.stop = stop.get_token(), .on_event = [&](const Event& event) {
       if (event.kind == EventKind::log && event.text == "ready\n") stop.request_stop();
     }});
    INFO(ran.log << ran.messages);
    CHECK(ran.conclusions() == "cancelled skipped success success skipped");
    CHECK(ran.result.conclusion == Outcome::cancelled);
    CHECK(ran.logged("\nkept\n"));
  }
}

TEST_CASE("what a step leaves running serves the steps after it, and ends with the job") {
  const auto ran = run(R"(    steps:
      - run: sleep 987 >/dev/null 2>&1 & echo "pid $!"; echo $! > $RUNNER_TEMP/pid
      - run: kill -0 $(cat $RUNNER_TEMP/pid) && echo "still there, $RUNNER_TRACKING_ID"
)");
  INFO(ran.log << ran.messages);
  CHECK(ran.conclusions() == "success success");
  CHECK(ran.logged("\nstill there, github_"));
  const auto at = ran.log.find("\npid ");
  REQUIRE(at != std::string::npos);
  std::ifstream state("/proc/" + std::to_string(std::stol(ran.log.substr(at + 5))) + "/stat");
  std::string text((std::istreambuf_iterator<char>(state)), {});
  CHECK((text.empty() || text.find(") Z ") != std::string::npos));
}

TEST_CASE("a cancelled job has a time for what still runs") {
  std::stop_source stop;
  const auto ran = run(R"(    steps:
      - run: echo ready; sleep 20
      - run: echo cleaning; sleep 20
        if: always()
      - run: echo late
        if: always()
)", {.stop = stop.get_token(),
     .on_event = [&](const Event& event) {
       if (event.kind == EventKind::log && event.text == "ready\n") stop.request_stop();
     },
     .change = [](JobRequest& request) { request.cancel_timeout = std::chrono::milliseconds(300); }});
  INFO(ran.log << ran.messages);
  CHECK(ran.conclusions() == "cancelled cancelled cancelled");
  CHECK(ran.result.conclusion == Outcome::cancelled);
  CHECK(ran.logged("\ncleaning\n"));
  CHECK(!ran.logged("late"));
  CHECK(ran.result.elapsed < std::chrono::seconds(5));
}

TEST_CASE("the URL of an environment is known when the steps have ended") {
  const auto url = [](const char* text) {
    return run("    steps:\n      - id: d\n        run: echo host=a.example >> $GITHUB_OUTPUT\n",
               {.secrets = {{"S", "swordfish"}}, .change = [&](JobRequest& request) {
                  request.environment = "production";
                  request.environment_url = Text{.text = text, .kind = TextKind::expression};
                }});
  };
  const auto ran = url("format('https://{0}/{1}', steps.d.outputs.host, job.status)");
  CHECK(ran.result.environment == "production");
  CHECK(ran.result.environment_url == "https://a.example/success");
  CHECK(url("format('https://{0}', secrets.S)").result.environment_url.empty());
  const auto wrong = url("fromJSON('{')");
  CHECK(wrong.result.environment_url.empty());
  CHECK(wrong.result.conclusion == Outcome::success);
  CHECK(wrong.said("environment url"));
}

TEST_CASE("members of the job context come from the request") {
  CHECK(run("    steps:\n      - run: echo ${{ job.workflow_ref }} ${{ job.status }}\n",
            {.change = [](JobRequest& request) { request.job = {{"workflow_ref", "o/r/w.yml@main"}}; }})
            .logged("\no/r/w.yml@main success\n"));
}

TEST_CASE("what cannot run is refused before anything runs") {
  struct Row {
    const char *steps, *message;
  };
  const Row rows[] = {
      {"      - run: touch ran\n      - uses: some/action@v1\n", "w.yml:7:15: action some/action@v1 has no native form"},
      {"      - run: touch ran\n      - uses: docker://alpine\n", "container actions (docker://alpine) cannot run in this place"},
      {"      - run: touch ran\n      - run: echo\n        shell: cmd\n", "w.yml:8:16: shell 'cmd' exists on Windows only"},
  };
  for (const auto& row : rows) {
    const auto ran = run("    steps:\n" + std::string(row.steps));
    INFO(ran.messages);
    CHECK(ran.result.conclusion == Outcome::failure);
    CHECK(ran.result.error == ErrorCode::unsupported);
    CHECK(ran.said(row.message));
    CHECK(ran.result.steps.empty());
  }
  const auto ran = run("    steps:\n      - run: echo\n",
                       {.change = [](JobRequest& request) { request.runner.isolation = Isolation::container; }});
  CHECK(ran.said("isolation 'container' is not available here"));
}
