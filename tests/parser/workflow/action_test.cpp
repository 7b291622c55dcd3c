#include "parser/workflow/action.h"

#include "tests/support/catch.h"

using namespace drydock::parser::workflow;

namespace {

std::string problems(const ActionResult& result) {
  std::string text;
  for (const auto& d : result.diagnostics) {
    text += (text.empty() ? "" : "; ") + std::to_string(d.range.start.line) + ":" + std::to_string(d.range.start.column) + " " + d.message;
  }
  return text;
}

}  // namespace

TEST_CASE("a JavaScript action") {
  const auto result = read_action(R"(name: Greet
description: Says hello
inputs:
  who-to-greet:
    description: Name
    required: true
    default: World
  token:
    default: ${{ github.token }}
outputs:
  time:
    description: When
runs:
  using: node20
  main: dist/index.js
  post: dist/post.js
  post-if: success()
branding: {icon: award, color: green}
)", "action.yml");
  CHECK(problems(result).empty());
  REQUIRE(result.ok());
  const auto& action = *result.action;
  CHECK(action.kind == ActionKind::javascript);
  CHECK(action.main->value == "dist/index.js");
  CHECK(action.pre_if == "always()");
  CHECK(action.post_if == "success()");
  REQUIRE(action.find_input("WHO-TO-GREET") != nullptr);
  CHECK(action.find_input("who-to-greet")->required);
  CHECK(action.find_input("token")->default_value->text == "github.token");
  CHECK(action.outputs[0].id == "time");
}

TEST_CASE("a composite action") {
  const auto result = read_action(R"(name: c
inputs: {n: }
outputs:
  o: {value: '${{ steps.s.outputs.x }}'}
runs:
  using: composite
  steps:
    - id: s
      run: echo ${{ inputs.n }}
      shell: bash
    - uses: actions/checkout@v4
      if: inputs.n != ''
)", "action.yml");
  CHECK(problems(result).empty());
  REQUIRE(result.ok());
  CHECK(result.action->kind == ActionKind::composite);
  REQUIRE(result.action->steps.size() == 2);
  CHECK(result.action->steps[0].run->text == "format('echo {0}', inputs.n)");
  CHECK(result.action->steps[1].condition == "success() && (inputs.n != '')");
  CHECK(result.action->outputs[0].value->text == "steps.s.outputs.x");
}

TEST_CASE("a Docker action") {
  const auto result = read_action(R"(runs:
  using: docker
  image: Dockerfile
  args: ['${{ inputs.a }}', -v]
  env: {A: '${{ inputs.a }}'}
  pre-entrypoint: setup.sh
)", "action.yml");
  CHECK(problems(result).empty());
  REQUIRE(result.ok());
  CHECK(result.action->kind == ActionKind::docker);
  CHECK(result.action->image->value == "Dockerfile");
  CHECK(result.action->args->items[0].text == "inputs.a");
  CHECK(result.action->pre_entrypoint->value == "setup.sh");
}

TEST_CASE("wrong action metadata") {
  CHECK(problems(read_action("name: x\n", "a")) == "1:1 Required property is missing: runs");
  CHECK(problems(read_action("runs:\n  using: node20\n  man: x\n  main: y\n", "a")) == "3:3 Unexpected value 'man'");
  CHECK(problems(read_action("runs:\n  using: node9\n  main: y\n", "a")) ==
        "2:10 'using: node9' is not supported, use 'docker', 'node20' or 'node24' instead.");
  CHECK(problems(read_action("runs:\n  using: composite\n  steps:\n    - run: x\n", "a")) == "4:7 Required property is missing: shell");
  CHECK(problems(read_action("runs:\n  using: docker\n  image: x\n  args: ['${{ secrets.a }}']\n", "a")) ==
        "4:10 Unrecognized named-value: 'secrets'. Located at position 1 within expression: secrets.a");
}
