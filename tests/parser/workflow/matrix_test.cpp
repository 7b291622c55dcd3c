#include "parser/workflow/matrix.h"

#include "tests/support/catch.h"

using namespace drydock::parser;
using namespace drydock::parser::workflow;

namespace {

MatrixExpansion expand(const std::string& json) {
  return expand_matrix(expression::Value::from_json(nlohmann::ordered_json::parse(json)));
}

std::string all(const MatrixExpansion& expansion) {
  if (!expansion.ok()) return expansion.problem;
  std::string text;
  for (const auto& combination : expansion.combinations) text += (text.empty() ? "" : " ") + combination.to_json().dump();
  return text;
}

}  // namespace

TEST_CASE("a matrix expands in GitHub's order") {
  struct Case {
    std::string matrix, expected;
  };
  const std::vector<Case> cases = {
      {R"({"os":["a","b"],"v":[1,2]})", R"({"os":"a","v":1} {"os":"a","v":2} {"os":"b","v":1} {"os":"b","v":2})"},
      {R"({"os":["a","b"],"v":[1,2],"exclude":[{"os":"a","v":2},{"os":"b","v":"1"}]})", R"({"os":"a","v":1} {"os":"b","v":2})"},
      {R"({"fruit":["apple","pear"],"animal":["cat","dog"],"include":[{"color":"green"},{"color":"pink","animal":"cat"},)"
       R"({"fruit":"apple","shape":"circle"},{"fruit":"banana"},{"fruit":"banana","animal":"cat"}]})",
       R"({"fruit":"apple","animal":"cat","color":"pink","shape":"circle"} {"fruit":"apple","animal":"dog","color":"green","shape":"circle"} )"
       R"({"fruit":"pear","animal":"cat","color":"pink"} {"fruit":"pear","animal":"dog","color":"green"} )"
       R"({"fruit":"banana"} {"fruit":"banana","animal":"cat"})"},
      {R"({"include":[{"a":1},{"a":2}]})", R"({"a":1} {"a":2})"},
      {R"({"a":[{"x":1,"y":2},{"x":3}],"exclude":[{"a":{"x":1}}]})", R"({"a":{"x":3}})"},
      {R"({"a":[1],"exclude":[{"a":1}]})", ""},
      {R"({})", "Matrix must define at least one vector"},
      {R"({"a":[]})", "Matrix vector 'a' does not contain any values"},
      {R"({"a":[1],"exclude":[{"b":1}]})", "Matrix exclude key 'b' does not match any key within the matrix"},
      {R"({"a":[1],"exclude":[{}]})", "Matrix exclude filter must not be empty"},
      {R"({"a":[1],"include":[{}]})", "Matrix include mapping does not contain any values"},
      {R"({"a":"x"})", "Matrix vector 'a' must be a list"},
  };
  for (const auto& c : cases) {
    INFO(c.matrix);
    CHECK(all(expand(c.matrix)) == c.expected);
  }
}

TEST_CASE("jobs are named by the values of their vectors alone") {
  const auto expansion = expand(R"({"os":["a",{"n":"b","v":2}],"x":["",true],"include":[{"os":"a","extra":"e"},{"os":"z","y":1}]})");
  CHECK(expansion.suffixes == std::vector<std::string>{" (a)", " (a, true)", " (b, 2)", " (b, 2, true)", " (z, 1)"});
}

TEST_CASE("a matrix is bounded") {
  std::string vector = "[0";
  for (int i = 1; i < 300; ++i) vector += "," + std::to_string(i);
  vector += "]";
  CHECK(expand("{\"a\":" + vector + "}").problem.find("256") != std::string::npos);
  CHECK(expand("{\"a\":" + vector + ",\"b\":" + vector + ",\"c\":" + vector + "}").problem.find("256") != std::string::npos);
}
