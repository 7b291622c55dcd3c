#include "tests/executors/step/support.h"

using namespace drydock;
using namespace drydock::step;
using namespace drydock::step::test;

TEST_CASE("job messages survive the wire") {
  JobRequest request = request_of(R"(    env: {A: "${{ github.sha }}"}
    outputs: {o: "${{ steps.x.outputs.y }}"}
    steps:
      - id: x
        name: N
        run: echo
        shell: bash
        if: always()
        env: {B: c}
      - uses: a/b@v1
        with: {z: 1, a: 2}
        continue-on-error: true
        timeout-minutes: 3
)");
  request.matrix = OrderedJson{{"z", 1}, {"a", "x"}};
  request.timeout = std::chrono::milliseconds(5000);
  request.cancel_timeout = std::chrono::milliseconds(7000);
  request.secrets = {"S"};
  request.permissions = {{"id-token", "write"}};
  request.job = {{"workflow_ref", "o/r/w.yml@refs/heads/main"}};
  request.environment = "production";
  request.environment_url = Text{.text = "steps.x.outputs.url", .kind = TextKind::expression};
  request.runner.isolation = Isolation::sandbox;
  request.leaves_places = true;
  StageTrail stage{.position = "1", .id = "x", .name = "N", .fingerprint = "f", .waited_for = "2", .outcome = Outcome::failure,
                   .conclusion = Outcome::success, .exit_code = 3, .summary = "s"};
  stage.outputs = {{"y", {.pieces = {{"a "}, {"S", true}}}}, {"z", {.withheld = true}}};
  stage.environment = {{"E", {.pieces = {{"e"}}}}};
  stage.path = {{.pieces = {{"/p"}}}};
  stage.matchers = {{"m.json", "{}"}, {"", "owner"}};
  stage.artifacts = {.pieces = {{"{}"}}};
  stage.masks = stage.logs_in = true;
  stage.use = {.state = {{"k", {.pieces = {{"v"}}}}}, .posts = {1}, .post_registered = true, .nested = {KeptUse()}};
  request.go_on = GoOn{.first = 1, .run = "7", .trail = {.workspace = "/w", .isolation = "host", .outside = OutsideChanges::kept, .stages = {stage}}};
  const OrderedJson wire = OrderedJson::parse(to_json(request).dump());
  const auto back = job_request_from_json(wire);
  REQUIRE(back.ok());
  CHECK(to_json(*back) == to_json(request));
  CHECK(back->steps[1].with.front().first.text == "z");
  REQUIRE(back->go_on);
  CHECK(back->go_on->trail.stages.at(0).outputs.at(0).second.pieces.at(1).is_secret);
  CHECK(back->go_on->trail.stages.at(0).outputs.at(1).second.withheld);
  CHECK(back->go_on->trail.stages.at(0).outcome == Outcome::failure);
  CHECK(back->matrix.dump() == R"({"z":1,"a":"x"})");

  OrderedJson newer = wire;
  newer["schema"] = JobRequest::k_schema + 1;
  CHECK(job_request_from_json(newer).error().code == ErrorCode::invalid_input);
  OrderedJson broken = wire;
  broken.erase("steps");
  CHECK(job_request_from_json(broken).error().code == ErrorCode::invalid_input);
}

TEST_CASE("job results survive the wire") {
  const auto ran = run("    steps:\n      - id: a\n        run: echo x=1 >> $GITHUB_OUTPUT; echo ::error file=f,line=2::bad; exit 4\n");
  const auto back = job_result_from_json(OrderedJson::parse(to_json(ran.result).dump()));
  REQUIRE(back.ok());
  CHECK(to_json(*back) == to_json(ran.result));
  CHECK(back->steps.front().exit_code == 4);
  CHECK(back->steps.front().outputs.at("x") == "1");
  CHECK(back->error == ErrorCode::failed);
}
