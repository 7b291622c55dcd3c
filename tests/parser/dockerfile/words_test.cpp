#include "parser/dockerfile/words.h"

#include "tests/support/catch.h"

using namespace drydock::parser::dockerfile;

namespace {
const Variables k_variables{{"path", "/a/b/b.tar.gz"}, {"v", "plain"}, {"empty", ""}, {"list", "x  y"}};
}

TEST_CASE("patterns and replacements", "[dockerfile]") {
  const auto [word, expected] = GENERATE(table<std::string, std::string>({
      {"${path#*/}", "a/b/b.tar.gz"},
      {"${path##*/}", "b.tar.gz"},
      {"${path%.*}", "/a/b/b.tar"},
      {"${path%%.*}", "/a/b/b"},
      {"${path%nothing}", "/a/b/b.tar.gz"},
      {"${path/b/X}", "/a/X/b.tar.gz"},
      {"${path//b/X}", "/a/X/X.tar.gz"},
      {"${path//\\//-}", "-a-b-b.tar.gz"},
      {"${path/a*tar/Z}", "/Z.gz"},
      {"${path//?/.}", "............."},
      {"${v/l\\*/X}", "plain"},
      {"${unset#x}", ""},
      {"${v#\"pl\"}", "ain"},
  }));
  const auto result = expand_word(word, lookup_in(k_variables));
  INFO(word << ": " << result.error);
  REQUIRE(result.ok());
  CHECK(result.text == expected);
}

TEST_CASE("what cannot be expanded says why", "[dockerfile]") {
  const auto [word, message] = GENERATE(table<std::string, std::string>({
      {"${v", "missing '}'"},
      {"${v:", "missing '}'"},
      {"${}", "bad substitution"},
      {"${v:=x}", "unsupported modifier (:=)"},
      {"${v^}", "unsupported modifier (^)"},
      {"${unset:?gone $v}", "unset: gone plain"},
      {"${empty:?}", "empty: is not allowed to be empty"},
      {"${unset?}", "unset: is not allowed to be unset"},
      {"${v#\\x}", "invalid escape"},
      {"'open", "single quote"},
  }));
  const auto result = expand_word(word, lookup_in(k_variables));
  INFO(word << ": " << result.error);
  CHECK(result.error.find(message) != std::string::npos);
}

TEST_CASE("used and missing variables are told", "[dockerfile]") {
  const auto result = expand_word("$v ${none:-$path} '$quoted' \\$escaped", lookup_in(k_variables));
  CHECK(result.used == VariableNames{"path", "v"});
  CHECK(result.unmatched == VariableNames{"none"});
}

TEST_CASE("options change quotes, escapes and unset variables", "[dockerfile]") {
  const auto expand = [](std::string_view word, WordOptions options) {
    return expand_word(word, lookup_in(k_variables), options).text;
  };
  CHECK(expand("`$v $v", {'`'}) == "$v plain");
  CHECK(expand("\"$v\" $none", {'\\', Quotes::keep, Escapes::remove, Unset::keep}) == "\"plain\" $none");
  CHECK(expand("'$v'", {'\\', Quotes::literal}) == "'plain'");
  CHECK(expand("${none:-x}", {'\\', Quotes::remove, Escapes::remove, Unset::keep}) == "${none:-x}");
}

TEST_CASE("words split after expansion", "[dockerfile]") {
  const auto result = expand_word("a$list \"$list\" pre${none:-m n}post", lookup_in(k_variables));
  CHECK(result.words == std::vector<std::string>{"ax", "y", "x  y", "prem", "npost"});
}

TEST_CASE("hostile nesting ends with an error", "[dockerfile]") {
  std::string word;
  for (int i = 0; i < 100000; ++i) word += "${a:-";
  CHECK_FALSE(expand_word(word, {}).ok());
}
