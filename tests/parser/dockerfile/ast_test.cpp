#include "parser/dockerfile/ast.h"

#include "tests/support/catch.h"

using namespace drydock::parser;
using namespace drydock::parser::dockerfile;

namespace {

Ast parsed_ast(std::string_view text) {
  auto result = parse_ast(text, "Dockerfile");
  INFO(text);
  for (const auto& d : result.diagnostics) UNSCOPED_INFO(format_line(d));
  REQUIRE(result.diagnostics.empty());
  return result.ast;
}

}  // namespace

TEST_CASE("the dump shows instructions as they were read", "[dockerfile]") {
  const auto [text, dump] = GENERATE(table<std::string, std::string>({
      {"FROM a\n", "(from \"a\")\n"},
      {"from  a \t as  b\n", "(from \"a\" \"as\" \"b\")\n"},
      {"RUN a \\\n  b\n", "(run \"a   b\")\n"},
      {"RUN a \\\n# comment\n  b\n", "(run \"a   b\")\n"},
      {"# escape=`\nRUN a `\nb\\\n", "(run \"a b\\\\\")\n"},
      {"RUN [\"a\", \"b\\u00e9\"]\n", "(run \"a\" \"b\xC3\xA9\")\n"},
      {"RUN [\"a\", b]\n", "(run \"[\\\"a\\\", b]\")\n"},
      {"COPY --from=x --chown='a b' s d\n", "(copy [\"--from=x\" \"--chown=a b\"] \"s\" \"d\")\n"},
      {"ENV a=b c='d e' f=g\\ h\n", "(env \"a\" \"b\" \"=\" \"c\" \"'d e'\" \"=\" \"f\" \"g\\\\ h\" \"=\")\n"},
      {"ENV a b c\n", "(env \"a\" \"b c\" \"\")\n"},
      {"ONBUILD RUN --mount=x y\n", "(onbuild (run [\"--mount=x\"] \"y\"))\n"},
      {"HEALTHCHECK --retries=1 CMD [\"x\"]\n", "(healthcheck [\"--retries=1\"] \"CMD\" \"x\")\n"},
      {"CMD []\n", "(cmd)\n"},
      {"\xEF\xBB\xBF" "FROM a", "(from \"a\")\n"},
      {"FROM a\r\nRUN b \\\r\n c\r\n", "(from \"a\")\n(run \"b  c\")\n"},
  }));
  CHECK(dump_ast(parsed_ast(text)) == dump);
}

TEST_CASE("heredocs are taken with their lines", "[dockerfile]") {
  const auto ast = parsed_ast("FROM a\nRUN <<EOF cat <<-'TAB'\none\nEOF\n\ttwo\n\tTAB\nUSER x\n");
  REQUIRE(ast.nodes.size() == 3);
  const auto& run = ast.nodes[1];
  REQUIRE(run.heredocs.size() == 2);
  CHECK(run.heredocs[0].name == "EOF");
  CHECK(run.heredocs[0].content == "one\n");
  CHECK(run.heredocs[0].expand);
  CHECK(run.heredocs[1].name == "TAB");
  CHECK(run.heredocs[1].chomp);
  CHECK_FALSE(run.heredocs[1].expand);
  CHECK(chomp_tabs(run.heredocs[1].content) == "two\n");
  CHECK(run.start_line == 2);
  CHECK(run.end_line == 6);
  CHECK(ast.nodes[2].start_line == 7);
}

TEST_CASE("what looks like a heredoc but is none", "[dockerfile]") {
  const auto word = GENERATE("<<", "<<<EOF", "x<<EOF", "<<a b", "<EOF", "3<");
  CHECK(parse_heredoc_word(word).name.empty());
}

TEST_CASE("directives stand above everything else", "[dockerfile]") {
  const auto ast = parsed_ast("#syntax = a/b:1 extra\n# check=skip=all\n# other\n# escape=`\nFROM a\\\n");
  CHECK(ast.directive("syntax") == "a/b:1");
  CHECK(ast.directive("check") == "skip=all");
  CHECK(ast.escape == '\\');
  CHECK(parsed_ast("#!/usr/bin/env x\n# syntax=y\nFROM a").directive("syntax") == "y");
}

TEST_CASE("wrong lines are reported with their place and the rest is read", "[dockerfile]") {
  const auto [text, line, column] = GENERATE(table<std::string, int, int>({
      {"", 1, 1},
      {"# only a comment\n", 1, 1},
      {"# escape=x\nFROM a\n", 1, 1},
      {"# check=a\n# check=b\nFROM a\n", 2, 1},
      {"FROM a\nENV x\n", 2, 5},
      {"FROM a\nENV x=1 y\n", 2, 9},
      {"FROM a\n  RUN <<EOF\nx\n", 2, 7},
      {"FROM a\nRUN [\"x\", 1]\n", 2, 5},
  }));
  INFO(text);
  const auto result = parse_ast(text, "F");
  REQUIRE(result.diagnostics.size() == 1);
  CHECK(result.diagnostics[0].file == "F");
  CHECK(result.diagnostics[0].range.start.line == line);
  CHECK(result.diagnostics[0].range.start.column == column);
}

TEST_CASE("empty continuation lines are dropped and remembered", "[dockerfile]") {
  const auto ast = parsed_ast("FROM a\nRUN x \\\n\n y\n");
  CHECK(dump_ast(ast) == "(from \"a\")\n(run \"x  y\")\n");
  CHECK(ast.empty_continuations == std::vector<int>{4});
}
