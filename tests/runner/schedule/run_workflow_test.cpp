#include "runner/schedule/run_workflow.h"

#include <algorithm>
#include <atomic>

#include "executors/base/fs.h"
#include "executors/base/masker.h"
#include "parser/workflow/reader.h"
#include "tests/support/catch.h"

using namespace drydock;
using namespace drydock::runner;

namespace {

struct Ran {
  RunResult result;
  std::string log, messages;
  std::vector<Event> events;
  std::string dir;
  std::shared_ptr<TempDir> keep;

  std::string conclusions() const {
    std::string out;
    for (const auto& job : result.jobs) {
      out += (out.empty() ? "" : " ") + job.key + "=" + std::string(name_of(job.conclusion));
    }
    return out;
  }
  bool logged(const std::string& text) const { return log.find(text) != std::string::npos; }
};

struct Setting {
  std::function<void(RunOptions&)> change;
  std::function<void(const Event&)> on_event;
  std::stop_token stop;
};

Ran run(const std::string& yaml, const Setting& setting = {}) {
  Ran ran;
  auto made = TempDir::create("", "drydock-schedule-test-");
  REQUIRE(made.ok());
  ran.keep = std::make_shared<TempDir>(std::move(*made));
  ran.dir = ran.keep->path();
  const auto read = parser::workflow::read_workflow(yaml, ".github/workflows/w.yml");
  for (const auto& problem : read.diagnostics) UNSCOPED_INFO(format_line(problem));
  REQUIRE(read.ok());
  GitFacts git;
  git.owner = "o";
  git.name = "r";
  git.has_remote = true;
  git.sha = std::string(40, 'a');
  git.ref = "refs/heads/main";
  git.default_branch = "main";
  git.before = std::string(40, '0');
  RunOptions options;
  options.workflow = &*read.workflow;
  options.event = make_event({.name = "push"}, git).value();
  options.run_dir = ran.dir + "/run";
  options.lock_dir = ran.dir + "/locks";
  options.run_id = "77";
  options.settings.runner.os = "Linux";
  options.settings.runner.arch = "X64";
  options.max_jobs = 4;
  if (setting.change) setting.change(options);
  Bus bus(std::make_shared<Masker>());
  bus.listen([&](const Event& event) {
    ran.events.push_back(event);
    if (event.kind == EventKind::log) ran.log += event.text;
    if (event.kind == EventKind::message) ran.messages += std::string(name_of(event.level)) + ": " + event.text + "\n";
    if (setting.on_event) setting.on_event(event);
  });
  step::JobServices services;
  services.bus = &bus;
  services.secret = [](const std::string&) { return std::optional<std::string>("swordfish"); };
  ran.result = run_workflow(options, services, setting.stop);
  return ran;
}

/// "a: run, needs b c" and so on, made short for tables.
std::string job(const std::string& id, const std::string& body) {
  return "  " + id + ":\n    runs-on: ubuntu-latest\n" + body;
}
const std::string k_on = "on: push\njobs:\n";
const std::string k_ok = "    steps: [{run: 'true'}]\n", k_bad = "    steps: [{run: exit 1}]\n";

}  // namespace

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
      {"container", job("b", "    container: alpine\n" + k_ok), "w.yml:8:16: job containers"},
      {"services", job("b", "    services: {db: {image: x}}\n" + k_ok), "service containers"},
      {"windows", "  b:\n    runs-on: windows-latest\n" + k_ok, "w.yml:7:14: runs-on 'windows-latest': Windows jobs cannot run"},
      {"macos", "  b:\n    runs-on: macos-14\n" + k_ok, "macOS jobs cannot run"},
      {"other label", "  b:\n    runs-on: gpu\n" + k_ok, "runs-on 'gpu' is no label of this machine"},
      {"call", "  b:\n    uses: o/r/.github/workflows/x.yml@v1\n", "reusable workflows"},
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
  CHECK(std::filesystem::is_empty(first.dir + "/run/work"));
  const auto kept = finished_jobs(first.dir + "/run");
  REQUIRE(kept.ok());
  CHECK(kept->size() == 1);
  CHECK(kept->contains(".github/workflows/w.yml#a"));
  const auto second = run(yaml, {.change = [&](RunOptions& options) { options.finished = *kept; }});
  CHECK(!second.logged("\nonce\n"));
  CHECK(second.logged("\ngot one\n"));
  CHECK(second.conclusions() == "a=success b=failure");
}

TEST_CASE("a concurrency group is entered by one run at a time") {
  const std::string yaml = "on: push\nconcurrency: {group: 'g-${{ github.ref }}'}\njobs:\n" + job("a", k_ok);
  std::optional<FileLock> held;
  std::string lock_dir;
  std::stop_source stop;
  const auto free = run(yaml, {.change = [&](RunOptions& options) { lock_dir = options.lock_dir; }});
  CHECK(free.result.conclusion == Outcome::success);
  std::string lock_file;
  for (const auto& file : std::filesystem::directory_iterator(lock_dir)) {
    if (file.path().extension() == ".lock") lock_file = file.path();
  }
  held = FileLock::acquire(lock_file).value();
  const auto waiting = run(yaml, {.change = [&](RunOptions& options) { options.lock_dir = lock_dir; },
                                  .on_event = [&](const Event& event) {
                                    if (event.text.find("is held by another run") != std::string::npos) stop.request_stop();
                                  },
                                  .stop = stop.get_token()});
  CHECK(waiting.result.conclusion == Outcome::cancelled);
  CHECK(waiting.log.empty());
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
