#include "executors/base/fs.h"

#include "tests/support/catch.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace drydock;

namespace {
TempDir temporary() {
  auto directory = TempDir::create();
  REQUIRE(directory.ok());
  return std::move(*directory);
}
}  // namespace

TEST_CASE("files are written at once and read whole") {
  const auto directory = temporary();
  const auto path = directory.path() + "/file";
  CHECK(read_file(path).error().code == ErrorCode::not_found);
  CHECK_FALSE(read_file_if_exists(path)->has_value());
  for (const auto durability : {Durability::durable, Durability::relaxed}) {
    const std::string text(200'000, durability == Durability::durable ? 'a' : 'b');
    REQUIRE(write_file_atomic(path, text, 0600, durability).ok());
    CHECK(*read_file(path) == text);
  }
  struct stat info {};
  ::stat(path.c_str(), &info);
  CHECK((info.st_mode & 07777) == 0600);
  CHECK_FALSE(write_file_atomic(directory.path() + "/no/such", "x").ok());
  CHECK_FALSE(
      write_file_atomic(directory.path(), "x").ok());  // a directory is in the way; nothing is left beside it
  CHECK(read_file("/proc/self/comm").ok());            // a file whose size is not known
}

TEST_CASE("directories are made with their parents, and trees removed whatever their modes") {
  std::string where;
  {
    auto directory = temporary();
    where = directory.path();
    REQUIRE(make_directories(where + "/a/b/c").ok());
    REQUIRE(make_directories(where + "/a/b/c").ok());
    REQUIRE(write_file_atomic(where + "/a/b/c/file", "x").ok());
    CHECK_FALSE(make_directories(where + "/a/b/c/file").ok());
    CHECK_FALSE(make_directories(where + "/a/b/c/file/d").ok());
    REQUIRE(::symlink("/etc", (where + "/a/link").c_str()) == 0);
    ::chmod((where + "/a/b/c").c_str(), 0500);
    ::chmod((where + "/a/b").c_str(), 0000);
  }
  CHECK_FALSE(exists(where));
  CHECK(exists("/etc/passwd"));
  CHECK(remove_tree(where).ok());
}

TEST_CASE("read-only trees are removed without privilege") {
  if (::geteuid() != 0) return;  // the test above has shown it already
  auto directory = temporary();
  ::chown(directory.path().c_str(), 65534, 65534);
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setgid(65534) != 0 || ::setuid(65534) != 0) ::_exit(9);
    const auto tree = directory.path() + "/tree";
    if (!make_directories(tree + "/a/b").ok()) ::_exit(1);
    if (!write_file_atomic(tree + "/a/b/file", "x").ok()) ::_exit(2);
    ::chmod((tree + "/a/b").c_str(), 0500);
    ::chmod((tree + "/a").c_str(), 0000);
    ::_exit(remove_tree(tree).ok() && !exists(tree) ? 0 : 3);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("a kept temporary directory stays") {
  auto directory = temporary();
  const auto path = directory.keep();
  directory = temporary();
  CHECK(is_directory(path));
  CHECK(remove_tree(path).ok());
}

TEST_CASE("locks exclude and are shared") {
  const auto directory = temporary();
  const auto path = directory.path() + "/lock";
  {
    auto first = FileLock::acquire(path, LockMode::shared);
    REQUIRE(first.ok());
    CHECK(FileLock::try_acquire(path, LockMode::shared)->has_value());
    CHECK_FALSE(FileLock::try_acquire(path, LockMode::exclusive)->has_value());
  }
  CHECK(FileLock::try_acquire(path, LockMode::exclusive)->has_value());
}

TEST_CASE("extended attributes") {
  const auto directory = temporary();
  const auto path = directory.path() + "/file";
  REQUIRE(write_file_atomic(path, "x").ok());
  if (!set_xattr(path, "user.drydock", "one").ok()) {
    WARN("skipped: this file system has no user attributes");
    return;
  }
  const std::string large(1000, 'v');
  REQUIRE(set_xattr(path, "user.large", large).ok());
  CHECK(*get_xattr(path, "user.drydock").value() == "one");
  CHECK(*get_xattr(path, "user.large").value() == large);
  CHECK_FALSE(get_xattr(path, "user.none")->has_value());
  CHECK(list_xattrs(path)->size() == 2);
  REQUIRE(remove_xattr(path, "user.drydock").ok());
  REQUIRE(remove_xattr(path, "user.drydock").ok());
  CHECK(*list_xattrs(path) == std::vector<std::string>{"user.large"});
}

TEST_CASE("lexical paths") {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"/a/./b//../c", "/a/c"}, {"", "."},         {".", "."},    {"/", "/"},
      {"/../..", "/"},          {"../a/..", ".."}, {"a/..", "."}, {"a/b/", "a/b"},
  };
  for (const auto& [path, expected] : table) {
    INFO(path);
    CHECK(normal_path(path) == expected);
  }
}

TEST_CASE("untrusted paths stay inside") {
  CHECK(*join_inside("/root", "a/b/../c") == "/root/a/c");
  CHECK(*join_inside("/root/", "/etc/passwd") == "/root/etc/passwd");
  CHECK(*join_inside("/", "x") == "/x");
  CHECK(*join_inside("/root", ".") == "/root");
  for (const auto* bad : {"..", "../x", "a/../../x", "/.."}) {
    INFO(bad);
    CHECK(join_inside("/root", bad).error().code == ErrorCode::invalid_input);
  }
  CHECK_FALSE(join_inside("/root", std::string_view("a\0b", 3)).ok());
}

TEST_CASE("links are resolved as if the root were /") {
  const auto directory = temporary();
  const auto& root = directory.path();
  REQUIRE(make_directories(root + "/usr/bin").ok());
  ::symlink("usr/bin", (root + "/bin").c_str());
  ::symlink("/usr", (root + "/absolute").c_str());
  ::symlink("../../../../etc", (root + "/usr/escape").c_str());
  ::symlink("loop", (root + "/loop").c_str());
  const std::vector<std::pair<std::string, std::string>> table = {
      {"bin/sh", "/usr/bin/sh"},
      {"/absolute/bin/x", "/usr/bin/x"},
      {"usr/escape/passwd", "/etc/passwd"},
      {"bin/../x", "/usr/x"},
      {"../../x", "/x"},
      {"new/deep", "/new/deep"},
  };
  for (const auto& [path, expected] : table) {
    INFO(path);
    CHECK(*resolve_inside(root, path) == root + expected);
  }
  CHECK_FALSE(resolve_inside(root, "loop/x").ok());
}
