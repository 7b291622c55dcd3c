#include "parser/workflow/glob.h"

#include "tests/support/catch.h"

using namespace drydock::parser::workflow;

TEST_CASE("filter patterns match as GitHub documents") {
  struct Case {
    std::string_view pattern;
    std::vector<std::string_view> yes, no;
  };
  const std::vector<Case> cases = {
      {"*", {"main", "v1", ""}, {"feature/x"}},
      {"**", {"main", "feature/x", "a/b/c"}, {}},
      {"feature/*", {"feature/my-branch"}, {"feature/beta-a/my-branch", "feature"}},
      {"feature/**", {"feature/beta-a/my-branch", "feature/x"}, {"features/x"}},
      {"releases/mona-the-octocat", {"releases/mona-the-octocat"}, {"releases/mona"}},
      {"*feature", {"mona-feature", "feature", "ver-10-feature"}, {"a/feature"}},
      {"v2*", {"v2", "v2.0", "v2.9"}, {"v1", "xv2"}},
      {"v[12].[0-9]+.[0-9]+", {"v1.10.1", "v2.0.0"}, {"v3.0.0", "v1.0", "v1..1"}},
      {"*.jsx?", {"page.js", "page.jsx"}, {"page.jsxx", "a/page.js"}},
      {"*.js", {"app.js", "index.js"}, {"js/index.js"}},
      {"**.js", {"index.js", "js/index.js", "src/js/app.js"}, {"index.ts"}},
      {"docs/*", {"docs/README.md"}, {"docs/a/b.md"}},
      {"docs/**/*.md", {"docs/README.md", "docs/mona/hello-world.md", "docs/a/markdown/file.md"}, {"docs.md"}},
      {"**/docs/**", {"docs/hello.md", "dir/docs/my-file.txt", "space/docs/plan/space.doc"}, {"docs"}},
      {"**/README.md", {"README.md", "js/README.md"}, {"js/README.md.bak"}},
      {"**/*src/**", {"a/src/app.js", "my-src/code/js/app.js"}, {"src"}},
      {"**/*-post.md", {"my-post.md", "path/their-post.md"}, {"post.md"}},
      {"\\*", {"*"}, {"x"}},
      {"ab+c", {"abc", "abbbc"}, {"ac"}},
      {"[a-cx]", {"a", "b", "x"}, {"d", ""}},
  };
  for (const auto& c : cases) {
    for (const auto text : c.yes) {
      INFO(c.pattern << " should match " << text);
      CHECK(glob_match(c.pattern, text));
    }
    for (const auto text : c.no) {
      INFO(c.pattern << " should not match " << text);
      CHECK_FALSE(glob_match(c.pattern, text));
    }
  }
}

TEST_CASE("the last pattern that matches decides") {
  const std::vector<std::string> patterns = {"*.md", "!README.md", "README*"};
  CHECK(filter_matches(patterns, "hello.md"));
  CHECK(filter_matches(patterns, "README.md"));
  CHECK_FALSE(filter_matches({"*.md", "!README.md"}, "README.md"));
  CHECK_FALSE(filter_matches({"!README.md"}, "hello.md"));
  CHECK(filter_matches({"releases/**", "!releases/**-alpha"}, "releases/10"));
  CHECK_FALSE(filter_matches({"releases/**", "!releases/**-alpha"}, "releases/beta/3-alpha"));
}

TEST_CASE("malformed patterns are explained") {
  CHECK(glob_problem("v[0-9]+").empty());
  CHECK(glob_problem("!").find("empty") != std::string::npos);
  CHECK(glob_problem("v[0-9").find("not closed") != std::string::npos);
  CHECK(glob_problem("v[9-0]").find("9-0") != std::string::npos);
  CHECK(glob_problem("v[]").find("empty") != std::string::npos);
  CHECK(glob_problem("?x").find("missing") != std::string::npos);
  CHECK(glob_problem("x\\").find("backslash") != std::string::npos);
}

TEST_CASE("no pattern takes more than time proportional to pattern and text") {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "**a";
  CHECK_FALSE(glob_match(pattern, std::string(2000, 'b')));
}
