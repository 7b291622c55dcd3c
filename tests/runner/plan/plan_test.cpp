#include "runner/plan/plan.h"

#include "executors/base/fs.h"
#include "parser/workflow/reader.h"
#include "tests/support/catch.h"

using namespace drydock;
using namespace drydock::runner;

namespace {

const char* k_workflow = R"(name: Build
on:
  push: {branches: [main]}
env: {IMAGE: registry.example/app}
jobs:
  build:
    runs-on: ubuntu-latest
    outputs: {digest: "${{ steps.push.outputs.digest }}", sites: "${{ steps.meta.outputs.sites }}"}
    steps:
      - id: meta
        run: echo "tags=$IMAGE:1" >> "$GITHUB_OUTPUT"
      - uses: docker/build-push-action@v5
        id: push
        with:
          platforms: linux/amd64,linux/arm64
          push: ${{ github.event_name != 'pull_request' }}
          tags: ${{ steps.meta.outputs.tags }}
          cache-to: type=registry,ref=${{ env.IMAGE }}:buildcache
      - run: echo ${{ secrets.TOKEN }} ${{ secrets.NONE }} ${{ env.LATER }}
        if: ${{ steps.push.outputs.digest != '' }}
      - run: echo never
        if: github.ref == 'refs/heads/other'
  deploy:
    needs: build
    runs-on: ubuntu-latest
    strategy: {matrix: {site: "${{ fromJSON(needs.build.outputs.sites) }}"}}
    steps: [{run: echo}]
)";

/// Answers for one name; never performed in a plan.
class Named : public step::NativeAction {
 public:
  std::string_view name() const override { return "docker/build-push-action"; }
  const std::vector<step::InputDeclaration>& inputs() const override {
    static const std::vector<step::InputDeclaration> none;
    return none;
  }
  const std::vector<std::string>& outputs() const override {
    static const std::vector<std::string> none;
    return none;
  }
  Status main(step::ActionContext&) const override { return make_error(ErrorCode::internal, "performed in a dry run"); }
};

const char* k_called = R"(on:
  workflow_call:
    inputs:
      site: {type: string, required: true}
      n: {type: number, default: 5}
      tag: {type: string}
    outputs:
      url: {value: "${{ jobs.two.outputs.url }}"}
      same: {value: "${{ jobs.one.result }} ${{ inputs.n }}"}
jobs:
  one:
    runs-on: ubuntu-latest
    steps: [{run: "echo ${{ inputs.site }} ${{ inputs.n }}"}, {run: "echo ${{ inputs.tag }}"}]
  two:
    if: inputs.site == 'prod'
    runs-on: ubuntu-latest
    outputs: {url: "https://${{ inputs.site }}"}
    steps: [{run: echo}]
)";

Plan plan_of(const std::string& yaml, const std::string& ref, std::vector<worker::Worker> workers, const std::string& source = {}) {
  const auto read = parser::workflow::read_workflow(yaml, "w.yml", {.resolve = [](std::string_view uses) {
    return uses == "./.github/workflows/called.yml" ? std::optional<std::string>(k_called) : std::nullopt;
  }});
  REQUIRE(read.ok());
  GitFacts git{.sha = std::string(40, 'a'), .ref = ref, .owner = "o", .name = "r", .has_remote = true, .default_branch = "main",
               .before = std::string(40, 'b')};
  step::NativeActions actions;
  actions.add(std::make_shared<Named>());
  PlanInputs inputs{.event = make_event({.name = "push"}, git).value(), .workers = std::move(workers), .actions = &actions};
  inputs.settings.secrets = {"TOKEN"};
  inputs.settings.runner.os = "Linux";
  inputs.settings.runner.arch = "X64";
  inputs.settings.source = source;
  return make_plan({*read.workflow}, inputs);
}

worker::Worker here() {
  return {.name = "local", .native = {Platform{"linux", "amd64"}}, .emulated = {Platform{"linux", "arm64"}}};
}

}  // namespace

TEST_CASE("a plan shows what is known, and names what is not") {
  const Plan plan = plan_of(k_workflow, "refs/heads/main", {here()});
  const std::string text = to_text(plan);
  INFO(text);
  REQUIRE(plan.workflows.size() == 1);
  const auto& build = plan.workflows[0].jobs[0];
  REQUIRE(build.legs.size() == 1);
  const auto& steps = build.legs[0].steps;
  REQUIRE(steps.size() == 4);
  REQUIRE(steps[1].build);
  CHECK(steps[1].build->tags.depends_on == std::vector<std::string>{"steps.meta.outputs.tags"});
  CHECK(steps[1].build->cache_to.text == "type=registry,ref=registry.example/app:buildcache");
  CHECK(steps[1].build->push.text == "true");
  REQUIRE(steps[1].build->legs.size() == 2);
  CHECK(steps[1].build->legs[0].execution == Execution::native);
  CHECK(steps[1].build->legs[1].execution == Execution::emulated);
  CHECK(steps[2].name == "Run echo ${{ secrets.TOKEN }} ${{ secrets.NONE }} ${{ env.LATER }}");
  CHECK(steps[2].will == Will::unknown);
  CHECK(steps[2].reason == "depends on steps.push.outputs.digest");
  CHECK(steps[2].values[0].depends_on == std::vector<std::string>{"env.LATER"});
  CHECK(steps[3].will == Will::skip);
  CHECK(plan.workflows[0].jobs[1].matrix_waits_for == "needs.build.outputs.sites");
  CHECK(text.find("unknown until the run: steps.meta.outputs.tags") != std::string::npos);
  CHECK(text.find("build linux/arm64 on local, emulated") != std::string::npos);
  REQUIRE(plan.problems.size() == 1);
  CHECK(format_line(plan.problems[0]) == "w.yml:19:14: secret 'NONE' is not defined: it would be empty [undefined-secret]");

  const OrderedJson json = to_json(plan);
  CHECK(json.at("schema") == 1);
  CHECK(json["workflows"][0]["jobs"][0]["legs"][0]["steps"][1]["build"]["legs"][1]["execution"] == "emulated");
  CHECK(json["problems"][0]["line"] == 19);
}

TEST_CASE("containers of a job show what is known of them") {
  const Plan plan = plan_of(R"(on: push
env: {FLAG: "-Xmx1g"}
jobs:
  first:
    runs-on: ubuntu-latest
    outputs: {tag: "${{ steps.pick.outputs.tag }}", all: "${{ steps.pick.outputs.all }}"}
    steps: [{id: pick, run: echo}]
  job:
    needs: first
    runs-on: ubuntu-latest
    strategy: {matrix: {node: [22]}}
    container:
      image: docker://node:${{ matrix.node }}
      env: {OPTIONS: "${{ env.FLAG }}"}
      credentials: {username: captain, password: "${{ secrets.TOKEN }}"}
      options: --cpus 2
    services:
      db:
        image: postgres:${{ needs.first.outputs.tag }}
        ports: ["5432:5432", "${{ needs.first.outputs.tag }}"]
        volumes: ["data:/data"]
        command: postgres -c fsync=off
      none:
        image: ${{ matrix.nothing }}
    steps: [{run: echo}]
  open:
    needs: first
    runs-on: ubuntu-latest
    container: ${{ fromJSON(needs.first.outputs.all) }}
    services: ${{ fromJSON(needs.first.outputs.all) }}
    steps: [{run: echo}]
)", "refs/heads/main", {here()});
  const std::string text = to_text(plan);
  INFO(text);
  const auto& jobs = plan.workflows[0].jobs;
  REQUIRE(jobs.size() == 3);
  CHECK(jobs[0].legs[0].containers.empty());
  const auto& known = jobs[1].legs[0].containers;
  REQUIRE(known.size() == 2);
  CHECK(known[0].service == "");
  CHECK(known[0].image.text == "node:22");
  CHECK(known[0].env[0].text == "-Xmx1g");
  CHECK(known[0].options.text == "--cpus 2");
  CHECK(known[0].options.place.line == 16);
  CHECK(known[0].credentials.text == "given");
  const std::vector<std::string> tag{"needs.first.outputs.tag"};
  CHECK(known[1].service == "db");
  CHECK(known[1].image.depends_on == tag);
  REQUIRE(known[1].ports.size() == 2);
  CHECK(known[1].ports[0].text == "5432:5432");
  CHECK(known[1].ports[1].depends_on == tag);
  CHECK(known[1].volumes[0].text == "data:/data");
  CHECK(known[1].credentials.text == "none");
  const auto& open = jobs[2].legs[0].containers;
  REQUIRE(open.size() == 2);
  CHECK(open[0].image.depends_on == std::vector<std::string>{"needs.first.outputs.all"});
  CHECK(open[1].service == "*");
  CHECK_FALSE(open[1].image.known());
  for (const auto* line : {"container: node:22\n", "    env.OPTIONS: -Xmx1g\n", "    credentials: given\n",
                           "service db: unknown until the run: needs.first.outputs.tag\n", "    volumes: data:/data\n",
                           "    ports: unknown until the run: needs.first.outputs.tag\n", "services: unknown until the run"}) {
    INFO(line);
    CHECK(text.find(line) != std::string::npos);
  }
  CHECK(text.find("***") == std::string::npos);
  const auto json = to_json(plan)["workflows"][0]["jobs"][1]["legs"][0]["containers"];
  CHECK(json[0]["image"]["value"] == "node:22");
  CHECK(json[1]["ports"][1]["unknown"] == tag);
}

TEST_CASE("what a run would refuse of containers is a problem with its place") {
  const Plan plan = plan_of(R"(on: push
jobs:
  job:
    runs-on: ubuntu-latest
    container: {image: a, options: --gpus all}
    services:
      db: {image: b, ports: [5432, nine], volumes: ["a:b:c:d"]}
    steps: [{run: echo}]
)", "refs/heads/main", {here()});
  std::vector<std::string> said;
  for (const auto& problem : plan.problems) said.push_back(format_line(problem));
  REQUIRE(said.size() == 4);
  CHECK(said[0].starts_with("w.yml:5:16: containers (of job 'job') are not available here"));  // nor are they in this test
  CHECK(said[1].starts_with("w.yml:5:36: container: options: --gpus is not supported"));
  CHECK(said[2].starts_with("w.yml:7:36: db: ports: 'nine' is no port"));
  CHECK(said[3].starts_with("w.yml:7:53: db: volumes: 'a:b:c:d' has too many parts"));
}

TEST_CASE("hashes of files wait for the run, and say of which") {
  const Plan plan = plan_of(R"(on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: echo ${{ runner.os }}-${{ hashFiles('**/go.sum', github.ref_name) }}
      - run: echo
        if: hashFiles('go.sum') != ''
)", "refs/heads/main", {here()});
  INFO(to_text(plan));
  CHECK(plan.problems.empty());
  const auto& steps = plan.workflows.at(0).jobs.at(0).legs.at(0).steps;
  CHECK(steps.at(0).values.at(0).depends_on == std::vector<std::string>{"hashFiles('**/go.sum', 'main')"});
  CHECK(steps.at(1).will == Will::unknown);
  CHECK(steps.at(1).reason == "depends on hashFiles('go.sum')");
}

TEST_CASE("labels that hang on the run are named, and no mapping is one") {
  const Plan plan = plan_of(R"(on: push
jobs:
  first: {runs-on: linux, outputs: {os: "${{ steps.a.outputs.b }}"}, steps: [{id: a, run: a}]}
  second: {needs: first, runs-on: [self-hosted, "${{ needs.first.outputs.os }}"], steps: [{run: a}]}
  third: {runs-on: [linux, "${{ matrix.x }}"], strategy: {matrix: {x: [{a: 1}]}}, steps: [{run: a}]}
)", "refs/heads/main", {here()});
  INFO(to_text(plan));
  const auto& second = plan.workflows.at(0).jobs.at(1).legs.at(0);
  CHECK(second.labels == std::vector<std::string>{"self-hosted"});
  CHECK(second.labels_depend_on == std::vector<std::string>{"needs.first.outputs.os"});
  CHECK(to_text(plan).find("second on self-hosted, a runner unknown until the run: needs.first.outputs.os\n") != std::string::npos);
  REQUIRE(plan.problems.size() == 1);
  CHECK(plan.problems[0].message == "A mapping was not expected as a label of runs-on");
}

TEST_CASE("a platform that nothing runs is a problem with its place") {
  worker::Worker only_native = here();
  only_native.emulated.clear();
  const Plan plan = plan_of(k_workflow, "refs/heads/main", {only_native});
  REQUIRE(has_errors(plan.problems));
  CHECK(to_text(plan).find("w.yml:15:22: no worker runs linux/arm64, natively or emulated") != std::string::npos);
}

TEST_CASE("a workflow that the event does not trigger says why") {
  const Plan plan = plan_of(k_workflow, "refs/heads/topic", {here()});
  CHECK(plan.workflows[0].will == Will::skip);
  CHECK(!plan.workflows[0].reason.empty());
  CHECK(plan.workflows[0].jobs.empty());
}

TEST_CASE("what a job needs decides for it: skipped, unknown, outputs that are known") {
  const Plan plan = plan_of(R"(on: push
jobs:
  late: {needs: [no], runs-on: linux, steps: [{run: a}]}
  no: {if: github.event_name == 'schedule', runs-on: linux, steps: [{run: a}]}
  anyway: {needs: [no], if: always(), runs-on: linux, steps: [{run: "echo ${{ needs.no.result }}"}]}
  far: {needs: [anyway], runs-on: linux, steps: [{run: a}]}
  gives:
    runs-on: linux
    outputs: {fixed: "v-${{ github.ref_name }}", later: "${{ steps.a.outputs.b }}"}
    steps: [{id: a, run: a}]
  maybe: {needs: [gives], if: needs.gives.outputs.later == '1', runs-on: linux, steps: [{run: "echo ${{ needs.gives.outputs.fixed }}"}]}
  after: {needs: [maybe], runs-on: linux, steps: [{run: a}]}
)", "refs/heads/main", {here()});
  INFO(to_text(plan));
  const auto& jobs = plan.workflows[0].jobs;
  REQUIRE(jobs.size() == 7);
  const auto is = [&](std::size_t i, const char* id, Will will, const std::string& reason) {
    CHECK(jobs[i].id == id);
    CHECK(jobs[i].will == will);
    CHECK(jobs[i].reason == reason);
  };
  is(0, "late", Will::skip, "a job that it needs is skipped");
  is(1, "no", Will::skip, "its condition is false: success() && (github.event_name == 'schedule')");
  is(2, "anyway", Will::run, "");
  CHECK(jobs[2].legs.at(0).steps.at(0).name == "Run echo skipped");
  is(3, "far", Will::skip, "a job that it needs is skipped");
  is(5, "maybe", Will::unknown, "depends on needs.gives.outputs.later");
  CHECK(jobs[5].legs.at(0).steps.at(0).name == "Run echo v-main");
  is(6, "after", Will::unknown, "depends on needs.maybe.result");
}

TEST_CASE("a called workflow shows its jobs for each leg of the caller; what a run refuses is a note") {
  const Plan plan = plan_of(R"(on: push
jobs:
  first: {runs-on: linux, outputs: {tag: "${{ steps.a.outputs.b }}"}, steps: [{id: a, run: a}]}
  call:
    needs: first
    strategy: {matrix: {env: [dev, prod]}}
    uses: ./.github/workflows/called.yml
    with: {site: "${{ matrix.env }}", tag: "${{ needs.first.outputs.tag }}"}
  remote: {uses: o/r/.github/workflows/x.yml@v1}
  boxed: {runs-on: linux, snapshot: mine, steps: [{run: a}]}
  end: {needs: [call], runs-on: linux, steps: [{run: "echo ${{ needs.call.outputs.url }}"}, {run: "echo ${{ needs.call.outputs.same }}"}]}
)", "refs/heads/main", {here()});
  INFO(to_text(plan));
  CHECK(!has_errors(plan.problems));
  const auto& jobs = plan.workflows[0].jobs;
  REQUIRE(jobs.size() == 5);
  CHECK(jobs[1].calls == "./.github/workflows/called.yml");
  CHECK(jobs[1].notes.empty());
  REQUIRE(jobs[1].legs.size() == 2);
  const auto& dev = jobs[1].legs[0];
  REQUIRE(dev.inputs.size() == 3);
  CHECK(dev.inputs[0].text == "dev");
  CHECK(dev.inputs[1].text == "5");
  CHECK(dev.inputs[2].depends_on == std::vector<std::string>{"needs.first.outputs.tag"});
  REQUIRE(dev.jobs.size() == 2);
  CHECK(dev.jobs[0].legs.at(0).key == "call (dev) / one");
  CHECK(dev.jobs[0].legs.at(0).name == "call (dev) / one");
  CHECK(dev.jobs[0].legs.at(0).steps.at(0).name == "Run echo dev 5");
  CHECK(dev.jobs[0].legs.at(0).steps.at(1).values.at(0).depends_on == std::vector<std::string>{"needs.first.outputs.tag"});
  CHECK(dev.jobs[1].will == Will::skip);
  CHECK(jobs[1].legs[1].jobs.at(1).will == Will::run);
  CHECK(jobs[2].notes == std::vector<std::string>{"drydock run refuses this job: the reusable workflow 'o/r/.github/workflows/x.yml@v1' is not here"});
  REQUIRE(jobs[3].notes.size() == 1);
  CHECK(jobs[3].notes[0].find("'snapshot:' of job 'boxed'") != std::string::npos);
  CHECK(jobs[3].legs.at(0).steps.size() == 1);
  CHECK(jobs[4].legs.at(0).steps.at(0).values.at(0).depends_on == std::vector<std::string>{"needs.call.outputs.url"});
  CHECK(jobs[4].legs.at(0).steps.at(1).values.at(0).text == "echo success 5");
}

TEST_CASE("the steps of composite actions that are at hand are shown, as deep as they go") {
  const auto tree = TempDir::create();
  const auto action = [&](const std::string& name, const std::string& steps) {
    REQUIRE(make_directories(tree->path() + "/" + name).ok());
    const std::string text = "name: " + name + "\nruns:\n  using: composite\n  steps:\n" + steps;
    REQUIRE(write_file_atomic(tree->path() + "/" + name + "/action.yml", text, 0644, Durability::relaxed).ok());
  };
  action("outer", "    - {run: echo one, shell: bash}\n    - {name: Second, uses: ./inner}\n    - uses: acme/elsewhere@v1\n");
  action("inner", "    - {run: \"echo ${{ inputs.x }}\", shell: bash}\n");
  action("circle", "    - uses: ./circle\n");
  const auto plan = plan_of("on: push\njobs:\n  a:\n    runs-on: linux\n    steps:\n      - uses: ./outer\n      - uses: ./missing\n      - uses: ./circle\n      - uses: $/inner\n",
                            "refs/heads/main", {here()}, tree->path());
  const auto& steps = plan.workflows.at(0).jobs.at(0).legs.at(0).steps;
  REQUIRE(steps.at(0).steps.size() == 3);
  CHECK(steps[0].steps[0].number == "1.1");
  CHECK(steps[0].steps[0].name == "Run echo one");
  CHECK(steps[0].steps[1].name == "Second");
  CHECK(steps[0].steps[1].action == "./inner");
  CHECK(steps[0].steps[1].steps.at(0).number == "1.2.1");
  CHECK(steps[0].steps[1].steps.at(0).name == "Run echo ${{ inputs.x }}");
  CHECK(steps[0].steps[2].steps.empty());
  CHECK(steps[1].steps.empty());
  CHECK(steps[2].steps.at(0).steps.at(0).action == "./circle");
  CHECK(steps[3].steps.at(0).name == "Run echo ${{ inputs.x }}");
  CHECK(to_text(plan).find("1.2.1 Run echo ${{ inputs.x }}\n") != std::string::npos);
  CHECK(to_json(plan)["workflows"][0]["jobs"][0]["legs"][0]["steps"][0]["steps"][1]["steps"][0]["number"] == "1.2.1");
}
