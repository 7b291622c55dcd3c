#include <limits>

#include "tests/parser/expression/support.h"
#include "tests/support/catch.h"

using namespace expression_test;

namespace {

constexpr auto k_contexts = R"({
  "github": {"ref": "refs/heads/main", "event": {"labels": [{"name": "bug"}, {"name": "ui"}, 3]}},
  "matrix": {"os": "linux", "list": [1, "two", null, {"k": "v"}], "nested": [[1, 2], [3]]},
  "empty": {}
})";

}  // namespace

TEST_CASE("values of expressions") {
  const std::pair<std::string, std::string> cases[] = {
      {"github.REF", "String \"refs/heads/main\""},
      {"github['ref'] == 'REFS/heads/MAIN'", "Boolean true"},
      {"github.nothing.at.all", "Null null"},
      {"github.event.labels.*.name", "Array [\"bug\",\"ui\"]"},
      {"join(github.event.labels.*.name, '+')", "String \"bug+ui\""},
      {"matrix.nested.*[0]", "Array [1,3]"},
      {"matrix.nested[*][*]", "Array [1,2,3]"},
      {"matrix.list[1.9]", "String \"two\""},
      {"matrix.list['1']", "String \"two\""},
      {"matrix.list[-1]", "Null null"},
      {"matrix.*", "Array [\"linux\",[1,\"two\",null,{\"k\":\"v\"}],[[1,2],[3]]]"},
      {"matrix.os && 'yes' || 'no'", "String \"yes\""},
      {"empty.x && 'yes' || 'no'", "String \"no\""},
      {"empty.x || '' || 0", "Number 0"},
      {"!empty", "Boolean false"},
      {"empty == empty", "Boolean true"},
      {"fromJSON('{}') == fromJSON('{}')", "Boolean false"},
      {"1 < 2 == true", "Boolean true"},
      {"!true == false", "Boolean true"},
      {"NaN == NaN", "Boolean false"},
      {"NaN", "Number null"},
      {"-0", "Number 0"},
      {"0xFF + 1 == 256",
       "lexing: Unexpected symbol: '+'. Located at position 6 within expression: 0xFF + 1 == 256"},
      {"0xff", "Number 255"},
      {"0o17", "Number 15"},
      {"1.5E+3", "Number 1500"},
      {"null == 0", "Boolean true"},
      {"'' == 0", "Boolean true"},
      {"'abc' < 'ABD'", "Boolean true"},
      {"'it''s' == 'IT''S'", "Boolean true"},
      {"contains(matrix.list, 'TWO')", "Boolean true"},
      {"contains('Hello', 'ELL')", "Boolean true"},
      {"startsWith('Abc', 'aB') && endsWith('Abc', 'C')", "Boolean true"},
      {"format('{0} {{x}} {1}{0}', 'a', 1.50)", "String \"a {x} 1.5a\""},
      {"toJSON(matrix.list[3])", "String \"{\\n  \\\"k\\\": \\\"v\\\"\\n}\""},
      {"fromJSON('{\"a\":1,\"a\":2,\"A\":3}')", "Object {\"a\":2}"},
      {"fromJSON('\"\\u00e9\\ud83d\\udc33\"')", "String \"\xC3\xA9\xF0\x9F\x90\xB3\""},
      {"fromJSON('[1e400, -1e400, 1e-400]')", "Array [null,null,0]"},
      {"case(false, fromJSON('bad'), 'default')", "String \"default\""},
      {"true || fromJSON('bad')", "Boolean true"},
  };
  for (const auto& [text, expected] : cases) {
    CAPTURE(text);
    CHECK(result_of(text, k_contexts) == expected);
  }
}

TEST_CASE("evaluation errors carry GitHub's text") {
  const std::pair<std::string, std::string> cases[] = {
      {"fromJSON('')", "evaluation: Error parsing fromJson: unexpected end at byte 1"},
      {"fromJSON('[1,]')", "evaluation: Error parsing fromJson: unexpected character at byte 4"},
      {"fromJSON('01')", "evaluation: Error parsing fromJson: a number must not begin with 0 at byte 3"},
      {"case(1, 2, 3)", "evaluation: case predicate must evaluate to a boolean value"},
      {"format('{0:x}', 1)",
       "evaluation: The format specifiers 'x' are not valid for objects of type 'Number'"},
      {"format('{256}', 1)", "evaluation: The following format string is invalid: {256}"},
      {"format('{1}', 1)",
       "evaluation: The following format string references more arguments than were supplied: {1}"},
  };
  for (const auto& [text, expected] : cases) {
    CAPTURE(text);
    CHECK(result_of(text) == expected);
  }
}

TEST_CASE("deep JSON is refused, not a crash") {
  Context context;
  context.set("text", std::string(1000000, '['));
  const auto ast = parse("fromJSON(text)", Scope{"text"});
  const auto value = evaluate(*ast, context);
  REQUIRE_FALSE(value.ok());
  CHECK(value.error().message == "Error parsing fromJson: nested too deeply at byte 514");
}

TEST_CASE("results are limited in memory") {
  Context context;
  context.set("text", std::string(300000, 'x')).set_memory_limit(1 << 20);
  const auto run = [&](std::string_view text) { return evaluate(*parse(text, Scope{"text"}), context).ok(); };
  CHECK(run("format('{0}', text)"));
  CHECK_FALSE(run("format('{0}{0}', text)"));
  CHECK_FALSE(run("join(fromJSON('[1,2,3]'), text)"));
}

TEST_CASE("numbers print as in .NET") {
  const std::pair<double, std::string> cases[] = {
      {0, "0"},
      {-0.0, "0"},
      {123456789, "123456789"},
      {-1.5, "-1.5"},
      {0.1 + 0.2, "0.3"},
      {1e14, "100000000000000"},
      {1e15, "1E+15"},
      {123456789012345678.0, "1.23456789012346E+17"},
      {0.0001, "0.0001"},
      {0.00001, "1E-05"},
      {-1.25e-7, "-1.25E-07"},
      {1e100, "1E+100"},
      {999999999999999.9, "1E+15"},
      {1234.5678, "1234.5678"},
      {std::numeric_limits<double>::infinity(), "Infinity"},
  };
  for (const auto& [number, expected] : cases) {
    CAPTURE(expected);
    CHECK(format_number(number) == expected);
  }
}

TEST_CASE("text becomes a number") {
  const std::pair<std::string, std::string> cases[] = {
      {"", "0"},
      {"  ", "0"},
      {" 12 ", "12"},
      {"+.5", "0.5"},
      {"5.", "5"},
      {".", "NaN"},
      {"1e", "NaN"},
      {"1e5", "100000"},
      {"0x1F", "31"},
      {"0X1F", "NaN"},
      {"0xFFFFFFFF", "-1"},
      {"0x1FFFFFFFF", "NaN"},
      {"0o8", "NaN"},
      {"-0x1", "NaN"},
      {"1e999", "Infinity"},
      {"1e-999", "0"},
      {"-Infinity", "-Infinity"},
      {"infinity", "Infinity"},
      {"1_0", "NaN"},
      {"0b1", "NaN"},
      {"\xC2\xA0"
       "7",
       "7"},
  };
  for (const auto& [text, expected] : cases) {
    CAPTURE(text);
    CHECK(format_number(parse_number(text)) == expected);
  }
}

TEST_CASE("case is ignored as ordinal comparison does") {
  CHECK(equal_ignoring_case("\xC3\xA9", "\xC3\x89"));  // é É
  CHECK(equal_ignoring_case("\xCF\x83", "\xCE\xA3"));  // σ Σ
  CHECK_FALSE(equal_ignoring_case("\xC4\xB1", "I"));   // dotless i
  CHECK_FALSE(equal_ignoring_case("\xC3\x9F", "SS"));  // ß
  CHECK(compare_ignoring_case("a", "B") < 0);
  CHECK(compare_ignoring_case("_", "a") > 0);                            // folding is to upper case
  CHECK(compare_ignoring_case("\xF0\x9F\x90\xB3", "\xEF\xBF\xBD") < 0);  // surrogates come before U+FFFD
}

TEST_CASE("objects find members in any case and keep their order") {
  Object object;
  for (int i = 0; i < 40; ++i) object.add("Key" + std::to_string(i), i);
  object.add("KEY3", "ignored");
  object.set("kEY4", "replaced");
  CHECK(object.size() == 40);
  REQUIRE(object.find("key3"));
  CHECK(object.find("key3")->number() == 3);
  CHECK(object.find("Key4")->string() == "replaced");
  CHECK_FALSE(object.find("key40"));
  CHECK(object.begin()->name == "Key0");
}

TEST_CASE("functions and values of the caller") {
  const auto scope = Scope{"late"}.add_hash_files().add_status_functions();
  Context context;
  std::vector<std::string> asked;
  context.set_lookup([&](std::string_view name) -> std::optional<Value> {
    asked.emplace_back(name);
    return Value("found");
  });
  context.set_function("HashFiles", [](std::span<const Value> arguments) -> Checked<Value> {
    if (arguments[0].to_string() == "missing") return evaluation_error("no such file");
    return Value(std::to_string(arguments.size()) + ":" + arguments[0].to_string());
  });
  CHECK(result_of("hashFiles('a', 'b')", scope, context) == "String \"2:a\"");
  CHECK(result_of("hashfiles('missing')", scope, context) == "evaluation: no such file");
  CHECK(result_of("false && late", scope, context) == "Boolean false");
  CHECK(asked.empty());
  CHECK(result_of("Late", scope, context) == "String \"found\"");
  CHECK(asked == std::vector<std::string>{"Late"});
  CHECK(result_of("success()", scope, context) == "evaluation: The function 'success' is not available here");
}
