#include "tests/parser/expression/support.h"
#include "tests/support/catch.h"

using namespace expression_test;

namespace {

std::string shown(std::string_view text) {
  const auto scope = Scope{"steps", "github", "needs"}.add_hash_files();
  Context context;
  context.set(
      "steps",
      Object{{"meta", Object{{"outputs", Value::unknown("steps.meta.outputs")}, {"outcome", "success"}}}});
  context.set("github", Object{{"ref", "main"}});
  context.set("needs", Items{Value::unknown("needs.x"), "y"});
  context.set_function("hashFiles", [](auto) -> Checked<Value> { return Value("abc"); });
  const auto ast = parse(text, scope);
  REQUIRE(ast.ok());
  const auto value = evaluate(*ast, context);
  if (!value) return value.error().message;
  const char* truth[] = {" no", " yes", ""};
  return value->to_string() + (value->is_unknown() ? truth[static_cast<int>(value->truth())] : "");
}

}  // namespace

TEST_CASE("what hangs on an unknown value is unknown, and says on what") {
  const std::pair<std::string, std::string> cases[] = {
      {"steps.meta.outputs.tags", "<unknown: steps.meta.outputs.tags>"},
      {"steps.meta.outputs['tags'].*", "<unknown: steps.meta.outputs.tags.*>"},
      {"steps.meta.outcome", "success"},
      {"steps.meta.outputs.a == 'x'", "<unknown: steps.meta.outputs.a>"},
      {"steps.meta.outputs.b == steps.meta.outputs.a",
       "<unknown: steps.meta.outputs.a, steps.meta.outputs.b>"},
      {"!steps.meta.outputs.a", "<unknown: steps.meta.outputs.a>"},
      {"format('{0}-{1}', github.ref, steps.meta.outputs.a)", "<unknown: steps.meta.outputs.a>"},
      {"format('{0}', github.ref, steps.meta.outputs.a)", "main"},
      {"fromJSON(steps.meta.outputs.json).include", "<unknown: steps.meta.outputs.json>"},
      {"toJSON(steps.meta)", "<unknown: steps.meta.outputs>"},
      {"join(needs)", "<unknown: needs.x>"},
      {"needs[1]", "y"},
      {"contains(needs, 'Y')", "true"},
      {"contains(needs, 'z')", "<unknown: needs.x>"},
      {"hashFiles(steps.meta.outputs.f)", "<unknown: steps.meta.outputs.f>"},
      {"hashFiles('f')", "abc"},
      {"startsWith(steps.meta.outputs.a, 'v')", "<unknown: steps.meta.outputs.a>"},
      {"github[steps.meta.outputs.key]", "<unknown: steps.meta.outputs.key>"},
      {"case(github.ref == 'main', 1, steps.meta.outputs.a)", "1"},
      {"case(steps.meta.outputs.a == '', 1, 2)", "<unknown: steps.meta.outputs.a>"},
  };
  for (const auto& [text, expected] : cases) {
    CAPTURE(text);
    CHECK(shown(text) == expected);
  }
}

TEST_CASE("short circuits that are decided stay decided") {
  const std::pair<std::string, std::string> cases[] = {
      {"github.ref == 'other' && steps.meta.outputs.a", "false"},
      {"github.ref || steps.meta.outputs.a", "main"},
      {"true && steps.meta.outputs.a", "<unknown: steps.meta.outputs.a>"},
      {"steps.meta.outputs.a && false", "<unknown: steps.meta.outputs.a> no"},
      {"!(steps.meta.outputs.a && false)", "true"},
      {"(steps.meta.outputs.a && false) || 'x'", "x"},
      {"steps.meta.outputs.a || 'x'", "<unknown: steps.meta.outputs.a> yes"},
      {"!(steps.meta.outputs.a || 'x')", "false"},
      {"steps.meta.outputs.a && steps.meta.outputs.b && ''",
       "<unknown: steps.meta.outputs.a, steps.meta.outputs.b> no"},
      {"steps.meta.outputs.a && 'x' || 'y'", "<unknown: steps.meta.outputs.a> yes"},
      {"steps.meta.outputs.a && fromJSON('bad')", "<unknown: steps.meta.outputs.a>"},
  };
  for (const auto& [text, expected] : cases) {
    CAPTURE(text);
    CHECK(shown(text) == expected);
  }
}
