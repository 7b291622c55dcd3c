#include "parser/yaml/document.h"

#include "tests/support/catch.h"

#include <chrono>

using namespace drydock::parser;
using namespace drydock::parser::yaml;

namespace {

std::string place(Position position) { return std::to_string(position.line) + ":" + std::to_string(position.column); }

std::string print(const Document& document, NodeId id) {
  const auto& node = document.node(id);
  std::string text = place(node.range.start);
  if (!node.tag.empty()) text += "<" + node.tag.substr(node.tag.rfind(':') + 1) + ">";
  switch (node.kind) {
    case NodeKind::scalar: return text + "'" + node.value + "'";
    case NodeKind::alias: return text + "*" + node.value + "=" + place(document.node(node.target).range.start);
    case NodeKind::sequence: text += "["; break;
    case NodeKind::mapping: text += "{"; break;
  }
  for (const auto child : node.children) text += " " + print(document, child);
  return text + (node.kind == NodeKind::sequence ? " ]" : " }");
}

std::string read(std::string_view text, const Limits& limits = {}) {
  const auto result = parse(text, limits);
  if (const auto* problem = std::get_if<Problem>(&result)) return place(problem->position) + " " + problem->message;
  const auto& document = std::get<Document>(result);
  return document.root == k_no_node ? "nothing" : print(document, document.root);
}

}  // namespace

TEST_CASE("YAML becomes nodes with GitHub's places") {
  struct Case {
    std::string_view text, expected;
  };
  const std::vector<Case> cases = {
      {"", "nothing"},
      {"# only this\n", "nothing"},
      {"a: 1\n", "1:1{ 1:1'a' 1:4'1' }"},
      {"\xEF\xBB\xBF" "a: 1\r\nb:\r\n  - c\r\n", "1:1{ 1:1'a' 1:4'1' 2:1'b' 3:3[ 3:5'c' ] }"},
      {"---\na: 1\n...\n", "2:1{ 2:1'a' 2:4'1' }"},
      {"a:\nb: {c, d: }\n", "1:1{ 1:1'a' 1:3'' 2:1'b' 2:4{ 2:5'c' 2:6'' 2:8'd' 2:11'' } }"},
      {"- a\n-\n- # x\n- b:\n", "1:1[ 1:3'a' 2:2'' 3:2'' 4:3{ 4:3'b' 4:5'' } ]"},
      {"\"a\":   # x\n  \n'b': \"c\"\n", "1:1{ 1:1'a' 1:5'' 3:1'b' 3:6'c' }"},
      {"é: ü\nk: { é: 1, x: 2 }\n", "1:1{ 1:1'é' 1:4'ü' 2:1'k' 2:4{ 2:6'é' 2:9'1' 2:12'x' 2:15'2' } }"},
      {"a: &n [1]\nb: *n\n", "1:1{ 1:1'a' 1:4[ 1:8'1' ] 2:1'b' 2:4*n=1:4 }"},
      {"a: !!int '5'\nb: !<tag:yaml.org,2002:str> x\n", "1:1{ 1:1'a' 1:4<int>'5' 2:1'b' 2:4<str>'x' }"},
      {"- !!str |\n  a\n- b\n", "1:1[ 1:3<str>'a\n' 3:3'b' ]"},
      {"a: |\n\n   x\n    y\n\nb: >-\n  p\n  q\n", "1:1{ 1:1'a' 1:4'\nx\n y\n' 6:1'b' 6:4'p q' }"},
      {"a: >+\n  p\n\n\nb: |-\n  q\n\nc: >2\n    r\n  s\n\n  t", "1:1{ 1:1'a' 1:4'p\n\n\n' 5:1'b' 5:4'q' 8:1'c' 8:4'  r\ns\nt' }"},
      {"a: |\n  # not a comment\n # a comment\nb: |+\n\nc: >\n\n  x\n\n\n  y\n", "1:1{ 1:1'a' 1:4'# not a comment\n' 4:1'b' 4:4'\n' 6:1'c' 6:4'\nx\n\ny\n' }"},
      {"a: x\n  y\n", "1:1{ 1:1'a' 1:4'x y' }"},
      {"- &a |\n  x\n- *a\n", "1:1[ 1:3'x\n' 3:3*a=1:3 ]"},
      {"- &a >-\n  x\n  y\n- !!str &b |\n  z\n- *b\n", "1:1[ 1:3'x y' 4:3<str>'z\n' 6:3*b=4:3 ]"},
      {"k: &a\nl: *a\n", "1:1{ 1:1'k' 1:4'' 2:1'l' 2:4*a=1:4 }"},
      {"&k a: 1\n*k : 2\n", "1:1{ 1:1'a' 1:7'1' 2:1*k=1:1 2:6'2' }"},
      {"? a\n: b\n", "1:1{ 1:3'a' 2:3'b' }"},
      {"a: [b:c, http://x, {d: e}, \"f\": g]\n",
       "1:1{ 1:1'a' 1:4[ 1:5'b:c' 1:10'http://x' 1:20{ 1:21'd' 1:24'e' } 1:28{ 1:28'f' 1:33'g' } ] }"},
      {"a: \"x\n\n  y\\\n  z\"\n", "1:1{ 1:1'a' 1:4'x\nyz' }"},
      {"a: |2-\n    x\n   y\n", "1:1{ 1:1'a' 1:4'  x\n y' }"},
      {"- - a\n  - b\n-  c: d\n   e: f\n", "1:1[ 1:3[ 1:5'a' 2:5'b' ] 3:4{ 3:4'c' 3:7'd' 4:4'e' 4:7'f' } ]"},
      {"a:\n- b\n-\n  c: d\n", "1:1{ 1:1'a' 2:1[ 2:3'b' 4:3{ 4:3'c' 4:6'd' } ] }"},
  };
  for (const auto& c : cases) {
    INFO(c.text);
    auto expected = std::string(c.expected);
    CHECK(read(c.text) == expected);
  }
}

TEST_CASE("styles and ends are kept") {
  const auto document = std::get<Document>(parse("a: ['x', \"y\\\"\", z, &q w]\nb: |\n  t\nc: >\n  t\n"));
  std::vector<Style> styles;
  std::vector<std::string> ends;
  for (const auto& node : document.nodes) {
    if (node.kind != NodeKind::scalar || node.value.size() > 3) continue;
    styles.push_back(node.style);
    ends.push_back(place(node.range.end));
  }
  using enum Style;
  CHECK(styles == std::vector<Style>{plain, single_quoted, double_quoted, plain, plain, plain, literal, plain, folded});
  CHECK(ends == std::vector<std::string>{"1:2", "1:8", "1:15", "1:18", "1:24", "2:2", "2:5", "4:2", "4:5"});
}

TEST_CASE("what libyaml alone would refuse is read") {
  struct Case {
    std::string_view text, expected;
  };
  const std::vector<Case> cases = {
      {"a: 1\n\t\n \t# x\nb: 2\n", "1:1{ 1:1'a' 1:4'1' 4:1'b' 4:4'2' }"},
      {"a: &x.y 1\nb: &x-y 2\nc: *x.y\n", "1:1{ 1:1'a' 1:4'1' 2:1'b' 2:4'2' 3:1'c' 3:4*x.y=1:4 }"},
      {"- &\u00FC\u00DF 1\n- [*\u00FC\u00DF]\n", "1:1[ 1:3'1' 2:3[ 2:4*\u00FC\u00DF=1:3 ] ]"},
      {"a: \x1B[1m\u00FC\nb: \x7F\n", "1:1{ 1:1'a' 1:4'\x1B[1m\u00FC' 2:1'b' 2:4'\x7F' }"},
      {"a: x\uFEFFy\n", "1:1{ 1:1'a' 1:4'x\uFEFFy' }"},
      {"a: |\n  \tx\n\t\nb: >-\n  \ty\n", "1:1{ 1:1'a' 1:4'\tx\n' 4:1'b' 4:4'\ty' }"},
  };
  for (const auto& c : cases) {
    INFO(c.text);
    CHECK(read(c.text) == std::string(c.expected));
  }
}

TEST_CASE("places are those of lines that end with a line feed") {
  CHECK(read("a: \"\u2028\"\nb: 1\n") == "1:1{ 1:1'a' 1:4'\u2028' 2:1'b' 2:4'1' }");
  CHECK(read("\u00E9: 1 # \u00E9\n\u00E9\u00E9: \u00E9 # \u00E9\n\u00E8: @\n") == "3:4 Not valid YAML: a value cannot begin with '@'");
}

TEST_CASE("what is not YAML is refused with its place") {
  struct Case {
    std::string text, begin;
  };
  const std::vector<Case> cases = {
      {"a:\n\t- b\n", "2:1 A tab is used for indentation"},
      {"a: b: c\n", "1:5 Not valid YAML"},
      {"a: [b, c\nd: e\n", "2:2 Not valid YAML"},
      {"a: \"x\n\nb: c\n", "1:4 Not valid YAML: the quoted text that begins here is not closed"},
      {"a: *b\n", "1:4 Not valid YAML"},
      {"a: @x\n", "1:4 Not valid YAML"},
      {"a: 1\n---\nb: 2\n", "2:1 Only one YAML document is expected in this file"},
      {"a: \xFF\n", "1:4 The file is not UTF-8 text"},
      {"a: \xED\xA0\x80\n", "1:4 The file is not UTF-8 text"},
      {std::string("a: b\0c\n", 7), "1:5 Control characters are not allowed"},
  };
  for (const auto& c : cases) {
    INFO(c.text);
    CHECK(read(c.text).substr(0, c.begin.size()) == c.begin);
  }
}

TEST_CASE("size, nodes and depth are bounded") {
  CHECK(read(std::string(2000, '#'), {1000, 10, 10}).find("1000 bytes") != std::string::npos);
  CHECK(read("[1, 2, 3, 4, 5]", {1000, 3, 10}).find("Maximum YAML nodes exceeded") != std::string::npos);
  CHECK(read(std::string(50, '['), {1000, 1000, 10}).find("Maximum object depth exceeded") != std::string::npos);
  const auto begin = std::chrono::steady_clock::now();
  read(std::string(500'000, '['));
  read(std::string(500'000, '{'));
  read(std::string(100'000, '-'));
  // In one line: every place is found without counting from its beginning.
  std::string one_line = "[";
  for (int i = 0; i < 100'000; ++i) one_line += "\u00FC, ";
  CHECK(read(one_line + "]").size() > 100'000);
  // Each line is read again up to a limit.
  std::string tabs = "a: 1\n";
  for (int i = 0; i < 20'000; ++i) tabs += "\t\nb" + std::to_string(i) + ": 1\n";
  read(tabs);
  std::string keys;
  for (int i = 0; i < 20'000; ++i) keys += "k" + std::to_string(i) + ": v\n";
  read(keys);
  const auto spent = std::chrono::steady_clock::now() - begin;
  CHECK(std::chrono::duration<double>(spent).count() < 2);
}
