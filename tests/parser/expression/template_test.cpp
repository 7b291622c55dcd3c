#include "parser/expression/availability.h"
#include "parser/expression/template_string.h"
#include "tests/parser/expression/support.h"
#include "tests/support/catch.h"

using namespace expression_test;

namespace {

const std::string k_template_contexts = R"({"a": {"b": [1, 2], "s": "x", "n": null}})";

std::string expand(std::string_view text) {
  const auto json = nlohmann::ordered_json::parse(k_template_contexts);
  const auto parsed = parse_template(text, scope_for(json));
  if (!parsed) return std::to_string(parsed.error().offset) + ": " + parsed.error().message;
  const auto value = evaluate(*parsed, context_for(json));
  if (!value) return std::to_string(value.error().offset) + ": " + value.error().message;
  return std::string(name_of(value->kind())) + " " + value->to_json().dump();
}

std::string condition(std::string_view text) {
  const auto parsed = parse_condition(text, scope_of("jobs.<job_id>.steps.if"));
  if (!parsed) return std::to_string(parsed.error().offset) + ": " + parsed.error().reason;
  return parsed->expression;
}

}  // namespace

TEST_CASE("template strings") {
  const std::pair<std::string, std::string> cases[] = {
      {"", "String \"\""},
      {"plain }} text", "String \"plain }} text\""},
      {"${{ a.b }}", "Array [1,2]"},
      {"${{ a.b }} ", "String \"Array \""},
      {"v${{ a.s }}-${{ a.b[1] }}${{a.n}}", "String \"vx-2\""},
      {"${{ '}}' }}!", "String \"}}!\""},
      {"${{ 'it''s }}' }}!", "String \"it's }}!\""},
      {"${{ '${{' }}", "String \"${{\""},
      {"a ${{ a.s",
       "2: The expression is not closed. An unescaped ${{ sequence was found, but the closing }} sequence "
       "was not found."},
      {"a ${{ }}", "2: An expression was expected"},
      {"${{}}", "0: An expression was expected"},
      {"ab ${{  x.y }}", "8: Unrecognized named-value: 'x'. Located at position 1 within expression: x.y"},
      {"ab ${{ fromJSON('') }}", "7: Error parsing fromJson: unexpected end at byte 1"},
  };
  for (const auto& [text, expected] : cases) {
    CAPTURE(text);
    CHECK(expand(text) == expected);
  }
}

TEST_CASE("segments know their place") {
  const auto segments = split_template("ab ${{ c }}${{d}}");
  REQUIRE(segments.ok());
  REQUIRE(segments->size() == 3);
  CHECK((*segments)[1].text == " c ");
  CHECK((*segments)[1].offset == 6);
  CHECK((*segments)[2].offset == 14);
}

TEST_CASE("mixed text is a format expression") {
  const auto text = parse_template("it's {${{ a.s }}}", Scope{"a"});
  REQUIRE(text.ok());
  CHECK(text->to_expression() == "format('it''s {{{0}}}', a.s)");
  CHECK(parse_template("${{ a.s }}", Scope{"a"})->to_expression() == "a.s");
  CHECK(parse_template("it's", Scope())->to_expression() == "'it''s'");
}

TEST_CASE("unknown parts make a template unknown") {
  Context context;
  context.set("steps", Value::unknown("steps"));
  const auto value = evaluate(*parse_template("tag-${{ steps.m.outputs.v }}", Scope{"steps"}), context);
  REQUIRE(value.ok());
  CHECK(value->to_string() == "<unknown: steps.m.outputs.v>");
}

TEST_CASE("conditions") {
  const std::pair<std::string, std::string> cases[] = {
      {"", "success()"},
      {"  ", "success()"},
      {"github.ref == 'x'", "success() && (github.ref == 'x')"},
      {"${{ github.ref == 'x' }}", "success() && (github.ref == 'x')"},
      {"always()", "always()"},
      {"${{ Failure() || env.X }}", "Failure() || env.X"},
      {"!cancelled() && true", "!cancelled() && true"},
      {"${{ github.ref }} == 'x'", "success() && (format('{0} == ''x''', github.ref))"},
      {"secrets.X", "0: Unrecognized named-value: 'secrets'"},
      {" github.ref = 1", "12: Unexpected symbol: '='"},
      {"hashFiles('a') != ''", "success() && (hashFiles('a') != '')"},
  };
  for (const auto& [text, expected] : cases) {
    CAPTURE(text);
    CHECK(condition(text) == expected);
  }
}

TEST_CASE("availability by key") {
  const auto names = [](std::string_view key) -> std::string {
    const auto* entry = availability_of(key);
    return entry ? std::string(entry->key) : "none";
  };
  CHECK(names("jobs.<job_id>.steps.run") == "jobs.<job_id>.steps.run");
  CHECK(names("jobs.build.env.PATH") == "jobs.<job_id>.env");
  CHECK(names("jobs.build.container.env.PATH") == "jobs.<job_id>.container.env.<env_id>");
  CHECK(names("jobs.build.container.ports") == "jobs.<job_id>.container");
  CHECK(names("jobs.build.steps.uses") == "none");
  CHECK(names("on.push") == "none");
  CHECK(scope_of("jobs.build.if").knows_name("needs"));
  CHECK_FALSE(scope_of("jobs.build.if").knows_name("matrix"));
  CHECK_FALSE(scope_of("jobs.build.if").knows_function("hashFiles"));
  CHECK(scope_of("jobs.build.if").arity("failure")->most > 0);
  CHECK(scope_of("jobs.build.steps.if").arity("failure")->most == 0);
  CHECK_FALSE(scope_of("jobs.build.steps.if").knows_name("secrets"));
  CHECK_FALSE(scope_of("on.push").knows_name("github"));
}
