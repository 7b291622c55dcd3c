#include "parser/dockerfile/dockerignore.h"

#include <chrono>

#include "tests/support/catch.h"

using namespace drydock::parser::dockerfile;

namespace {

IgnoreMatcher matcher(std::string_view text) {
  auto compiled = compile_dockerignore(text, ".dockerignore");
  REQUIRE(compiled.diagnostics.empty());
  return compiled.matcher;
}

}  // namespace

TEST_CASE("single patterns", "[dockerfile]") {
  const auto [pattern, path, expected] = GENERATE(table<std::string, std::string, bool>({
      {"**", "file", true},
      {"**", "dir/file", true},
      {"**/", "dir/file", true},
      {"**/**", "dir/file", true},
      {"dir/**", "dir/file", true},
      {"dir/**", "dir/dir2/file", true},
      {"dir/**", "dir", false},
      {"**/dir", "dir", true},
      {"**/dir", "a/b/dir", true},
      {"**/dir2/*", "dir/dir2/file", true},
      {"**/dir2/**", "dir/dir2/dir2/file", true},
      {"**file", "file", true},
      {"**file", "dir/otherfile", true},
      {"**/file", "dirfile", false},
      {"**/file*txt", "dir/dir/file.txt", true},
      {"a**/*.txt", "a/file/dir/file.txt", true},
      {"a/*.txt", "a/file.txt", true},
      {"a/*.txt", "a/b/file.txt", false},
      {"a[b-d]e", "ace", true},
      {"a[b-d]e", "aae", false},
      {"a[^b-d]e", "aZe", true},
      {"abc.def", "abcZdef", false},
      {"a\\*b", "a*b", true},
      {"a\\*b", "axb", false},
      {"a?c", "abc", true},
      {"a?c", "a/c", false},
      {".*", ".foo", true},
      {".*", "foo", false},
      {"node_modules/", "node_modules/x/y", true},
      {"/root", "root", true},
      {"./x/../y", "y", true},
      {"dir", "dir/sub/file", true},
      {"*.go", "x/y.go", false},
      {"**/*.go", "y.go", true},
      {"a*b**/c", "abbc", true},
      {"**/a**/b", "x/ab", true},
      {"**/a**/b", "x/aab", false},
      {"f\xC3\xBC?", "f\xC3\xBC\xC3\xBC", true},
      {"*", ".", false},
  }));
  INFO(pattern << " on " << path);
  CHECK(matcher(pattern).matches(path) == expected);
}

TEST_CASE("the last pattern that matches decides", "[dockerfile]") {
  const auto ignore = matcher("# comment\n*\n\n!src\nsrc/**/*.o\n!src/keep.o\nREADME*\n! README.md \n");
  CHECK(ignore.matches("other"));
  CHECK_FALSE(ignore.matches("src"));
  CHECK_FALSE(ignore.matches("src/a/b.c"));
  CHECK(ignore.matches("src/a/b.o"));
  CHECK_FALSE(ignore.matches("src/keep.o"));
  CHECK(ignore.matches("README.txt"));
  CHECK_FALSE(ignore.matches("README.md"));
  CHECK(ignore.has_exceptions());
  CHECK(ignore.ignores_all_roots());
}

TEST_CASE("directories that can be skipped whole", "[dockerfile]") {
  const auto ignore = matcher("node_modules\nbuild\n!build/keep/*.txt\nvendor\n!**/LICENSE\n");
  CHECK_FALSE(ignore.can_skip_directory("src"));
  CHECK_FALSE(ignore.can_skip_directory("node_modules"));
  const auto narrow = matcher("node_modules\nbuild\n!build/keep/*.txt\n");
  CHECK(narrow.can_skip_directory("node_modules"));
  CHECK(narrow.can_skip_directory("build/other"));
  CHECK_FALSE(narrow.can_skip_directory("build"));
  CHECK_FALSE(narrow.can_skip_directory("build/keep"));
  CHECK(matcher("a\n!a/b\na/b/c").can_skip_directory("a/b/c"));
}

TEST_CASE("wrong patterns are reported", "[dockerfile]") {
  const auto text = GENERATE("!", "[", "a[", "a[]", "a[]b]", "[a-]", "x\\");
  INFO(text);
  const auto compiled = compile_dockerignore(std::string("ok\n") + text + "\n", "f");
  REQUIRE(compiled.diagnostics.size() == 1);
  CHECK(compiled.diagnostics[0].range.start.line == 2);
}

TEST_CASE("hostile patterns stay fast", "[dockerfile]") {
  std::string pattern, path;
  for (int i = 0; i < 30; ++i) pattern += "**/a*a*a/";
  for (int i = 0; i < 200; ++i) path += "aaaaaaaaaab/";
  const auto ignore = matcher(pattern + "z\n");
  const auto start = std::chrono::steady_clock::now();
  CHECK_FALSE(ignore.matches(path + "y"));
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
}

TEST_CASE("many patterns that stand for any folder stay fast on deep paths", "[dockerfile]") {
  std::string pattern, path;
  for (int i = 0; i < 60; ++i) pattern += "**/a*/";
  for (int i = 0; i < 400; ++i) path += "a/";
  const auto ignore = matcher(pattern + "z\n");
  const auto start = std::chrono::steady_clock::now();
  CHECK_FALSE(ignore.matches(path + "y"));
  CHECK(ignore.matches(path + "z"));
  CHECK(ignore.matches(path + "z/y"));
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(2));
}
