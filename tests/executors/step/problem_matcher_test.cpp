#include "executors/step/problem_matcher.h"

#include "tests/executors/step/support.h"

using namespace drydock;
using namespace drydock::step;

namespace {

std::string problem_text(const MatchedProblem& problem) {
  std::string out;
  for (const auto* part : {&problem.severity, &problem.file, &problem.line, &problem.column, &problem.code, &problem.message}) {
    out += "[" + part->value_or("-") + "]";
  }
  return out;
}

/// What a matcher finds in lines, one problem after the other.
std::string found(const std::string& json, const std::vector<std::string>& lines) {
  const auto matchers = parse_matchers(json, "m.json");
  if (!matchers) return "error: " + matchers.error().message;
  std::string out;
  MatcherState state(matchers->front());
  for (const auto& line : lines) {
    const auto problem = state.feed(line);
    REQUIRE(problem.ok());
    if (*problem) out += problem_text(**problem);
  }
  return out;
}

std::string matcher(const std::string& patterns, const std::string& rest = {}) {
  return R"~({"problemMatcher":[{"owner":"o",)~" + rest + R"~("pattern":[)~" + patterns + "]}]}";
}

}  // namespace

TEST_CASE("problems in lines") {
  const std::string file = R"~({"regexp":"^(\\S+)$","file":1})~";
  const std::string entry = R"~({"regexp":"^ +(\\d+) (\\w+) (.*)$","line":1,"severity":2,"message":3)~";
  struct Row {
    const char* what;
    std::string json;
    std::vector<std::string> lines;
    const char* expected;
  };
  const Row rows[] = {
      {"one line", matcher(R"~({"regexp":"^(.+):(\\d+): (.*)$","file":1,"line":2,"message":3})~"), {"a.c:3: bad", "fine"},
       "[-][a.c][3][-][-][bad]"},
      {"whole line", matcher(R"~({"regexp":"bad.*","message":0})~"), {"so bad it is"}, "[-][-][-][-][-][bad it is]"},
      {"severity of the matcher", matcher(R"~({"regexp":"^w: (.*)$","message":1})~", R"~("severity":"warning",)~"), {"w: x"},
       "[warning][-][-][-][-][x]"},
      {"two lines", matcher(file + "," + entry + "}"), {"a.c", " 3 error bad", " 4 error alone"}, "[error][a.c][3][-][-][bad]"},
      {"a loop", matcher(file + "," + entry + R"~(,"loop":true})~"), {"a.c", " 3 error x", " 4 warning y", "", " 5 error z", "b.c", " 6 error w"},
       "[error][a.c][3][-][-][x][warning][a.c][4][-][-][y][error][b.c][6][-][-][w]"},
      {"a line between", matcher(file + "," + entry + "}"), {"a.c", "not a file", " 3 error bad"}, ""},
      {"three lines", matcher(file + R"~(,{"regexp":"^code (.*)$","code":1},)~" + entry + "}"), {"a.c", "code 7", " 3 error bad"},
       "[error][a.c][3][-][7][bad]"},
      {"lazy, classes, lookahead", matcher(R"~({"regexp":"^(?!ok)(.*?)\\s+\\[(\\w+)\\]$","message":1,"code":2})~"), {"ok [a]", "no good [b]"},
       "[-][-][-][-][b][no good]"},
      {"no owner", R"~({"problemMatcher":[{"pattern":[{"regexp":"x","message":0}]}]})~", {}, "error: Owner must not be empty"},
      {"no patterns", matcher(""), {}, "error: Matcher 'o' does not contain any patterns"},
      {"no message", matcher(R"~({"regexp":"x","file":0})~"), {}, "error: At least one pattern must set 'message'"},
      {"group out of range", matcher(R"~({"regexp":"(x)","message":2})~"), {}, "error: The property 'message' is set to 2 which is out of range"},
      {"set twice", matcher(file + R"~(,{"regexp":"(x)","file":1,"message":0})~"), {}, "error: The property 'file' is set twice"},
      {"a loop first", matcher(R"~({"regexp":"(x)","message":0,"loop":true})~"), {}, "error: Only the last pattern in a multiline matcher may set 'loop'"},
      {"a wrong severity", matcher(R"~({"regexp":"(x)","message":0})~", R"~("severity":"fatal",)~"), {},
       "error: Matcher 'o' contains unexpected default severity 'fatal'"},
      {"a wrong expression", matcher(R"~({"regexp":"(x","message":0})~"), {},
       "error: Invalid pattern '(x' at offset 2. missing closing parenthesis"},
  };
  for (const auto& row : rows) {
    INFO(row.what);
    CHECK(found(row.json, row.lines) == row.expected);
  }
  CHECK(without_colours("\x1b[31mred\x1b[0;1m and\x1b[K more") == "red andK more");
}

TEST_CASE("an expression that never ends takes its matcher away") {
  const auto pattern = LinePattern::compile("^(a+)+$");
  REQUIRE(pattern.ok());
  CHECK(!pattern->match(std::string(40, 'a') + "b").ok());
  CHECK(pattern->match("\xff\xfe").ok());
}

TEST_CASE("matchers of a job") {
  const auto first = parse_matchers(matcher(R"~({"regexp":"x","message":0})~"), "m").value();
  const auto second = parse_matchers(R"~({"problemMatcher":[{"owner":"O","pattern":[{"regexp":"y","message":0}]},
                                                           {"owner":"p","pattern":[{"regexp":"z","message":0}]}]})~", "m").value();
  ProblemMatchers matchers("/w", "https://github.com", "o/r");
  std::vector<MatcherState> states;
  std::uint64_t seen = 0;
  const auto owners = [&] {
    matchers.update(states, seen);
    std::string out;
    for (const auto& state : states) out += state.matcher()->owner;
    return out;
  };
  CHECK(owners().empty());
  matchers.add(first);
  CHECK(owners() == "o");
  matchers.add(second);
  CHECK(owners() == "Op");
  matchers.remove({"o", "none"});
  CHECK(owners() == "p");
}

TEST_CASE("the file of a problem is told below the workflow's repository") {
  auto folder = TempDir::create("", "drydock-matcher-test-").value();
  const std::string root = folder.path() + "/app";
  REQUIRE(make_directories(root + "/.git").ok());
  REQUIRE(make_directories(root + "/src/deep").ok());
  REQUIRE(write_file_atomic(root + "/.git/config", "[remote \"origin\"]\n\turl = https://github.com/o/r.git\n").ok());
  for (const char* file : {"/src/a.c", "/src/deep/b.c"}) REQUIRE(write_file_atomic(root + file, "x").ok());
  ProblemMatchers matchers(root, "https://github.com", "O/R"), other(root, "https://github.com", "o/other");
  struct Row {
    std::string file, from_path;
    std::optional<std::string> expected;
  };
  const Row rows[] = {{"src/a.c", "", "src/a.c"},      {root + "/src/a.c", "", "src/a.c"}, {"../app/src/a.c", "", "src/a.c"},
                      {"b.c", "src/deep/project", "src/deep/b.c"}, {"src/none.c", "", std::nullopt},
                      {"/etc/passwd", "", std::nullopt}, {"", "", std::nullopt}};
  for (const auto& row : rows) {
    INFO(row.file);
    MatchedProblem problem{.file = row.file, .from_path = row.from_path};
    CHECK(matchers.file_of(problem) == row.expected);
    CHECK(other.file_of(problem) == std::nullopt);
  }
}
