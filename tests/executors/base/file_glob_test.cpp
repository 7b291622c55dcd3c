#include "executors/base/file_glob.h"

#include <filesystem>

#include "executors/base/fs.h"
#include "tests/support/catch.h"

using namespace drydock;

namespace {

/// A small tree; results are written relative to it.
struct Tree {
  Tree() : directory(*TempDir::create()), root(std::filesystem::canonical(directory.path()).string()) {
    for (const auto* file : {"a.txt", "b.md", ".hidden", "src/one.cpp", "src/two.h", "src/deep/three.cpp", "src/.cache/x",
                             "weird/[x].txt", "weird/a*b", "grün/é.txt"}) {
      const auto path = root + "/" + file;
      std::filesystem::create_directories(std::filesystem::path(path).parent_path());
      REQUIRE(write_file_atomic(path, "x").ok());
    }
    std::filesystem::create_directory(root + "/empty");
    std::filesystem::create_symlink("..", root + "/src/deep/up");
    std::filesystem::create_symlink("nowhere", root + "/broken");
    std::filesystem::create_symlink("src/deep", root + "/link");
  }

  FileGlobOptions options() const { return {.directory = root, .home = root + "/src"}; }

  std::string find(const std::string& patterns, FileGlobOptions options) const {
    const auto glob = FileGlob::parse(patterns, options);
    if (!glob) return glob.error().message;
    const auto found = glob->find();
    if (!found) return found.error().message;
    std::string text;
    for (const auto& path : *found) text += (path == root ? "." : path.substr(root.size() + 1)) + " ";
    return text;
  }

  TempDir directory;
  std::string root;
};

}  // namespace

TEST_CASE("segments of patterns") {
  struct Row {
    const char *pattern, *name;
    bool matches;
  };
  const Row rows[] = {
      {"*", "a", true},         {"*.cpp", "a.cpp", true},   {"*.cpp", "a.h", false},     {"a*b*c", "axxbyyc", true},
      {"a*b*c", "axxbyy", false}, {"?", "a", true},         {"?", "é", true},            {"?", "ab", false},
      {"?", "", false},         {"[abc]", "b", true},       {"[!abc]", "b", false},      {"[^abc]", "d", true},
      {"[a-c]x", "bx", true},   {"[a-", "[a-", true},       {"[]]", "]", true},          {"\\*", "*", true},
      {"\\*", "a", false},      {"[\\]]", "]", true},       {".*", ".a", true},          {"*", ".a", true},
      {"", "", true},           {"**x", "abx", true},       {"[é-ü]", "ö", true},        {"a", "A", false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.pattern, row.name);
    CHECK(segment_matches(row.pattern, row.name) == row.matches);
  }
  // Time does not explode.
  std::string stars;
  for (int i = 0; i < 60; ++i) stars += "*a";
  CHECK_FALSE(segment_matches(stars + "b", std::string(250, 'a')));
}

TEST_CASE("files by patterns") {
  const Tree tree;
  struct Row {
    const char *patterns, *expected;
  };
  const Row rows[] = {
      {"a.txt", "a.txt "},
      {"*.txt", "a.txt "},
      {"src", "src src/.cache src/.cache/x src/deep src/deep/three.cpp src/one.cpp src/two.h "},
      {"src/", "src src/.cache src/.cache/x src/deep src/deep/three.cpp src/one.cpp src/two.h "},
      {"src/*.cpp", "src/one.cpp "},
      {"src/**/*.cpp", "src/deep/three.cpp src/one.cpp "},
      {"**/three.cpp", "link/three.cpp src/deep/three.cpp "},
      {"src\n!src/deep", "src src/.cache src/.cache/x src/one.cpp src/two.h "},
      {"src\n!src/**/*.cpp\n!src/.cache", "src src/deep src/two.h "},
      {"src/deep\n!src/deep\nsrc/deep/three.cpp", "src/deep/three.cpp "},
      {"# comment\n\n  b.md  ", "b.md "},
      {"~/one.cpp", "src/one.cpp "},
      {"./b.md", "b.md "},
      {"nothing", ""},
      {"weird/[[]x].txt", "weird/[x].txt "},
      {"weird/a\\*b", "weird/a*b "},
      {"grün/?.txt", "grün/é.txt "},
      {"broken", ""},
      {"link", "link link/three.cpp link/up link/up/.cache link/up/.cache/x link/up/one.cpp link/up/two.h "},
      {"src//one.cpp", "src/one.cpp "},
      {"a.txt/", ""},
      {"../x", "Invalid pattern '../x'. Relative pathing '.' and '..' is not allowed."},
      {"src/./one.cpp", "Invalid pattern 'src/./one.cpp'. Relative pathing '.' and '..' is not allowed."},
      {"!", "Invalid pattern '!'. It is empty."},
  };
  for (const auto& row : rows) {
    CAPTURE(row.patterns);
    CHECK(tree.find(row.patterns, tree.options()) == row.expected);
  }
}

TEST_CASE("choices of a search") {
  const Tree tree;
  auto options = tree.options();
  options.descendants = Descendants::named;
  CHECK(tree.find("src", options) == "src ");
  CHECK(tree.find("src/**", options) == "src src/.cache src/.cache/x src/deep src/deep/three.cpp src/one.cpp src/two.h ");
  options = tree.options();
  options.hidden = HiddenFiles::left_out;
  CHECK(tree.find("src", options) == "src src/deep src/deep/three.cpp src/one.cpp src/two.h ");
  CHECK(tree.find("**/x\n.hidden", options).empty());
  options.directories = Directories::left_out;
  CHECK(tree.find("src\nempty", options) == "src/deep/three.cpp src/one.cpp src/two.h ");
  options = tree.options();
  options.omit_broken_links = false;
  CHECK(tree.find("broken", options).starts_with("No information found for the path"));
  options = tree.options();
  options.follow_links = false;
  CHECK(tree.find("link\nbroken", options) == "link broken ");
}

TEST_CASE("search paths") {
  const FileGlobOptions options{.directory = "/w", .home = "/home/x"};
  struct Row {
    const char *patterns, *expected;
  };
  const Row rows[] = {{"a/*\nb/c", "/w/a /w/b/c "}, {"/foo/*\n/foo/bar/*", "/foo "},  {"*", "/w "},       {"/", "/ "},
                      {"a\n!b", "/w/a "},           {"~/x", "/home/x/x "},            {"a\na", "/w/a "}, {"[a]/b*", "/w/a "}};
  for (const auto& row : rows) {
    CAPTURE(row.patterns);
    std::string text;
    const auto glob = FileGlob::parse(row.patterns, options);
    REQUIRE(glob.ok());
    for (const auto& path : glob->search_paths()) text += path + " ";
    CHECK(text == row.expected);
  }
}
