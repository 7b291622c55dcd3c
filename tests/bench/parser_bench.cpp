// Medians for workflow files: one read, linted, planned; a thousand read and linted.
// Goals on 2 cores: one read and planned in 5 ms, a thousand linted in 1 s. Run by `./dev bench`.

#include "executors/actions/register.h"
#include "executors/base/fs.h"
#include "parser/lint/lint.h"
#include "parser/workflow/reader.h"
#include "runner/lint/lint_files.h"
#include "runner/plan/plan.h"

#include <benchmark/benchmark.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace fs = std::filesystem;

namespace drydock {

namespace {

constexpr int k_files = 1000;
constexpr const char* k_name = ".github/workflows/build-and-push.yml";

const std::string& example() {
  static const auto text =
      read_file(DRYDOCK_SOURCE_DIR "/workflows-examples/build-and-push/" + std::string(k_name)).value();
  return text;
}

/// The example with further jobs, each of another shape and size, so that no two files are alike.
std::string generated(int number) {
  const auto id = std::to_string(number);
  auto text = example();
  text.replace(text.find("Build and push"), 14, "Workflow " + id);
  for (int job = 0; job < number % 4; ++job) {
    const auto name = "test-" + std::to_string(job);
    text += "\n  " + name + ":\n    needs: build\n    runs-on: ${{ matrix.os }}\n    strategy:\n      matrix:\n" +
            "        os: [ubuntu-latest, ubuntu-22.04]\n        node: [18, 20, " + std::to_string(22 + number) +
            "]\n    steps:\n      - uses: actions/checkout@v4\n      - uses: actions/setup-node@v4\n" +
            "        with:\n          node-version: ${{ matrix.node }}\n";
    for (int step = 0; step < number % 7; ++step) {
      text += "      - name: Step " + std::to_string(step) + " of ${{ github.workflow }}\n" +
              "        if: ${{ github.event_name == 'push' && !startsWith(github.ref, 'refs/tags/v" + id +
              "') || failure() }}\n        run: |\n          npm ci\n          npm test -- --shard=" +
              std::to_string(step) + "/${{ strategy.job-total }}\n        env:\n          NODE_ENV: test\n" +
              "          CHANNEL: ${{ contains(fromJSON('[\"a\", \"b\"]'), matrix.os) && 'a' || 'b' }}\n";
    }
  }
  return text;
}

/// A repository of generated workflows, removed at the end.
class Repository {
 public:
  Repository() : root_(fs::temp_directory_path() / ("drydock-bench-" + std::to_string(::getpid()))) {
    fs::create_directories(root_ / ".github/workflows");
    for (int i = 0; i < k_files; ++i) {
      texts_.push_back(generated(i));
      files_.push_back(root_ / (".github/workflows/w" + std::to_string(i) + ".yml"));
      std::ofstream(files_.back(), std::ios::binary) << texts_.back();
    }
  }
  Repository(const Repository&) = delete;
  Repository& operator=(const Repository&) = delete;
  ~Repository() {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }

  const std::vector<std::string>& texts() const { return texts_; }
  const std::vector<std::string>& files() const { return files_; }

 private:
  fs::path root_;
  std::vector<std::string> texts_;
  std::vector<std::string> files_;
};

const Repository& repository() {
  static const Repository made;
  return made;
}

runner::PlanInputs plan_inputs(const step::NativeActions& actions) {
  runner::GitFacts git;
  git.sha = std::string(40, 'a');
  git.before = std::string(40, 'b');
  git.ref = "refs/heads/main";
  git.owner = "harbour";
  git.name = "berths";
  git.default_branch = "main";
  runner::EventOptions event;
  event.name = "push";
  runner::PlanInputs inputs;
  inputs.event = runner::make_event(event, git).value();
  inputs.settings.vars["REGISTRY"] = "registry.example";
  inputs.settings.secrets = {"REGISTRY_USERNAME", "REGISTRY_PASSWORD"};
  inputs.settings.runner.os = "Linux";
  inputs.settings.runner.arch = "X64";
  inputs.workers = {{.name = "local", .native = {Platform{"linux", "amd64"}}, .emulated = {Platform{"linux", "arm64"}}}};
  inputs.actions = &actions;
  return inputs;
}

/// Ends the benchmark when what it measures did not do its work.
bool require(benchmark::State& state, bool held, const char* what) {
  if (!held) state.SkipWithError(what);
  return held;
}

void read_one(benchmark::State& state) {
  for (auto unused : state) {
    const auto read = parser::workflow::read_workflow(example(), k_name);
    if (!require(state, read.ok(), "the workflow has errors")) break;
  }
}

void lint_one(benchmark::State& state) {
  for (auto unused : state) {
    const auto found = parser::lint::lint(example(), k_name);
    if (!require(state, !parser::has_errors(found), "the workflow has errors")) break;
  }
}

void read_and_plan_one(benchmark::State& state) {
  step::NativeActions actions;
  actions::register_native_actions(actions, {});
  const auto inputs = plan_inputs(actions);
  for (auto unused : state) {
    auto read = parser::workflow::read_workflow(example(), k_name);
    const auto text = runner::to_text(runner::make_plan({std::move(*read.workflow)}, inputs));
    const bool planned = text.find("build linux/arm64 on local, emulated") != std::string::npos;
    if (!require(state, planned, "the plan lacks a leg")) break;
  }
}

void read_1000(benchmark::State& state) {
  const auto& texts = repository().texts();
  for (auto unused : state) {
    for (const auto& text : texts) {
      if (!require(state, parser::workflow::read_workflow(text, k_name).ok(), "a workflow has errors")) return;
    }
  }
}

/// With the threads and file reading of `drydock lint`.
void lint_1000(benchmark::State& state) {
  runner::LintRequest request;
  request.files = repository().files();
  for (auto unused : state) {
    const auto done = runner::lint_files(request);
    if (!require(state, done.ok() && !parser::has_errors(done->findings), "a workflow has errors")) break;
  }
}

BENCHMARK(read_one)->Unit(benchmark::kMillisecond);
BENCHMARK(lint_one)->Unit(benchmark::kMillisecond);
BENCHMARK(read_and_plan_one)->Unit(benchmark::kMillisecond);
BENCHMARK(read_1000)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(lint_1000)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime()->UseRealTime();

}  // namespace

}  // namespace drydock

BENCHMARK_MAIN();
