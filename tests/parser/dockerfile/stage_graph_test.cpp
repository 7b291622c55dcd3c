#include "parser/dockerfile/stage_graph.h"

#include "tests/support/catch.h"

using namespace drydock::parser;
using namespace drydock::parser::dockerfile;

namespace {

StageGraph graph(const std::string& text, const std::string& target = {},
                 std::set<std::string, std::less<>> contexts = {}) {
  const auto parsed = parse_dockerfile(text, "Dockerfile");
  REQUIRE(parsed.diagnostics.empty());
  GraphRequest request;
  request.target = target;
  request.named_contexts = std::move(contexts);
  for (const auto& stage : parsed.dockerfile.stages) request.base_names.push_back(stage.base_name);
  return build_stage_graph(parsed.dockerfile, request);
}

using Order = std::vector<std::size_t>;

const std::string k_file =
    "FROM a AS one\n"
    "FROM b AS two\nCOPY --from=ONE x y\n"
    "FROM one AS unused\n"
    "FROM scratch AS last\nCOPY --from=1 x y\nRUN --mount=from=one,target=/m z\nCOPY --from=image:1 x y\n";

}  // namespace

TEST_CASE("a target needs what it reaches, in order", "[dockerfile]") {
  CHECK(graph(k_file).order == Order{0, 1, 3});
  CHECK(graph(k_file, "Two").order == Order{0, 1});
  CHECK(graph(k_file, "2").order == Order{0, 2});
  const auto last = graph(k_file).nodes[3];
  REQUIRE(last.inputs.size() == 4);
  CHECK(last.inputs[0].image == "scratch");
  CHECK(last.inputs[1].stage == 1);
  CHECK(last.inputs[2].through == StageInput::Through::mount);
  CHECK(last.inputs[3].image == "image:1");
}

TEST_CASE("a named context replaces a stage", "[dockerfile]") {
  const auto found = graph(k_file, "two", {"two"});
  CHECK(found.order == Order{1});
  CHECK(found.nodes[1].inputs[0].image == "two");
}

TEST_CASE("triggers of a base stage bring their inputs", "[dockerfile]") {
  const auto found = graph("FROM a AS x\nFROM b AS base\nONBUILD COPY --from=x f f\nFROM base\n");
  CHECK(found.order == Order{1, 0, 2});
  CHECK(found.nodes[2].triggers.size() == 1);
}

TEST_CASE("FROM takes the nearest stage of a name above it", "[dockerfile]") {
  const auto found = graph("FROM a AS x\nFROM x AS x\nFROM x\n");
  CHECK(found.nodes[1].inputs[0].stage == 0);
  CHECK(found.nodes[2].inputs[0].stage == 1);
}

TEST_CASE("what cannot be resolved is refused", "[dockerfile]") {
  struct Case {
    std::string text, target, message, mend;
    int line;
  };
  const auto test = GENERATE(values<Case>({
      {"FROM a AS build\n", "biuld", "no target stage", "did you mean build?", 1},
      {"FROM a\n", "7", "no target stage", "", 1},
      {"FROM a\nCOPY --from=3 x y\n", "", "no stage 3", "", 2},
      {"FROM a AS me\nCOPY --from=me x y\n", "", "from itself", "", 2},
      {"FROM a AS one\nCOPY --from=two x y\nFROM b AS two\nCOPY --from=one x y\n", "", "circle", "", 2},
      {"FROM a AS one\nCOPY --from=two x y\nFROM b AS two\n", "one", "below it", "", 2},
  }));
  INFO(test.text);
  const auto found = graph(test.text, test.target);
  REQUIRE(found.diagnostics.size() == 1);
  INFO(found.diagnostics[0].message);
  CHECK(found.diagnostics[0].message.find(test.message) != std::string::npos);
  CHECK(found.diagnostics[0].mend.find(test.mend) != std::string::npos);
  CHECK(found.diagnostics[0].range.start.line == test.line);
  CHECK_FALSE(found.ok());
}

TEST_CASE("an image that resembles a stage is remembered", "[dockerfile]") {
  CHECK(graph("FROM a AS builder\nFROM b\nCOPY --from=bulder x y\n").nodes[1].inputs[1].near_miss == "builder");
}
