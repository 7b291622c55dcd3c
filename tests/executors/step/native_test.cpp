#include "tests/executors/step/support.h"

using namespace drydock;
using namespace drydock::step;
using namespace drydock::step::test;

namespace {

/// Says what it was given; fails when told to; cleans up afterwards.
class Probe : public NativeAction {
 public:
  std::string_view name() const override { return "acme/probe"; }
  Status serves(std::string_view version) const override {
    if (version == "v1") return {};
    return make_error(ErrorCode::unsupported, "acme/probe@" + std::string(version) + " is not served", "use v1");
  }
  const std::vector<InputDeclaration>& inputs() const override {
    static const std::vector<InputDeclaration> k_inputs{
        {.name = "who"}, {.name = "ref", .default_value = "${{ github.ref }}!"}, {.name = "fail", .default_value = "false"},
        {.name = "old", .deprecation = "use who"}};
    return k_inputs;
  }
  const std::vector<std::string>& outputs() const override {
    static const std::vector<std::string> k_outputs{"said"};
    return k_outputs;
  }
  PostStep post_step() const override { return PostStep::always; }
  Status main(ActionContext& context) const override {
    context.info("main " + context.input("WHO") + " " + context.input("ref") + " " + context.github("repository") + " " +
                 context.event().at("number").dump() + " " + context.variable("LAYER"));
    context.set_output("said", context.input("who"));
    context.export_variable("FROM_PROBE", "yes");
    context.save_state("who", context.input("who"));
    DRYDOCK_ASSIGN(const bool fail, context.boolean_input("fail"));
    if (fail) return make_error(ErrorCode::registry_auth, "told to fail", "do not");
    return {};
  }
  Status post(ActionContext& context) const override {
    context.info("post " + context.state("who") + " " + context.step());
    return {};
  }
};

/// Its post step runs only after success; its program runs where the steps do.
class Tidy : public Probe {
 public:
  std::string_view name() const override { return "acme/tidy"; }
  PostStep post_step() const override { return PostStep::on_success; }
  Status main(ActionContext& context) const override {
    context.info("token " + context.variable("ACTIONS_RUNTIME_TOKEN"));
    DRYDOCK_ASSIGN(const auto ran, context.run_in_place({.argv = {"sh", "-c", "echo in place $ACTIONS_RUNTIME_TOKEN"}}));
    return ran.exit_code == 0 ? Status() : make_error(ErrorCode::failed, "sh failed");
  }
};

NativeActions probes() {
  NativeActions actions;
  actions.add(std::make_shared<Probe>());
  actions.add(std::make_shared<Tidy>());
  return actions;
}

}  // namespace

TEST_CASE("native actions run with inputs, outputs, environment and post steps in reverse order") {
  const NativeActions actions = probes();
  const auto ran = run(R"(    steps:
      - uses: Acme/Probe@v1
        id: a
        with: {who: one, typo: x, old: y}
        env: {LAYER: "${{ github.sha }}"}
      - uses: acme/probe@v1
        with: {who: "two ${{ steps.a.outputs.said }} $FROM_PROBE"}
      - run: echo "env $FROM_PROBE"
      - uses: acme/probe@v1
        if: ${{ false }}
)", {.actions = &actions});
  INFO(ran.log << ran.messages);
  CHECK(ran.conclusions() == "success success success skipped success success");
  CHECK(ran.logged("main one refs/heads/main! o/r 7 abc\n"));
  CHECK(ran.logged("main two one $FROM_PROBE refs/heads/main!"));
  CHECK(ran.logged("env yes\n"));
  const auto second = ran.log.find("post two one $FROM_PROBE 2.post\n"), first = ran.log.find("post one 1.post\n");
  REQUIRE(second != std::string::npos);
  REQUIRE(first != std::string::npos);
  CHECK(second < first);
  CHECK(ran.said("warning: Unexpected input(s) 'typo', valid inputs are ['who', 'ref', 'fail', 'old']"));
  CHECK(ran.said("warning: Input 'old' has been deprecated with message: use who"));
}

TEST_CASE("a native action's error fails the step and chooses the code; its post step still runs") {
  const NativeActions actions = probes();
  const auto ran = run("    steps:\n      - uses: acme/probe@v1\n        with: {who: x, fail: true}\n", {.actions = &actions});
  INFO(ran.log << ran.messages);
  CHECK(ran.conclusions() == "failure success");
  CHECK(ran.result.error == ErrorCode::registry_auth);
  CHECK(ran.said("error: told to fail"));
  CHECK(ran.logged("post x 1.post\n"));
}

TEST_CASE("a post step of on_success is skipped in a job that failed") {
  const NativeActions actions = probes();
  const auto ran = run("    steps:\n      - uses: acme/tidy@v1\n      - run: exit 1\n", {.actions = &actions});
  CHECK(ran.conclusions() == "success failure skipped");
  const auto good = run("    steps:\n      - uses: acme/tidy@v1\n", {.actions = &actions});
  CHECK(good.conclusions() == "success success");
}

TEST_CASE("actions get the runner's own services, scripts do not") {
  const NativeActions actions = probes();
  Setting setting{.actions = &actions};
  setting.action_environment = [](const JobRequest& request) {
    return Environment{{"ACTIONS_RUNTIME_TOKEN", "token-of-" + request.key}};
  };
  const auto ran = run("    steps:\n      - uses: acme/tidy@v1\n      - run: echo script ${ACTIONS_RUNTIME_TOKEN:-none}\n", setting);
  INFO(ran.log << ran.messages);
  CHECK(ran.logged("token token-of-job\n"));
  CHECK(ran.logged("in place token-of-job\n"));
  CHECK(ran.logged("script none\n"));
}

TEST_CASE("a version that is not served is refused with its place") {
  const NativeActions actions = probes();
  const auto ran = run("    steps:\n      - uses: acme/probe@v9\n", {.actions = &actions});
  CHECK(ran.said("w.yml:6:15: acme/probe@v9 is not served"));
  CHECK(ran.result.steps.empty());
}

TEST_CASE("action references") {
  struct Row {
    const char *uses, *repository, *path, *version;
  };
  const Row rows[] = {{"a/b@v1", "a/b", "", "v1"}, {"a/b/c/d@main", "a/b", "c/d", "main"}, {"a/b@x/y", "a/b", "", "x/y"}};
  for (const auto& row : rows) {
    const auto reference = parse_action_reference(row.uses);
    REQUIRE(reference);
    CHECK(reference->repository == row.repository);
    CHECK(reference->path == row.path);
    CHECK(reference->version == row.version);
  }
  for (const char* wrong : {"./a", "docker://x@y", "a/b", "a@v1", "/b@v1", "a/b@"}) CHECK(!parse_action_reference(wrong));
}
