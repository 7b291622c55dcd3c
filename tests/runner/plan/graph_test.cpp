#include "runner/plan/graph.h"

#include "tests/support/catch.h"

using namespace drydock;
using namespace drydock::runner;

namespace {

PlannedJob job(std::string id, std::vector<std::string> needs = {}, std::size_t legs = 1, Will will = Will::run) {
  return {.id = std::move(id), .needs = std::move(needs), .will = will, .legs = std::vector<PlannedLeg>(legs)};
}

Plan sample() {
  PlannedJob matrix = job("images", {"Plan"}, 0);
  matrix.matrix_waits_for = "needs.plan.outputs.matrix";
  Plan plan;
  plan.workflows.push_back({.file = "ci.yml",
                            .name = "Build \"all\"",
                            .jobs = {job("end", {"test", "images"}, 1, Will::unknown), job("plan"), job("test", {}, 4),
                                     std::move(matrix), job("notify", {"end"}, 0, Will::skip)}});
  plan.workflows.push_back({.file = "nightly.yml", .name = "nightly.yml", .will = Will::skip, .reason = "it is for schedule"});
  return plan;
}

}  // namespace

TEST_CASE("a graph as text goes by stages, needs first") {
  CHECK(to_graph(sample(), GraphForm::text) == R"graph(workflow Build "all" (ci.yml)
  stage 1
    plan
    test ×4
  stage 2
    images ×? <- Plan
  stage 3
    end (unknown) <- test, images
  stage 4
    notify (skipped) <- end
workflow nightly.yml (skipped): it is for schedule
)graph");
}

TEST_CASE("a graph as Mermaid has a node for each job and an edge for each need") {
  CHECK(to_graph(sample(), GraphForm::mermaid) == R"graph(flowchart LR
  subgraph w0["Build #quot;all#quot; (ci.yml)"]
    w0_0["end (unknown)"]
    w0_1["plan"]
    w0_2["test ×4"]
    w0_3["images ×?"]
    w0_4["notify (skipped)"]
    w0_2 --> w0_0
    w0_3 --> w0_0
    w0_1 --> w0_3
    w0_0 --> w0_4
  end
  w1["nightly.yml (skipped)"]
  classDef skipped stroke-dasharray:4 4,opacity:0.5
  classDef unknown stroke-dasharray:4 4
  class w0_4,w1 skipped
  class w0_0 unknown
)graph");
}

TEST_CASE("graphs of nothing, and of needs that are not shown") {
  CHECK(to_graph({}, GraphForm::text).empty());
  Plan plan;
  plan.workflows.push_back({.file = "w.yml", .name = "w.yml", .jobs = {job("only", {"left-out"})}});
  CHECK(to_graph(plan, GraphForm::text) == "workflow w.yml\n  stage 1\n    only <- left-out\n");
  CHECK(to_graph(plan, GraphForm::mermaid).find("-->") == std::string::npos);
}

TEST_CASE("forms of graphs by name") {
  CHECK(parse_graph_form("text") == GraphForm::text);
  CHECK(parse_graph_form("mermaid") == GraphForm::mermaid);
  CHECK(!parse_graph_form("dot"));
}

TEST_CASE("called jobs are drawn in the job that calls them") {
  PlannedJob call = job("call", {"a"}, 2);
  call.legs[0].jobs = {job("x"), job("y", {"x"})};
  Plan plan;
  plan.workflows.push_back({.file = "w.yml", .name = "w.yml", .jobs = {job("a"), call}});
  CHECK(to_graph(plan, GraphForm::text) == R"graph(workflow w.yml
  stage 1
    a
  stage 2
    call ×2 <- a
        stage 1
          x
        stage 2
          y <- x
)graph");
  const auto drawn = to_graph(plan, GraphForm::mermaid);
  CHECK(drawn.find(R"graph(    subgraph w0_1["call ×2"]
      w0_1_0["x"]
      w0_1_1["y"]
      w0_1_0 --> w0_1_1
    end
    w0_0 --> w0_1
)graph") != std::string::npos);
}
