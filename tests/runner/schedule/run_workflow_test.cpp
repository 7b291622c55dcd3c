#include "runner/schedule/run_workflow.h"

#include <algorithm>
#include <atomic>

#include "tests/runner/schedule/support.h"

using namespace drydock;
using namespace drydock::runner;
using namespace drydock::runner::test;

TEST_CASE("jobs by needs, with results and conditions") {
  struct Row {
    const char* what;
    std::string jobs;
    const char* conclusions;
    Outcome run;
  };
  const Row rows[] = {
      {"side by side", job("a", k_ok) + job("b", k_ok), "a=success b=success", Outcome::success},
      {"a failure skips what needs it", job("a", k_bad) + job("b", "    needs: a\n" + k_ok), "a=failure b=skipped", Outcome::failure},
      {"failure() of a need", job("a", k_bad) + job("b", "    needs: a\n    if: failure()\n" + k_ok), "a=failure b=success", Outcome::failure},
      {"always()", job("a", k_bad) + job("b", "    needs: a\n    if: always() && needs.a.result == 'failure'\n" + k_ok), "a=failure b=success", Outcome::failure},
      {"a failure reaches over a job that ran", job("a", k_bad) + job("b", "    needs: a\n    if: always()\n" + k_ok) + job("c", "    needs: b\n" + k_ok),
       "a=failure b=success c=skipped", Outcome::failure},
      {"a skipped need skips", job("a", "    if: false\n" + k_ok) + job("b", "    needs: a\n" + k_ok), "a=skipped b=skipped", Outcome::skipped},
      {"written in any order", job("b", "    needs: a\n" + k_ok) + job("a", k_ok), "b=success a=success", Outcome::success},
      {"continue-on-error", job("a", "    continue-on-error: true\n" + k_bad) + job("b", "    needs: a\n" + k_ok), "a=failure b=success", Outcome::success},
      {"condition on the event", job("a", "    if: github.event_name == 'pull_request'\n" + k_ok) + job("b", k_ok), "a=skipped b=success", Outcome::success},
  };
  for (const auto& row : rows) {
    const auto ran = run(k_on + row.jobs);
    INFO(row.what << "\n" << ran.log << ran.messages);
    CHECK(ran.conclusions() == row.conclusions);
    CHECK(ran.result.conclusion == row.run);
    CHECK(ran.result.exit_code() == (row.run == Outcome::failure ? 1 : 0));
  }
}

TEST_CASE("outputs flow to needs, and make a matrix") {
  const auto ran = run(R"(on: push
jobs:
  plan:
    runs-on: ubuntu-latest
    outputs: {list: "${{ steps.l.outputs.list }}", word: hi}
    steps: [{id: l, run: 'echo list=[1,2,3] >> $GITHUB_OUTPUT'}]
  each:
    needs: plan
    runs-on: ubuntu-latest
    strategy: {matrix: {n: "${{ fromJSON(needs.plan.outputs.list) }}"}}
    steps: [{run: 'echo "n=${{ matrix.n }} ${{ needs.plan.outputs.word }} ${{ strategy.job-index }}/${{ strategy.job-total }}"'}]
)");
  INFO(ran.log << ran.messages);
  CHECK(ran.conclusions() == "plan=success each (1)=success each (2)=success each (3)=success");
  for (const char* line : {"\nn=1 hi 0/3\n", "\nn=2 hi 1/3\n", "\nn=3 hi 2/3\n"}) CHECK(ran.logged(line));
}

TEST_CASE("matrix: fail-fast, max-parallel, --matrix") {
  const std::string steps = "    steps: [{run: 'test ${{ matrix.n }} != 1 || exit 1; sleep 30'}]\n";
  SECTION("fail-fast stops the others") {
    const auto ran = run(k_on + job("a", "    strategy: {max-parallel: 2, matrix: {n: [1, 2, 3]}}\n" + steps));
    CHECK(ran.conclusions() == "a (1)=failure a (2)=cancelled a (3)=cancelled");
    CHECK(ran.result.conclusion == Outcome::failure);
  }
  SECTION("fail-fast: false lets them run") {
    const auto ran = run(k_on + job("a", "    strategy: {fail-fast: false, matrix: {n: [1, 2]}}\n    steps: [{run: 'test ${{ matrix.n }} != 1'}]\n"));
    CHECK(ran.conclusions() == "a (1)=failure a (2)=success");
  }
  SECTION("max-parallel") {
    std::atomic<int> at_once = 0, most = 0;
    const auto ran = run(k_on + job("a", "    strategy: {max-parallel: 2, matrix: {n: [2, 3, 4, 5]}}\n    steps: [{run: sleep 0.1}]\n"),
                         {.on_event = [&](const Event& event) {
                           if (event.kind == EventKind::job_started) most = std::max<int>(most, ++at_once);
                           if (event.kind == EventKind::job_finished) --at_once;
                         }});
    CHECK(ran.result.conclusion == Outcome::success);
    CHECK(most == 2);
  }
  SECTION("only what --matrix names") {
    const auto ran = run(k_on + job("a", "    strategy: {matrix: {n: [2, 3], m: [x, y]}}\n" + k_ok),
                         {.change = [](RunOptions& options) {
                           options.settings.matrix_filter = {{"n", "3"}};
                         }});
    CHECK(ran.conclusions() == "a (3, x)=success a (3, y)=success");
  }
}

TEST_CASE("only the jobs asked for and what they need") {
  const auto ran = run(k_on + job("a", k_ok) + job("b", "    needs: a\n" + k_ok) + job("c", k_ok),
                       {.change = [](RunOptions& options) { options.jobs = {"b"}; }});
  CHECK(ran.conclusions() == "a=success b=success");
  const auto unknown = run(k_on + job("a", k_ok), {.change = [](RunOptions& options) { options.jobs = {"z"}; }});
  CHECK(unknown.result.error == ErrorCode::usage);
  CHECK(unknown.result.exit_code() == 2);
  CHECK(unknown.result.reason == "the workflow .github/workflows/w.yml has no job 'z'");
}

TEST_CASE("cancellation lets always() jobs run") {
  std::stop_source stop;
  const auto ran = run(k_on + job("a", "    steps: [{run: echo ready; sleep 30}]\n") + job("b", "    needs: a\n" + k_ok) +
                           job("c", "    needs: a\n    if: always()\n    steps: [{run: echo cleaned}]\n"),
                       {.on_event = [&](const Event& event) {
                          if (event.kind == EventKind::log && event.text == "ready\n") stop.request_stop();
                        },
                        .stop = stop.get_token()});
  INFO(ran.log << ran.messages);
  CHECK(ran.conclusions() == "a=cancelled b=skipped c=success");
  CHECK(ran.result.conclusion == Outcome::cancelled);
  CHECK(ran.result.exit_code() == 130);
  CHECK(ran.logged("\ncleaned\n"));
}

TEST_CASE("a job's own time limit") {
  const auto ran = run(k_on + job("a", "    timeout-minutes: 0.005\n    steps: [{run: sleep 30}]\n"));
  CHECK(ran.conclusions() == "a=cancelled");
  CHECK(ran.result.error == ErrorCode::timeout);
  CHECK(ran.result.exit_code() == 1);
}

TEST_CASE("refusals come before anything runs") {
  struct Row {
    const char* what;
    std::string job;
    const char* message;
  };
  const Row rows[] = {
      {"container", job("b", "    container: alpine\n" + k_ok), "w.yml:8:16: containers (of job 'b') are not available here"},
      {"services", job("b", "    services: {db: {image: x}}\n" + k_ok), "containers (of job 'b') are not available here"},
      {"windows", "  b:\n    runs-on: windows-latest\n" + k_ok, "w.yml:7:14: runs-on 'windows-latest': Windows jobs cannot run"},
      {"macos", "  b:\n    runs-on: macos-14\n" + k_ok, "macOS jobs cannot run"},
      {"other label", "  b:\n    runs-on: gpu\n" + k_ok, "runs-on 'gpu' is no label of this machine"},
      {"call", "  b:\n    uses: o/r/.github/workflows/x.yml@v1\n", "w.yml:7:11: the reusable workflow 'o/r/.github/workflows/x.yml@v1' is not here"},
      {"action", job("b", "    steps: [{uses: x/y@v1}]\n"), "has no native form"},
      {"matrix", job("b", "    strategy: {matrix: {n: '${{ fromJSON(''[]'') }}'}}\n" + k_ok), "does not contain any values"},
  };
  for (const auto& row : rows) {
    const auto ran = run(k_on + job("a", "    steps: [{run: echo ran}]\n") + row.job);
    INFO(row.what);
    REQUIRE(!ran.result.problems.empty());
    const std::string line = format_line(ran.result.problems.front());
    INFO(line);
    CHECK(line.find(row.message) != std::string::npos);
    CHECK(ran.result.exit_code() == 3);
    CHECK(ran.log.empty());
  }
}

TEST_CASE("an event that does not trigger runs nothing") {
  const auto ran = run("on:\n  push:\n    branches: [release]\njobs:\n" + job("a", k_ok));
  CHECK(ran.result.conclusion == Outcome::skipped);
  CHECK(!ran.result.reason.empty());
  CHECK(ran.result.jobs.empty());
}

TEST_CASE("a run leaves its jobs' results, and resuming takes the good ones") {
  const std::string yaml = k_on + job("a", "    outputs: {x: one}\n    steps: [{run: echo once}]\n") +
                           job("b", "    needs: a\n    steps: [{run: 'echo got ${{ needs.a.outputs.x }}; exit 1'}]\n");
  const auto first = run(yaml);
  CHECK(first.conclusions() == "a=success b=failure");
  CHECK(!std::filesystem::exists(first.dir + "/run/work"));
  const auto kept = finished_jobs(first.dir + "/run");
  REQUIRE(kept.ok());
  CHECK(kept->size() == 1);
  CHECK(kept->contains(".github/workflows/w.yml#a"));
  REQUIRE(write_file_atomic(first.dir + "/run/jobs/w.yml.cut.json", std::string_view("\0\0", 2)).ok());
  CHECK(finished_jobs(first.dir + "/run")->size() == 1);
  const auto second = run(yaml, {.change = [&](RunOptions& options) { options.finished = *kept; }});
  CHECK(!second.logged("\nonce\n"));
  CHECK(second.logged("\ngot one\n"));
  CHECK(second.conclusions() == "a=success b=failure");
}

TEST_CASE("a run cancelled while it waits for its concurrency group runs nothing") {
  const std::string yaml = "on: push\nconcurrency: {group: 'g-${{ github.ref }}'}\njobs:\n" +
                           job("a", "    if: always()\n    steps: [{run: echo ran}]\n");
  auto locks = TempDir::create().value();
  std::stop_source stop;
  const auto free = run(yaml, {.change = [&](RunOptions& options) { options.lock_dir = locks.path(); }});
  CHECK(free.result.conclusion == Outcome::success);
  const auto held = GroupPlace::take(locks.path(), "o/r", {.name = "G-refs/heads/main"}).value();
  const auto waiting = run(yaml, {.change = [&](RunOptions& options) { options.lock_dir = locks.path(); },
                                  .on_event = [&](const Event& event) {
                                    if (event.text.find("is held by another run") != std::string::npos) stop.request_stop();
                                  },
                                  .stop = stop.get_token()});
  INFO(waiting.messages);
  CHECK(waiting.result.conclusion == Outcome::cancelled);
  CHECK(waiting.conclusions() == "a=cancelled");
  CHECK(waiting.log.empty());
}

TEST_CASE("jobs of one run in one concurrency group") {
  const auto with = [](const char* concurrency) { return "    concurrency: " + std::string(concurrency) + "\n"; };
  SECTION("one at a time; those that wait give way to the newest") {
    const auto ran = run(k_on + job("a", with("g") + "    strategy: {matrix: {n: [1, 2, 3]}}\n    steps: [{run: sleep 0.2}]\n"));
    INFO(ran.messages);
    CHECK(ran.conclusions() == "a (1)=success a (2)=cancelled a (3)=success");
    CHECK(ran.messages.find("Canceling since a higher priority waiting request for 'g' exists") != std::string::npos);
  }
  SECTION("queue: max keeps all") {
    std::atomic<int> at_once = 0, most = 0;
    const auto ran = run(k_on + job("a", with("{group: g, queue: max}") + "    strategy: {matrix: {n: [1, 2, 3]}}\n" + k_ok),
                         {.on_event = [&](const Event& event) {
                           if (event.kind == EventKind::job_started) most = std::max<int>(most, ++at_once);
                           if (event.kind == EventKind::job_finished) --at_once;
                         }});
    CHECK(ran.conclusions() == "a (1)=success a (2)=success a (3)=success");
    CHECK(most == 1);
  }
  SECTION("a group for each leg") {
    const auto ran = run(k_on + job("a", with("'g-${{ matrix.n }}'") + "    strategy: {matrix: {n: [1, 2, 3]}}\n" + k_ok));
    CHECK(ran.conclusions() == "a (1)=success a (2)=success a (3)=success");
  }
  SECTION("cancel-in-progress, in any case of the name") {
    const auto ran = run(k_on + job("a", with("g") + "    steps: [{run: sleep 30}]\n") +
                         job("b", with("{group: G, cancel-in-progress: \"${{ github.ref_name == 'main' }}\"}") + k_ok));
    INFO(ran.messages);
    CHECK(ran.conclusions() == "a=cancelled b=success");
  }
  SECTION("a job in the group of its own workflow would wait for ever") {
    const auto ran = run("on: push\nconcurrency: g\njobs:\n" + job("a", with("g") + k_ok));
    CHECK(ran.conclusions() == "a=cancelled");
    CHECK(ran.messages.find("deadlock for concurrency group 'g'") != std::string::npos);
  }
}

TEST_CASE("run-name, environments, runner groups") {
  const auto ran = run("on: push\nrun-name: deploy ${{ github.ref_name }}\njobs:\n" +
                       job("a", "    environment: {name: \"${{ github.ref_name }}-site\", url: \"https://${{ steps.d.outputs.host }}/\"}\n"
                                "    steps: [{id: d, run: echo host=a.example >> $GITHUB_OUTPUT}]\n") +
                       job("b", "    environment: main-site\n" + k_ok) + "  c:\n    runs-on: {group: big, labels: [linux]}\n" + k_ok);
  INFO(ran.messages);
  CHECK(ran.conclusions() == "a=success b=success c=success");
  CHECK(ran.result.name == "deploy main");
  CHECK(ran.events.front().name == "deploy main");
  CHECK(ran.result.jobs[0].environment == "main-site");
  CHECK(ran.result.jobs[0].environment_url == "https://a.example/");
  CHECK(ran.messages.find("notice: environment main-site: https://a.example/") != std::string::npos);
  const std::string once = "environment 'main-site': its protection rules";
  CHECK(ran.messages.find(once) != std::string::npos);
  CHECK(ran.messages.find(once, ran.messages.find(once) + 1) == std::string::npos);
  CHECK(ran.messages.find("runner group 'big'") != std::string::npos);
}

TEST_CASE("steps know their run") {
  CHECK(run(k_on + job("a", "    steps: [{run: 'echo \"run $GITHUB_RUN_ID\"'}]\n")).logged("\nrun 77\n"));
}

TEST_CASE("no secret is left on disk") {
  const auto ran = run(k_on + job("a", "    steps: [{id: s, name: 'n ${{ secrets.S }}', run: 'echo x=${{ secrets.S }} >> $GITHUB_OUTPUT; exit 1'}]\n"),
                       {.change = [](RunOptions& options) { options.settings.secrets = {"S"}; }});
  const std::string kept = read_file(ran.dir + "/run/jobs/w.yml.a.json").value();
  CHECK(kept.find("swordfish") == std::string::npos);
  CHECK(kept.find("\"x\": \"***\"") != std::string::npos);
}

TEST_CASE("no two jobs share a directory, and it can be kept") {
  const auto ran = run(k_on + job("a", "    strategy: {matrix: {n: ['x y', x_y]}}\n    steps: [{run: 'echo ${{ matrix.n }} > file'}]\n"),
                       {.change = [](RunOptions& options) { options.work_dirs = WorkDirs::kept; }});
  CHECK(ran.result.conclusion == Outcome::success);
  CHECK(read_file(ran.dir + "/run/work/a.0/r/r/file").value() == "x y\n");
  CHECK(read_file(ran.dir + "/run/work/a.1/r/r/file").value() == "x_y\n");
  CHECK(finished_jobs(ran.dir + "/run")->size() == 2);
}

TEST_CASE("run numbers rise") {
  auto made = TempDir::create();
  REQUIRE(made.ok());
  const auto first = new_run(made->path() + "/runs"), second = new_run(made->path() + "/runs");
  REQUIRE((first.ok() && second.ok()));
  CHECK(std::stoull(*first) < std::stoull(*second));
}
