#include "executors/actions/name_pattern.h"

#include "tests/support/catch.h"

using namespace drydock::actions;

TEST_CASE("names by patterns, as minimatch") {
  struct Row {
    const char *pattern, *name;
    bool matches;
  };
  const Row rows[] = {
      {"*", "a", true},           {"*", ".a", false},           {".*", ".a", true},        {"build-*", "build-linux", true},
      {"build-*", "test", false}, {"{a,b}-x", "b-x", true},     {"{a,b}-x", "c-x", false}, {"a{1..3}", "a2", true},
      {"a{1..3}", "a4", false},   {"a{3..1}", "a1", true},      {"{a..c}", "b", true},     {"{a}", "{a}", true},
      {"!build-*", "test", true}, {"!build-*", "build-x", false}, {"#x", "#x", false},     {"@(a|b)c", "bc", true},
      {"+(ab)", "abab", true},    {"?(a)b", "b", true},         {"*(a)b", "aaab", true},   {"!(a|b)", "c", true},
      {"!(a|b)", "a", false},     {"a!(b)c", "abc", false},     {"a!(b)c", "axc", true},   {"[ab]x", "ax", true},
      {"[!ab]x", "ax", false},    {"a?c", "abc", true},         {"a.c", "abc", false},     {"**/a", "a", true},
      {"x/a", "a", false},        {"a{b,{c,d}}", "ad", true},   {"\\*", "*", true},        {"\\*", "a", false},
      {"", "", true},             {"", "a", false},             {"a(b)", "a(b)", true},    {"*.{zip,tar}", "x.tar", true},
  };
  for (const auto& row : rows) {
    CAPTURE(row.pattern, row.name);
    const auto matches = name_matches(row.pattern, row.name);
    REQUIRE(matches.ok());
    CHECK(*matches == row.matches);
  }
}

TEST_CASE("patterns that stand for too much are refused") {
  CHECK_FALSE(name_matches(std::string(2000, 'a'), "a").ok());
  CHECK_FALSE(name_matches("{1..100000}", "a").ok());
  CHECK_FALSE(name_matches("{1..99}{1..99}{1..99}", "a").ok());
}
