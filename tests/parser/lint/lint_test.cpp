#include "tests/parser/lint/support.h"

#include "tests/support/catch.h"

namespace drydock::parser::lint {

namespace {

struct Case {
  std::string text;
  Found expected;
};

void check(const std::vector<Case>& cases) {
  for (const auto& c : cases) {
    INFO(c.text);
    CHECK(found(c.text) == c.expected);
  }
}

}  // namespace

TEST_CASE("the place of a finding is exact in every kind of scalar") {
  check({
      {with_steps("      - run: echo ${{ env }}\n"), {"6:19 expression"}},
      {with_steps("      - run: 'it''s ${{ env }}'\n"), {"6:21 expression"}},
      {with_steps("      - run: \"\\t\\\"x ${{ env }}\"\n"), {"6:21 expression"}},
      {with_steps("      - run: \"é ${{ github.nope }}\"\n"), {"6:21 expression"}},
      {with_steps("      - run: |\n          echo\n            ${{ env }} ${{ github.nope }}\n"),
       {"8:13 expression", "8:28 expression"}},
      {with_steps("      - run: >-\n          echo\n          ${{ github.sha &&\n          github.nope }}\n"),
       {"9:11 expression"}},
      {with_steps("      - if: github.sha == 'é' && github.nope\n        run: x\n"), {"6:34 expression"}},
      {with_steps("      - if: |\n          github.nope\n        run: x\n"), {"7:11 expression"}},
  });
}

TEST_CASE("actions of the repository itself need no version") {
  check({
      {with_steps("      - uses: $/actions/greet\n      - run: cat ${{ github.artifacts_list }}\n"), {}},
      {with_steps("      - uses: actions/greet\n"), {"!6:15 action"}},
      {with_steps("      - uses: $/actions/greet@v1\n"), {"!6:15 schema"}},
  });
}

TEST_CASE("an error is what GitHub refuses, and said once") {
  check({
      {with_steps("      - run: x\n        foo: y\n"), {"!7:9 syntax"}},
      {with_steps("      - run: x\n        env:\n"), {"!7:13 syntax"}},
      {with_steps("      - run: echo ${{ nope }}\n"), {"!6:23 expression"}},
      {with_steps("      - run: echo ${{ github.nope }}\n"), {"6:23 expression"}},
      {"on: push\njobs:\n  a:\n    steps:\n      - run: x\n", {"!3:3 syntax"}},
      {"on: nope\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps: [{run: x}]\n", {"!1:5 events"}},
      {"on: push\njobs:\n  a:\n    needs: [b]\n    runs-on: ubuntu-latest\n    steps: [{run: x}]\n",
       {"!3:3 needs"}},
      {"a: [\n", {"!2:1 syntax"}},
      {"", {"!1:1 syntax"}},
  });
}

TEST_CASE("types follow steps, needs and the matrix") {
  check({
      {with_steps("      - id: s\n        run: x\n      - run: ${{ steps.s.outputs.any }} ${{ steps.s.out }} "
                  "${{ steps.t.outcome }}\n"),
       {"8:45 expression", "8:64 expression"}},
      {with_steps("      - run: ${{ github.event.inputs.x }}\n"), {}},
      {with_steps("      - run: ${{ inputs.n == 'a' && inputs.m }}\n",
                  "{workflow_dispatch: {inputs: {n: {type: number}}}}"),
       {"6:37 expression"}},
      {with_steps("      - run: ${{ contains(github, 'a') }}\n"), {"6:27 expression", "6:27 expression"}},
      {with_steps("      - run: ${{ format('{0} {2}', 'a', 'b') }}\n"),
       {"6:18 expression", "6:18 expression"}},
      {with_steps("      - run: ${{ startsWith('a') }}\n"), {"!6:18 expression"}},
      {with_steps("      - run: ${{ fromJSON('{\"a\":1}').b }}\n"), {"6:18 expression"}},
      {with_steps("      - run: ${{ success() }}\n"), {"!6:18 expression"}},
  });
}

TEST_CASE("text of strangers in scripts") {
  check({
      {with_steps("      - run: echo ${{ github.event.issue.title }}\n"), {"6:23 script-injection"}},
      {with_steps("      - run: echo ${{ github.event.commits[0].message }}\n"), {"6:23 script-injection"}},
      {with_steps("      - run: echo ${{ join(github.event.*.body, '') }}\n"), {"6:28 script-injection"}},
      {with_steps("      - run: echo ${{ contains(github.event.issue.title, 'x') }}\n"), {}},
      {with_steps("      - run: x\n        env: {A: '${{ github.head_ref }}'}\n"), {}},
  });
}

TEST_CASE("a comment at the end of the line switches a rule off there") {
  check({
      {with_steps(
           "      - run: echo ${{ env }} # drydock: ignore expression\n      - run: echo ${{ env }}\n"),
       {"7:19 expression"}},
  });
}

TEST_CASE("rules are chosen by name") {
  const auto text = with_steps("      - run: echo ${{ env }}\n        if: true\n        foo: x\n");
  LintOptions options;
  options.disabled_rules = {"expression"};
  CHECK(found(text, options) == Found{"7:13 if-condition", "!8:9 syntax"});
  options.disabled_rules.clear();
  options.enabled_rules = {"expression"};
  CHECK(found(text, options) == Found{"6:19 expression", "!8:9 syntax"});
}

TEST_CASE("local actions and workflows are read through the callback") {
  const std::map<std::string, std::string, std::less<>> files = {
      {"act/action.yml",
       "name: a\ndescription: b\ninputs:\n  x:\n    required: true\noutputs:\n  o:\n    value: 1\nruns:\n  "
       "using: composite\n  steps: []\n"},
      {"w.yml",
       "on:\n  workflow_call:\n    inputs:\n      n:\n        type: number\n        required: true\n    "
       "outputs:\n      o:\n        value: x\n"}};
  LintOptions options;
  options.read_file = [&](std::string_view path) {
    const auto file = files.find(path);
    return file == files.end() ? std::nullopt : std::optional(file->second);
  };
  CHECK(found(with_steps("      - uses: ./act\n        with: {y: 1}\n        id: s\n      - run: ${{ "
                         "steps.s.outputs.p }}\n"),
              options) == Found{"6:15 action", "7:16 action", "9:18 expression"});
  const std::string call =
      "on: push\njobs:\n  a:\n    uses: ./w.yml\n    with:\n      n: x\n  b:\n    uses: ./nope.yml\n";
  CHECK(found(call, options) == Found{"6:10 expression", "8:11 workflow-call"});
}

TEST_CASE("hostile files end soon") {
  CHECK_FALSE(found(std::string(100, '[')).empty());
  CHECK_FALSE(found("on: push\njobs: " + std::string(5000, '{')).empty());
  std::string bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n";
  for (char c = 'b'; c < 'l'; ++c) {
    bomb += std::string(1, c) + ": &" + c + " [";
    for (int i = 0; i < 9; ++i) bomb += std::string(i == 0 ? "*" : ", *") + static_cast<char>(c - 1);
    bomb += "]\n";
  }
  CHECK_FALSE(found(bomb).empty());
}

}  // namespace drydock::parser::lint
