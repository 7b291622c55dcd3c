#include "parser/lint/filter_pattern.h"
#include "parser/lint/format.h"
#include "parser/lint/known_action.h"
#include "parser/lint/verdict.h"

#include <nlohmann/json.hpp>

#include "tests/support/catch.h"

namespace drydock::parser::lint {

TEST_CASE("filter patterns") {
  const auto columns = [](std::string_view pattern, PatternKind kind) {
    std::vector<int> list;
    for (const auto& problem : pattern_problems(pattern, kind)) list.push_back(problem.column);
    return list;
  };
  const std::vector<int> none;
  for (const auto* good : {"main", "releases/**", "v[0-9]+.x", "!v1", "a\\*b", "*", "v?"}) {
    INFO(good);
    CHECK(columns(good, PatternKind::ref) == none);
  }
  CHECK(columns("^v", PatternKind::ref) == std::vector{1});
  CHECK(columns("v*+", PatternKind::ref) == std::vector{3});
  CHECK(columns("v[9-1]", PatternKind::ref) == std::vector{5});
  CHECK(columns("v\\d", PatternKind::ref) == std::vector{2});
  CHECK(columns("v[12", PatternKind::ref) == std::vector{2});
  CHECK(columns("/v", PatternKind::ref) == std::vector{1});
  CHECK(columns("./a", PatternKind::path) == std::vector{0});
  CHECK(columns("docs/**", PatternKind::path) == none);
}

TEST_CASE("popular actions are found by name and version, in any case") {
  REQUIRE(popular_action("actions/checkout@v4"));
  CHECK(popular_action("Actions/Checkout@v4.1.2")->find_input("FETCH-depth") != nullptr);
  CHECK(popular_action("actions/checkout@v3")->outdated);
  CHECK_FALSE(popular_action("actions/checkout@v4")->outdated);
  CHECK(popular_action("actions/cache/restore@v4")->find_input("key")->required);
  CHECK_FALSE(popular_action("actions/checkout@main"));
  CHECK_FALSE(popular_action("nobody/nothing@v1"));
}

TEST_CASE("findings are printed in four forms") {
  const Diagnostics findings = {
      {Severity::error, "a,b.yml", {{2, 3}, {2, 4}}, "syntax", "wrong\nhere", "mend it"}};
  CHECK(format_json({}) == "[]\n");
  const auto json = nlohmann::json::parse(format_json(findings));
  const auto* const expected =
      R"j([{"file":"a,b.yml","line":2,"column":3,"rule":"syntax","severity":"error","message":"wrong\nhere (mend it)"}])j";
  CHECK(json == nlohmann::json::parse(expected));
  CHECK(format_github(findings) ==
        "::error file=a%2Cb.yml,line=2,col=3,title=syntax::wrong%0Ahere (mend it)\n");
  CHECK(format_text(findings, {{"a,b.yml", "x\n  y\n"}}) ==
        "a,b.yml:2:3: wrong\nhere [syntax]\n    y\n    ^\n  mend: mend it\n");
  const auto sarif = nlohmann::json::parse(format_sarif(findings, "1"));
  CHECK(sarif["version"] == "2.1.0");
  CHECK(sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] == 2);
  CHECK(sarif["runs"][0]["tool"]["driver"]["rules"].size() > 20);
}

TEST_CASE("comments leave warnings out") {
  const std::string text = "a\nb # drydock: ignore r, s\n# drydock: ignore r\nc\n";
  const auto at = [](Severity severity, int line, const char* rule) {
    return Diagnostic{severity, "", {{line, 1}, {line, 2}}, rule, "", ""};
  };
  Diagnostics findings = {at(Severity::warning, 1, "r"), at(Severity::warning, 2, "r"),
                          at(Severity::warning, 2, "t"), at(Severity::error, 2, "s"),
                          at(Severity::warning, 4, "r"), at(Severity::warning, 4, "s")};
  drop_ignored(findings, text);
  std::vector<std::string> left;
  for (const auto& d : findings) left.push_back(std::to_string(d.range.start.line) + d.rule);
  CHECK(left == std::vector<std::string>{"1r", "2t", "2s", "4s"});
}

}  // namespace drydock::parser::lint
