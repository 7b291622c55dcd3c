#include "tests/executors/step/support.h"

#include <fstream>

using namespace drydock;
using namespace drydock::step;
using namespace drydock::step::test;

namespace {

/// Keeps what containers it was asked for, and does what the test says instead of running them.
class Containers : public StepHost {
 public:
  struct Log {
    std::vector<ActionContainer> prepared, ran;
    std::function<int(const ActionContainer&)> perform = [](const ActionContainer&) { return 0; };
  };
  explicit Containers(Log& log) : log_(log) {}
  Result<ProcessResult> run(const ProcessSpec& spec, std::stop_token stop) override { return run_process(spec, stop); }
  std::optional<std::string> find_program(std::string_view name, const Environment& environment) override {
    return drydock::find_program(name, &environment);
  }
  Environment environment() override { return {{"PATH", "/usr/bin:/bin"}, {"OF_MACHINE", "1"}}; }
  Status prepare_container(const ActionContainer& container, std::stop_token) override {
    log_.prepared.push_back(container);
    return {};
  }
  Result<ProcessResult> run_container(const ActionContainer& container, std::stop_token) override {
    log_.ran.push_back(container);
    return ProcessResult{.exit_code = log_.perform(container)};
  }

 private:
  Log& log_;
};

std::function<void(JobServices&)> containers(Containers::Log& log) {
  return [&log](JobServices& services) {
    services.hosts[Isolation::host] = [&log](const JobRequest&) -> Result<std::unique_ptr<StepHost>> {
      return std::unique_ptr<StepHost>(std::make_unique<Containers>(log));
    };
  };
}

void append(const std::string& file, const std::string& text) { std::ofstream(file, std::ios::app) << text; }

}  // namespace

TEST_CASE("a docker action of metadata: image, entrypoints, arguments, environment, files") {
  const Files files{{"action.yml", R"(name: d
inputs:
  who: {default: world}
outputs: {said: {description: x}}
runs:
  using: docker
  image: Dockerfile
  pre-entrypoint: /pre.sh
  entrypoint: /main.sh
  post-entrypoint: /post.sh
  args: [--who, "${{ inputs.who }}", ""]
  env: {OWN: "own-${{ inputs.who }}", LAYER: hidden}
)"}, {"Dockerfile", "FROM scratch\n"}};
  Trees source({{"o/d@v1", files}});
  Containers::Log log;
  log.perform = [](const ActionContainer& container) {
    if (container.entrypoint == "/main.sh") {
      container.on_stdout("::notice::from inside\n");
      append(container.environment.at("GITHUB_OUTPUT"), "said=hi\n");
      append(container.environment.at("GITHUB_STATE"), "kept=1\n");
    }
    return 0;
  };
  const auto ran = run(R"(    env: {GLOBAL: g}
    steps:
      - uses: o/d@v1
        id: d
        with: {who: me}
        env: {LAYER: step}
      - run: echo "got ${{ steps.d.outputs.said }}"
)", {.source = &source, .services = containers(log)});
  INFO(ran.log << ran.messages);
  CHECK(ran.conclusions() == "success success success success");
  REQUIRE(log.prepared.size() == 1);
  CHECK(log.prepared[0].dockerfile == ran.temp + "/_actions/o/d/v1/Dockerfile");
  CHECK(log.prepared[0].image.empty());
  REQUIRE(log.ran.size() == 3);
  CHECK(*log.ran[0].entrypoint == "/pre.sh");
  CHECK(*log.ran[2].entrypoint == "/post.sh");
  const ActionContainer& main = log.ran[1];
  CHECK(*main.entrypoint == "/main.sh");
  CHECK(main.args == std::vector<std::string>{"--who", "me", ""});
  CHECK(main.directory == ran.workspace);
  const auto& environment = main.environment;
  CHECK(environment.at("INPUT_WHO") == "me");
  CHECK(environment.at("OWN") == "own-me");
  CHECK(environment.at("LAYER") == "step");
  CHECK(environment.at("GLOBAL") == "g");
  CHECK(environment.at("GITHUB_REPOSITORY") == "o/r");
  CHECK(environment.at("GITHUB_ACTION_REPOSITORY") == "o/d");
  CHECK(environment.at("RUNNER_OS") == "Linux");
  CHECK(environment.at("HOME") == ran.temp + "/_github_home");
  CHECK(environment.count("OF_MACHINE") == 0);
  CHECK(environment.count("PATH") == 0);
  CHECK(log.ran[2].environment.at("STATE_kept") == "1");
  CHECK(ran.said("notice: from inside"));
  CHECK(ran.logged("got hi\n"));
}

TEST_CASE("docker:// steps take args and entrypoint from the step") {
  Containers::Log log;
  log.perform = [](const ActionContainer&) { return 3; };
  const auto ran = run(R"x(    steps:
      - uses: docker://alpine:3
        with:
          entrypoint: /bin/sh
          args: -c "echo two words" ${{ github.ref }}
      - uses: docker://alpine:3
        if: always()
)x", {.services = containers(log)});
  INFO(ran.log << ran.messages);
  CHECK(ran.conclusions() == "failure failure");
  REQUIRE(log.prepared.size() == 1);
  CHECK(log.prepared[0].image == "alpine:3");
  REQUIRE(log.ran.size() == 2);
  CHECK(*log.ran[0].entrypoint == "/bin/sh");
  CHECK(log.ran[0].args == std::vector<std::string>{"-c", "echo two words", "refs/heads/main"});
  CHECK(!log.ran[1].entrypoint);
  CHECK(log.ran[1].args.empty());
  CHECK(ran.result.steps[0].name == "Run alpine:3");
  CHECK(ran.result.steps[0].exit_code == 3);
}

TEST_CASE("a directory with nothing but a Dockerfile is an action; a local one is built when it is reached") {
  Containers::Log log;
  const auto ran = run("    steps:\n      - uses: ./tool\n        with: {args: a b, more: x}\n",
                       {.files = {{"tool/Dockerfile", "FROM scratch\n"}}, .services = containers(log)});
  INFO(ran.log << ran.messages);
  CHECK(ran.conclusions() == "success");
  REQUIRE(log.ran.size() == 1);
  CHECK(log.ran[0].dockerfile == ran.workspace + "/tool/Dockerfile");
  CHECK(log.ran[0].args == std::vector<std::string>{"a", "b"});
  CHECK(log.ran[0].environment.at("INPUT_MORE") == "x");
  CHECK(!ran.said("Unexpected input"));
}
