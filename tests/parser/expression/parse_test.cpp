#include "tests/parser/expression/support.h"
#include "tests/support/catch.h"

using namespace expression_test;

namespace {

std::string repeated(std::string_view text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

std::string reason_of(std::string_view text) {
  const auto ast = parse(text, Scope{"github", "a", "b"}.add_status_functions().add_hash_files());
  if (ast) return "accepted";
  return std::string(name_of(ast.error().phase)) + " at " + std::to_string(ast.error().offset) + ": " +
         ast.error().reason;
}

}  // namespace

TEST_CASE("errors name phase, place and symbol") {
  const std::pair<std::string, std::string> cases[] = {
      {"github.ref = 'x'", "lexing at 11: Unexpected symbol: '='"},
      {"a & b", "lexing at 2: Unexpected symbol: '&'"},
      {"\"a\"", "lexing at 0: Unexpected symbol: '\"a\"'"},
      {"'open", "lexing at 0: Unexpected symbol: ''open'"},
      {"1.2.3", "lexing at 0: Unexpected symbol: '1.2.3'"},
      {"0x", "lexing at 0: Unexpected symbol: '0x'"},
      {"nope", "parsing at 0: Unrecognized named-value: 'nope'"},
      {"a || nope()", "parsing at 5: Unrecognized function: 'nope'"},
      {"contains(a)", "parsing at 0: Too few parameters supplied: 'contains'"},
      {"toJSON(a, b)", "parsing at 0: Too many parameters supplied: 'toJSON'"},
      {"success(1)", "parsing at 0: Too many parameters supplied: 'success'"},
      {"case(true, 1, false, 2)",
       "parsing at 0: Even number of parameters supplied, requires an odd number of parameters: 'case'"},
      {"a b", "parsing at 2: Unexpected symbol: 'b'"},
      {"a &&", "parsing at 2: Unexpected end of expression: '&&'"},
      {"(a", "parsing at 1: Unexpected end of expression: 'a'"},
      {"a.", "parsing at 1: Unexpected end of expression: '.'"},
      {"a)", "parsing at 1: Unexpected symbol: ')'"},
      {"a, b", "parsing at 1: Unexpected symbol: ','"},
      {"()", "parsing at 1: Unexpected symbol: ')'"},
      {"a[]", "parsing at 2: Unexpected symbol: ']'"},
      {"a[*.b]", "parsing at 3: Unexpected symbol: '.'"},
      {"'x'.y", "parsing at 3: Unexpected symbol: '.'"},
      {"a.b(1)", "parsing at 3: Unexpected symbol: '('"},
      {"contains(a, b,)", "parsing at 14: Unexpected symbol: ')'"},
      {"* == 1", "parsing at 0: Unexpected symbol: '*'"},
      {"a !b", "parsing at 2: Unexpected symbol: '!'"},
  };
  for (const auto& [text, expected] : cases) {
    CAPTURE(text);
    CHECK(reason_of(text) == expected);
  }
}

TEST_CASE("the whole message counts positions in UTF-16 units") {
  const auto ast = parse("'\xF0\x9F\x90\xB3' = a", Scope{"a"});
  REQUIRE_FALSE(ast.ok());
  CHECK(ast.error().message ==
        "Unexpected symbol: '='. Located at position 6 within expression: '\xF0\x9F\x90\xB3' = a");
  CHECK(ast.error().offset == 7);
}

TEST_CASE("depth is limited to 50, groups and long rows do not count") {
  const auto verdict = [](const std::string& text) { return reason_of(text); };
  CHECK(verdict(repeated("!", 49) + "a") == "accepted");
  CHECK(verdict(repeated("!", 50) + "a") == "parsing at 0: Exceeded max expression depth 50");
  CHECK(verdict(repeated("(", 5000) + "a" + repeated(")", 5000)) == "accepted");
  CHECK(verdict("a" + repeated(" && a", 2000)) == "accepted");
  CHECK(verdict("a" + repeated(" && (a", 2000) + repeated(")", 2000)) == "accepted");
  CHECK(verdict("a" + repeated(" == a", 49)) == "accepted");
  CHECK(verdict("a" + repeated(" == a", 50)) == "parsing at 0: Exceeded max expression depth 50");
  CHECK(verdict("a" + repeated(".b", 50)) == "parsing at 0: Exceeded max expression depth 50");
}

TEST_CASE("length is limited to 21000") {
  CHECK(reason_of("'" + std::string(20998, 'x') + "'") == "accepted");
  CHECK(reason_of("'" + std::string(20999, 'x') + "'") ==
        "lexing at 0: Exceeded max expression length 21000");
  CHECK(reason_of("'" + repeated("\xC3\xA9", 20998) + "'") == "accepted");
}

TEST_CASE("an expression of blanks is empty") {
  CHECK(result_of("") == "Null null");
  CHECK(result_of(" \t\n") == "Null null");
}

TEST_CASE("a scope that accepts all takes any name and function") {
  CHECK(parse("foo.bar(1)", Scope::any()).ok() == false);
  CHECK(parse("foo && bar(1, 2).x", Scope::any()).ok());
  CHECK_FALSE(parse("contains(1)", Scope::any()).ok());
}

TEST_CASE("readings of contexts") {
  const auto paths = [](std::string_view text) {
    std::string out;
    const auto ast = parse(text, Scope::any());
    REQUIRE(ast.ok());
    for (const auto& read : reads_of(*ast)) {
      out += read.path() + "@" + std::to_string(read.offset) + "+" + std::to_string(read.length) + " ";
    }
    return out;
  };
  CHECK(paths("secrets.TOKEN == ''") == "secrets.TOKEN@0+13 ");
  CHECK(paths("steps.a.outputs['b c']") == "steps.a.outputs.b c@0+22 ");
  CHECK(paths("needs.*.result && needs[0]") == "needs.*.result@0+14 needs.0@18+8 ");
  CHECK(paths("env[matrix.name].x") == "env[…].x@0+18 matrix.name@4+11 ");
  CHECK(paths("fromJSON(vars.X)[github.n].y") == "vars.X@9+6 github.n@17+8 ");
  CHECK(paths("(a || b).c") == "a@1+1 b@6+1 ");
}

TEST_CASE("a reading is matched without regard to case") {
  const auto ast = parse("Secrets.Token", Scope::any());
  const auto reads = reads_of(*ast);
  REQUIRE(reads.size() == 1);
  CHECK(reads[0].is("secrets"));
  CHECK(reads[0].is("secrets", "TOKEN"));
  CHECK_FALSE(reads[0].is("secrets", "other"));
  CHECK_FALSE(reads[0].is("env"));
}

TEST_CASE("calls of status functions") {
  const auto calls = [](std::string_view text) { return calls_status_function(*parse(text, Scope::any())); };
  CHECK(calls("Always()"));
  CHECK(calls("a && (b || !FAILURE())"));
  CHECK(calls("contains(success(), 'x')"));
  CHECK_FALSE(calls("a.success == 'success()'"));
  CHECK_FALSE(calls(""));
}
