#include "executors/build/file_tree.h"

#include <fcntl.h>
#include <unistd.h>

#include "parser/dockerfile/dockerignore.h"
#include "tests/executors/build/support.h"

using namespace drydock;
using namespace drydock::build;
using namespace drydock::build::test;
namespace fs = std::filesystem;

namespace {

PathFilter filter_of(const std::string& text) {
  auto compiled = parser::dockerfile::compile_dockerignore(text, ".dockerignore");
  REQUIRE(compiled.diagnostics.empty());
  auto matcher = std::make_shared<parser::dockerfile::IgnoreMatcher>(std::move(compiled.matcher));
  return {[matcher](const std::string& path) { return matcher->matches(path); },
          [matcher](const std::string& path) { return matcher->can_skip_directory(path); }};
}

std::shared_ptr<FileTree> open_tree(const fs::path& root, PathFilter filter = {}) {
  auto tree = FileTree::open(root, std::move(filter));
  REQUIRE(tree.ok());
  return *tree;
}

std::vector<std::string> paths(const FileTree& tree, const std::string& start) {
  auto entries = tree.walk(start);
  REQUIRE(entries.ok());
  std::vector<std::string> names;
  for (const auto& entry : *entries) names.push_back(entry.path);
  return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("paths are cleaned and never climb") {
  const std::pair<const char*, const char*> cases[] = {
      {"", ""},
      {"/", ""},
      {".", ""},
      {"a", "a"},
      {"/a//b/./c/", "a/b/c"},
      {"..", ""},
      {"../../etc", "etc"},
      {"a/../../b", "b"},
      {"a/b/..", "a"},
      {"./a/.", "a"},
  };
  for (const auto& [given, clean] : cases) {
    CAPTURE(given);
    CHECK(clean_relative(given) == clean);
  }
}

TEST_CASE("COPY sources are matched by component and sorted") {
  Scratch scratch;
  for (const auto* name : {"b.txt", "a.txt", "a.md", ".hidden.txt", "src/x.c", "src/y.c", "lib/x.c",
                           "src/deep/z.c", "we[ird", "star*name"}) {
    write(scratch / name, name);
  }
  const auto tree = open_tree(scratch.path());
  struct Case {
    const char* pattern;
    Names found;
  };
  const Case cases[] = {
      {"a.txt", {"a.txt"}},
      {"/a.txt", {"a.txt"}},
      {"./src/", {"src"}},
      {"../a.txt", {"a.txt"}},
      {"*.txt", {".hidden.txt", "a.txt", "b.txt"}},
      {"?.txt", {"a.txt", "b.txt"}},
      {"[ab].txt", {"a.txt", "b.txt"}},
      {"*/x.c", {"lib/x.c", "src/x.c"}},
      {"src/*", {"src/deep", "src/x.c", "src/y.c"}},
      {"s*/[x-y].c", {"src/x.c", "src/y.c"}},
      {"*.none", {}},
      {"none/*", {}},
      {"we\\[ird", {"we[ird"}},
      {"star\\*name", {"star*name"}},
      {".", {""}},
      {"/", {""}},
  };
  for (const auto& item : cases) {
    CAPTURE(item.pattern);
    auto found = tree->match(item.pattern);
    REQUIRE(found.ok());
    CHECK(*found == item.found);
  }
  auto missing = tree->match("nowhere/file");
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().code == ErrorCode::not_found);
  CHECK(missing.error().message.find("nowhere/file") != std::string::npos);
}

TEST_CASE("symbolic links resolve inside the root") {
  Scratch scratch;
  write(scratch / "secret", "outside");
  const auto root = scratch.make("root");
  write(root / "secret", "inside");
  write(root / "dir/file", "in dir");
  fs::create_symlink("../../../../../../secret", root / "relative");
  fs::create_symlink((scratch / "secret").string(), root / "absolute");
  fs::create_symlink("/secret", root / "rooted");
  fs::create_symlink("/dir", root / "link");
  fs::create_symlink("loop", root / "loop");
  fs::create_symlink("/proc/self/root", root / "magic");
  const auto tree = open_tree(root);
  const auto text_at = [&](const std::string& path) -> std::string {
    auto fd = tree->open_at(path, O_RDONLY);
    if (!fd.ok()) return "(none)";
    char text[64] = {};
    return std::string(text,
                       static_cast<std::size_t>(std::max<ssize_t>(0, ::read(fd->get(), text, sizeof text))));
  };
  CHECK(text_at("relative") == "inside");
  CHECK(text_at("rooted") == "inside");
  CHECK(text_at("absolute") == "(none)");
  CHECK(text_at("link/file") == "in dir");
  CHECK(text_at("loop") == "(none)");
  CHECK(text_at("magic/etc/passwd") == "(none)");
  CHECK(text_at("dir/../../secret") == "inside");

  auto resolved = tree->resolve("link/file");
  REQUIRE(resolved.ok());
  CHECK(*resolved == "dir/file");
  resolved = tree->resolve("");
  REQUIRE(resolved.ok());
  CHECK(resolved->empty());

  // The start is followed, what is below is not.
  CHECK(paths(*tree, "link") == Names{"", "file"});
  auto all = tree->walk("");
  REQUIRE(all.ok());
  for (const auto& entry : *all) {
    if (entry.path == "relative") {
      CHECK(entry.is_symlink());
      CHECK(entry.link == "../../../../../../secret");
    }
    CHECK(entry.path.find("link/") == std::string::npos);
  }
}

TEST_CASE("walks are sorted by path, whatever the order on disk") {
  Scratch scratch;
  for (const auto* name : {"z", "a/z", "a/b/c", "a-b", "a.b", "m"}) write(scratch / name, "");
  const auto tree = open_tree(scratch.path());
  const auto names = paths(*tree, "");
  CHECK(std::is_sorted(names.begin(), names.end()));
  CHECK(names.size() == 9);
  CHECK(paths(*tree, "m") == Names{""});
  CHECK_FALSE(tree->walk("none").ok());
}

TEST_CASE(".dockerignore leaves out what it names, everywhere") {
  Scratch scratch;
  for (const auto* name : {"keep", "drop.log", "src/a.c", "src/a.log", "node_modules/x/index.js",
                           "node_modules/keep.me", "docs/a.md", "docs/README.md", "empty/only.log"}) {
    write(scratch / name, "");
  }
  const auto tree = open_tree(
      scratch.path(), filter_of("**/*.log\nnode_modules\n!node_modules/keep.me\ndocs/*\n!docs/README.md\n"));
  const auto names = paths(*tree, "");
  const Names wanted{"",       "docs",         "docs/README.md",       "empty",
                     "keep",   "node_modules", "node_modules/keep.me", "src",
                     "src/a.c"};
  CHECK(names == wanted);
  CHECK(tree->has_filter());

  auto left_out = tree->match("drop.log");
  REQUIRE_FALSE(left_out.ok());
  CHECK(left_out.error().code == ErrorCode::not_found);
  CHECK(left_out.error().message.find(".dockerignore") != std::string::npos);
  auto wild = tree->match("*");
  REQUIRE(wild.ok());
  CHECK(*wild == Names{"docs", "empty", "keep", "node_modules", "src"});
  wild = tree->match("src/*");
  REQUIRE(wild.ok());
  CHECK(*wild == Names{"src/a.c"});
}

TEST_CASE("a directory whose content is all left out is left out too when it is ignored itself") {
  Scratch scratch;
  write(scratch / "a/x", "");
  write(scratch / "a/y", "");
  write(scratch / "b", "");
  // A later exception keeps the directory from being pruned, and matches nothing in it.
  const auto tree = open_tree(scratch.path(), filter_of("a\n!a/none\n"));
  CHECK(paths(*tree, "") == Names{"", "b"});
}

TEST_CASE("a file system root as the tree's root") {
  const auto tree = open_tree("/");
  auto resolved = tree->resolve("etc/../etc/passwd");
  REQUIRE(resolved.ok());
  CHECK(*resolved == "etc/passwd");
}
