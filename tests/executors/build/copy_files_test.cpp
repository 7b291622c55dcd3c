#include "executors/build/copy_files.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "tests/executors/build/support.h"

using namespace drydock;
using namespace drydock::build;
using namespace drydock::build::test;
namespace fs = std::filesystem;

namespace {

struct stat stat_of(const fs::path& path) {
  struct stat st {};
  REQUIRE(::lstat(path.c_str(), &st) == 0);
  return st;
}
unsigned mode_of(const fs::path& path) {
  return stat_of(path).st_mode & 07777;
}

/// A context with files and directories, and a root to copy into.
struct Yard {
  Scratch scratch;
  fs::path context = scratch.make("context"), root = scratch.make("root");
  std::shared_ptr<FileTree> tree;

  Yard() {
    write(context / "a.txt", "a");
    write(context / "b.txt", "b", 0755);
    write(context / "dir/one", "1");
    write(context / "dir/sub/two", "2", 0600);
    fs::create_symlink("one", context / "dir/link");
    fs::create_symlink("/dir", context / "dirlink");
    fs::create_symlink("a.txt", context / "filelink");
    fs::permissions(context / "dir/sub", fs::perms(0700));
    for (const auto* path : {"a.txt", "b.txt", "dir/one", "dir/sub/two", "dir/link", "dir/sub", "dir"}) {
      set_mtime(context / path, 1234567890);
    }
    auto opened = FileTree::open(context);
    REQUIRE(opened.ok());
    tree = *opened;
  }

  CopyJob job(const std::vector<std::string>& sources, const std::string& destination) const {
    CopyJob made;
    for (const auto& source : sources) made.sources.push_back(TreeSource{tree, source, {}});
    made.destination = destination;
    made.into_directory = destination.ends_with('/') || sources.size() > 1;
    return made;
  }
  Status copy(const std::vector<std::string>& sources, const std::string& destination) const {
    return copy_into(root, job(sources, destination));
  }
};

std::vector<std::string> names_below(const fs::path& root) {
  std::vector<std::string> names;
  for (const auto& item : fs::recursive_directory_iterator(root))
    names.push_back(item.path().lexically_relative(root).string());
  std::sort(names.begin(), names.end());
  return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("where COPY puts what") {
  struct Case {
    const char* what;
    Names sources;
    const char* destination;
    Names made;
  };
  const Case cases[] = {
      {"file to new file", {"a.txt"}, "/x", {"x"}},
      {"file to new file below new directories", {"a.txt"}, "/p/q/x", {"p", "p/q", "p/q/x"}},
      {"file into new directory", {"a.txt"}, "/x/", {"x", "x/a.txt"}},
      {"file to the root", {"a.txt"}, "/", {"a.txt"}},
      {"several files", {"a.txt", "b.txt"}, "/x/", {"x", "x/a.txt", "x/b.txt"}},
      {"content of a directory", {"dir"}, "/x", {"x", "x/link", "x/one", "x/sub", "x/sub/two"}},
      {"content of a directory, slash", {"dir"}, "/x/", {"x", "x/link", "x/one", "x/sub", "x/sub/two"}},
      {"directory and file",
       {"dir", "a.txt"},
       "/x/",
       {"x", "x/a.txt", "x/link", "x/one", "x/sub", "x/sub/two"}},
      {"directory through a link", {"dirlink"}, "/x", {"x", "x/link", "x/one", "x/sub", "x/sub/two"}},
      {"file through a link", {"filelink"}, "/x/", {"x", "x/filelink"}},
  };
  for (const auto& item : cases) {
    CAPTURE(item.what);
    Yard yard;
    const auto copied = yard.copy(item.sources, item.destination);
    REQUIRE(copied.ok());
    CHECK(names_below(yard.root) == item.made);
  }
}

TEST_CASE("a file goes into a directory that is there, also without a slash") {
  Yard yard;
  fs::create_directories(yard.root / "x");
  REQUIRE(yard.copy({"a.txt"}, "/x").ok());
  CHECK(read(yard.root / "x/a.txt") == "a");
}

TEST_CASE("times and permissions of files are kept, owners of a context are not") {
  Yard yard;
  if (is_root()) REQUIRE(::chown((yard.context / "b.txt").c_str(), 12, 34) == 0);
  REQUIRE(yard.copy({"b.txt"}, "/x/").ok());
  REQUIRE(yard.copy({"dir"}, "/d").ok());
  CHECK(mtime(yard.root / "x/b.txt") == 1234567890);
  CHECK(mode_of(yard.root / "x/b.txt") == 0755);
  CHECK(stat_of(yard.root / "x/b.txt").st_uid == ::geteuid());
  CHECK(mode_of(yard.root / "x") == 0755);
  CHECK(mtime(yard.root / "x") == 0);
  CHECK(mtime(yard.root / "d/sub") == 1234567890);
  CHECK(mode_of(yard.root / "d/sub") == 0700);
  CHECK(mode_of(yard.root / "d/sub/two") == 0600);
  CHECK(fs::read_symlink(yard.root / "d/link") == "one");
  CHECK(mtime(yard.root / "d/link") == 1234567890);
}

TEST_CASE("--chown and --chmod") {
  if (!is_root()) return skipped("owners need root");
  Yard yard;
  REQUIRE(::lchown((yard.context / "dir/one").c_str(), 7, 8) == 0);
  auto job = yard.job({"dir"}, "/srv/app");
  job.owner = Owner{1000, 1001};
  job.mode = 0640;
  REQUIRE(copy_into(yard.root, job).ok());
  for (const auto* path : {"srv", "srv/app", "srv/app/one", "srv/app/link", "srv/app/sub/two"}) {
    CAPTURE(path);
    CHECK(stat_of(yard.root / path).st_uid == 1000);
    CHECK(stat_of(yard.root / path).st_gid == 1001);
  }
  CHECK(mode_of(yard.root / "srv/app/one") == 0640);
  CHECK(mode_of(yard.root / "srv/app/sub") == 0640);

  auto kept = yard.job({"dir"}, "/kept");
  kept.source_owner = SourceOwner::keep;
  REQUIRE(copy_into(yard.root, kept).ok());
  CHECK(stat_of(yard.root / "kept/one").st_uid == 7);
  CHECK(stat_of(yard.root / "kept/one").st_gid == 8);
}

TEST_CASE("set-id bits survive the change of owner") {
  if (!is_root()) return skipped("owners need root");
  Yard yard;
  write(yard.context / "suid", "x", 04755);
  auto job = yard.job({"suid"}, "/suid");
  job.owner = Owner{5, 5};
  REQUIRE(copy_into(yard.root, job).ok());
  CHECK(mode_of(yard.root / "suid") == 04755);
}

TEST_CASE("directories that were only passed through keep their times and modes") {
  Yard yard;
  fs::create_directories(yard.root / "usr/share/doc");
  fs::permissions(yard.root / "usr/share", fs::perms(0750));
  for (const auto* path : {"usr/share/doc", "usr/share", "usr", ""}) set_mtime(yard.root / path, 1111111111);
  REQUIRE(yard.copy({"a.txt"}, "/usr/share/new/").ok());
  REQUIRE(yard.copy({"dir"}, "/usr/share/doc").ok());
  for (const auto* path : {"usr/share/doc", "usr/share", "usr", ""}) {
    CAPTURE(path);
    CHECK(mtime(yard.root / path) == 1111111111);
  }
  CHECK(mode_of(yard.root / "usr/share") == 0750);
  CHECK(mtime(yard.root / "usr/share/new") == 0);
}

TEST_CASE("files replace files and links, never directories") {
  Yard yard;
  write(yard.root / "file", "old and longer", 0600);
  write(yard.root / "target", "untouched");
  fs::create_symlink("target", yard.root / "link");
  REQUIRE(yard.copy({"a.txt"}, "/file").ok());
  CHECK(read(yard.root / "file") == "a");
  CHECK(mode_of(yard.root / "file") == 0644);
  REQUIRE(yard.copy({"a.txt"}, "/link").ok());
  CHECK(fs::is_regular_file(fs::symlink_status(yard.root / "link")));
  CHECK(read(yard.root / "target") == "untouched");

  write(yard.context / "over/place", "x");
  fs::create_directories(yard.root / "d/place");
  const auto refused = yard.copy({"over"}, "/d");
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::invalid_input);
  CHECK(refused.error().message.find("/d/place") != std::string::npos);
}

TEST_CASE("a directory never replaces a file") {
  Yard yard;
  write(yard.root / "x", "file");
  auto refused = yard.copy({"dir"}, "/x");
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::invalid_input);
  CHECK(refused.error().message.find("/x") != std::string::npos);
  write(yard.root / "y/sub", "file");
  refused = yard.copy({"dir"}, "/y");
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message.find("/y/sub") != std::string::npos);
  refused = yard.copy({"a.txt"}, "/x/below");
  REQUIRE_FALSE(refused.ok());
}

TEST_CASE("links of the root lead inside it") {
  Yard yard;
  const auto outside = yard.scratch.make("outside");
  fs::create_directories(yard.root / "real");
  fs::create_symlink("/real", yard.root / "absolute");
  fs::create_symlink("../../../outside", yard.root / "climbing");
  fs::create_symlink(outside, yard.root / "host");
  REQUIRE(yard.copy({"a.txt"}, "/absolute/").ok());
  CHECK(read(yard.root / "real/a.txt") == "a");
  REQUIRE(yard.copy({"dir"}, "/absolute").ok());
  CHECK(read(yard.root / "real/sub/two") == "2");
  // Dangling inside the root: refused or made inside, never outside.
  (void)yard.copy({"a.txt"}, "/climbing/").ok();
  (void)yard.copy({"a.txt"}, "/host/").ok();
  CHECK(fs::is_empty(outside));
}

TEST_CASE("--parents keeps the path, from the pivot on") {
  struct Case {
    const char* source;
    const char* pivot;
    const char* made;
  };
  const Case cases[] = {
      {"dir/sub/two", "", "x/dir/sub/two"},
      {"dir/sub/two", "dir", "x/sub/two"},
      {"dir/sub/two", "dir/sub", "x/two"},
      {"dir/sub", "dir", "x/sub/two"},
  };
  for (const auto& item : cases) {
    CAPTURE(item.source, item.pivot);
    Yard yard;
    auto job = yard.job({item.source}, "/x/");
    job.parents_pivot = item.pivot;
    REQUIRE(copy_into(yard.root, job).ok());
    CHECK(fs::exists(yard.root / item.made));
  }
}

TEST_CASE("--exclude is relative to the source") {
  Yard yard;
  auto job = yard.job({"dir"}, "/x");
  std::get<TreeSource>(job.sources[0]).excluded = [](const std::string& path) {
    return path == "one" || path.starts_with("sub");
  };
  REQUIRE(copy_into(yard.root, job).ok());
  CHECK(names_below(yard.root) == Names{"x", "x/link"});
}

TEST_CASE("texts are files too") {
  Yard yard;
  CopyJob job;
  job.sources = {InlineSource{"conf", "hello\n", 0644, 0}};
  job.destination = "/etc/app/";
  job.into_directory = true;
  REQUIRE(copy_into(yard.root, job).ok());
  CHECK(read(yard.root / "etc/app/conf") == "hello\n");
  CHECK(mtime(yard.root / "etc/app/conf") == 0);
  job.destination = "/run.sh";
  job.into_directory = false;
  job.mode = 0755;
  REQUIRE(copy_into(yard.root, job).ok());
  CHECK(mode_of(yard.root / "run.sh") == 0755);
}

TEST_CASE("thousands of files, side by side, all of them whole") {
  Scratch scratch;
  const auto context = scratch.make("context"), root = scratch.make("root");
  for (int i = 0; i < 2000; ++i) {
    write(context / ("d" + std::to_string(i % 40)) / ("f" + std::to_string(i)),
          std::string(static_cast<std::size_t>(i), 'x') + std::to_string(i));
  }
  auto tree = FileTree::open(context);
  REQUIRE(tree.ok());
  CopyJob job;
  job.sources = {TreeSource{*tree, "", {}}};
  job.destination = "/x";
  REQUIRE(copy_into(root, job).ok());
  int wrong = 0;
  for (int i = 0; i < 2000; ++i) {
    const auto name = std::string("d") + std::to_string(i % 40) + "/f" + std::to_string(i);
    wrong += read(root / "x" / name) != std::string(static_cast<std::size_t>(i), 'x') + std::to_string(i);
  }
  CHECK(wrong == 0);
  for (int i = 0; i < 40; ++i)
    CHECK(mtime(root / "x" / ("d" + std::to_string(i))) == mtime(context / ("d" + std::to_string(i))));
}

TEST_CASE("the first error of many files is told") {
  Yard yard;
  for (int i = 0; i < 200; ++i) write(yard.context / "many" / ("f" + std::to_string(i)), "x");
  fs::create_directories(yard.root / "x/f77");
  const auto refused = yard.copy({"many"}, "/x");
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message.find("/x/f77") != std::string::npos);
}

TEST_CASE("directories are made with their owner and the epoch") {
  Yard yard;
  REQUIRE(
      make_directories_in(yard.root, "/a/b/c", is_root() ? std::optional(Owner{3, 4}) : std::nullopt).ok());
  for (const auto* path : {"a", "a/b", "a/b/c"}) {
    CAPTURE(path);
    CHECK(mode_of(yard.root / path) == 0755);
    CHECK(mtime(yard.root / path) == 0);
    if (is_root()) CHECK(stat_of(yard.root / path).st_gid == 4);
  }
  write(yard.root / "file", "");
  CHECK_FALSE(make_directories_in(yard.root, "/file/x", {}).ok());
  REQUIRE(make_directories_in(yard.root, "/", {}).ok());
}
