#include "executors/oci/layer.h"
#include "executors/oci/tar.h"
#include "tests/executors/oci/store_support.h"

#include <sched.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>

using namespace drydock;
using namespace drydock::oci;
using namespace drydock::oci::testing;

namespace {

ByteSource from(const std::string& bytes) {
  return [&bytes, at = std::size_t{0}](char* buffer, std::size_t size) mutable -> Result<std::size_t> {
    auto part = bytes.copy(buffer, std::min<std::size_t>(size, 999), at);
    at += part;
    return part;
  };
}

std::string tar_of(const std::vector<TarEntry>& entries, const std::string& content = "") {
  std::string bytes;
  TarWriter tar([&](std::string_view piece) -> Status {
    bytes += piece;
    return {};
  });
  for (auto entry : entries) {
    if (entry.type == TarType::file) entry.size = content.size();
    if (!entry.mode) entry.mode = entry.type == TarType::directory ? 0755 : 0644;
    must(tar.header(entry));
    if (entry.type == TarType::file) must(tar.content(content));
    must(tar.end_file());
  }
  must(tar.finish());
  return bytes;
}

Result<ApplyResult> unpack(const std::string& tar, const std::string& target, std::vector<std::string> lower = {}) {
  ApplyOptions options;
  options.lower = std::move(lower);
  return apply_layer(from(tar), k_layer_tar, target, options);
}

std::string shell(const std::string& command) {
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  std::string out(1 << 16, '\0');
  out.resize(::fread(out.data(), 1, out.size(), pipe));
  int code = ::pclose(pipe);
  return code == 0 ? out : "exit " + std::to_string(code) + ": " + out;
}

bool whiteout_at(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISCHR(status.st_mode) && status.st_rdev == makedev(0, 0);
}

bool opaque_at(const std::string& path) {
  char value[8];
  return ::lgetxattr(path.c_str(), "trusted.overlay.opaque", value, sizeof value) == 1;
}

}  // namespace

TEST_CASE("a hostile layer writes nothing outside its directory") {
  if (!root_or_skip()) return;
  ScratchDir temp;
  auto outside = temp.dir("outside");
  struct Case {
    const char* what;
    std::vector<TarEntry> entries;
    std::string lands;  // below the target; empty: refused
  };
  auto file = [](std::string path) { return TarEntry{.path = std::move(path)}; };
  auto link = [](std::string path, std::string to, TarType type = TarType::symlink) {
    return TarEntry{.path = std::move(path), .type = type, .link = std::move(to)};
  };
  std::vector<Case> cases;
  cases.push_back({"absolute path", {file("/etc/x")}, "etc/x"});
  cases.push_back({"dot-dot", {file("../../a/../x")}, "x"});
  cases.push_back({"through an absolute link", {link("l", outside), file("l/x")}, outside.substr(1) + "/x"});
  cases.push_back({"through a relative link", {link("l", "../../outside"), file("l/x")}, "outside/x"});
  cases.push_back({"over a link", {link("l", outside + "/x"), file("l")}, "l"});
  cases.push_back({"link in a circle", {link("l", "l"), file("l/x")}, ""});
  cases.push_back({"hard link outside", {link("h", "../../outside/secret", TarType::hard_link)}, ""});
  cases.push_back({"below a file", {file("f"), file("f/x")}, ""});
  cases.push_back({"no name of its own", {file("a/..")}, ""});
  cases.push_back({"whiteout of nothing", {file("a/.wh.")}, ""});
  cases.push_back({"whiteout of the parent", {file("a/.wh...")}, ""});
  put_file(outside + "/secret", "s");
  int number = 0;
  for (const auto& item : cases) {
    CAPTURE(item.what);
    auto target = temp.dir("t" + std::to_string(number++));
    auto result = unpack(tar_of(item.entries, "evil"), target);
    CHECK(result.ok() == !item.lands.empty());
    if (!item.lands.empty()) CHECK(read_text(target + "/" + item.lands) == "evil");
    CHECK(describe_tree(outside).size() == 1);
  }
}

TEST_CASE("whiteouts, opaque marks, links and parents refer to the layers below") {
  if (!root_or_skip()) return;
  ScratchDir temp;
  auto low = temp.dir("low"), top = temp.dir("top");
  fs::create_directories(low + "/d/sub");
  fs::create_directories(low + "/real");
  ::chmod((low + "/d").c_str(), 01770);
  ::chown((low + "/d").c_str(), 5, 6);
  fs::create_directory_symlink("real", low + "/alias");
  put_file(low + "/d/file", "below", 04755);
  set_mtime(low + "/d", 1234567);
  put_file(low + "/gone", "");
  std::vector<TarEntry> entries;
  for (const char* path : {"d/new", "d/sub/.wh..wh..opq", ".wh.gone", ".wh.never-there", "alias/x"}) {
    entries.push_back(TarEntry{.path = path});
  }
  entries.push_back(TarEntry{.path = ".wh..wh.plnk", .type = TarType::directory});
  entries.push_back(TarEntry{.path = "linked", .type = TarType::hard_link, .link = "d/file"});
  entries.push_back(TarEntry{.path = "zero", .type = TarType::char_device});
  auto tar = tar_of(entries);
  auto result = must(unpack(tar, top, {low}));
  CHECK(result.notes.size() == 1);
  CHECK(whiteout_at(top + "/gone"));
  CHECK_FALSE(fs::exists(fs::symlink_status(top + "/never-there")));
  CHECK(opaque_at(top + "/d/sub"));
  CHECK(fs::exists(top + "/real/x"));
  CHECK_FALSE(fs::exists(fs::symlink_status(top + "/alias")));
  CHECK(read_text(top + "/linked") == "below");
  struct stat one {}, two {};
  REQUIRE(::stat((top + "/linked").c_str(), &one) == 0);
  REQUIRE(::stat((top + "/d/file").c_str(), &two) == 0);
  CHECK(one.st_ino == two.st_ino);
  CHECK((one.st_mode & 07777) == 04755);
  REQUIRE(::stat((top + "/d").c_str(), &one) == 0);
  CHECK((one.st_mode & 07777) == 01770);
  CHECK(one.st_uid == 5);
  CHECK(one.st_mtim.tv_sec == 1234567);
}

TEST_CASE("wrong digests and cut streams are found while unpacking") {
  if (!root_or_skip()) return;
  ScratchDir temp;
  auto tar = tar_of({TarEntry{.path = "a"}}, std::string(3000, 'x'));
  ApplyOptions options;
  options.expected_diff_id = digest_of("other");
  CHECK(code_of(apply_layer(from(tar), k_layer_tar, temp.dir("1"), options)) == ErrorCode::corrupted);
  options = {};
  options.expected_blob = digest_of(tar);
  CHECK(must(apply_layer(from(tar), k_layer_tar, temp.dir("2"), options)).diff_id == digest_of(tar));
  auto cut = tar.substr(0, 2000);
  CHECK(code_of(unpack(cut, temp.dir("3"))) == ErrorCode::corrupted);
  auto bad = tar;
  bad[0] = 'b';
  CHECK(code_of(unpack(bad, temp.dir("4"))) == ErrorCode::corrupted);
  CHECK(code_of(apply_layer(from(tar), "text/plain", temp.dir("5"))) == ErrorCode::unsupported);
}

TEST_CASE("packed layers do not depend on threads, and other tools read them") {
  ScratchDir temp;
  auto store = open_store(temp / "store");
  auto tree = temp.dir("tree");
  for (int i = 0; i < 60; ++i) {
    std::string text;
    for (int line = 0; line < 9000; ++line) text += "line " + std::to_string(line * i % 977) + "\n";
    put_file(tree + "/file" + std::to_string(i), text);
    set_mtime(tree + "/file" + std::to_string(i), 1'600'000'000);
  }
  struct Case {
    Compression compression;
    int level;
    const char* expand;
  };
  Digest diff_id;
  for (auto [compression, level, expand] :
       {Case{Compression::gzip, -1, "gzip -dc"}, Case{Compression::gzip, 0, "gzip -dc"},
        Case{Compression::gzip, 2, "gzip -dc"}, Case{Compression::gzip, 3, "gzip -dc"},
        Case{Compression::zstd, -1, "zstd -dc"}, Case{Compression::none, -1, "cat"}}) {
    CAPTURE(name_of(compression), level);
    auto one = must(diff_to_layer(*store, tree, {}, {}, {compression, level, 1}));
    auto many = must(diff_to_layer(*store, tree, {}, {}, {compression, level, 5}));
    CHECK(one.blob.digest == many.blob.digest);
    CHECK(store->blob_size(one.blob.digest) == one.blob.size);
    if (diff_id.empty()) diff_id = one.diff_id;
    CHECK(one.diff_id == diff_id);
    CHECK(must(Records(*store).diff_id_of(one.blob.digest)) == diff_id);
    auto path = store->blob_path(one.blob.digest);
    bool installed = shell(std::string("command -v ") + std::string(expand).substr(0, std::string(expand).find(' ')) +
                           " >/dev/null").empty();
    if (installed) {
      CHECK(shell(std::string(expand) + " < " + path + " | sha256sum").substr(0, 64) == diff_id.hex());
    }
    auto plain = must(convert_layer(*store, one.blob, {Compression::none}));
    CHECK(plain.blob.digest == diff_id);
    CHECK(must(apply_layer(path, one.blob.media_type, temp.dir("t" + std::to_string(int(compression) * 9 + level))))
              .diff_id == diff_id);
  }
  CHECK(code_of(diff_to_layer(*store, tree, {}, {}, {Compression::gzip, 9})) == ErrorCode::usage);
  CHECK(must(diff_digest(tree, {})).diff_id == diff_id);
}

TEST_CASE("GNU tar's archives, sparse and long-named ones too, unpack as GNU tar unpacks them") {
  if (!root_or_skip()) return;
  ScratchDir temp;
  auto tree = temp.dir("tree");
  fs::create_directories(tree + "/" + std::string(90, 'd') + "/" + std::string(120, 'e'));
  put_file(tree + "/" + std::string(90, 'd') + "/" + std::string(120, 'e') + "/ä", "x");
  put_file(tree + "/plain", "text");
  fs::create_hard_link(tree + "/plain", tree + "/second");
  fs::create_symlink(std::string(180, 'l'), tree + "/link");
  shell("truncate -s 3M " + tree + "/holes; for at in 1 9 40 77 300 500; do printf data | dd of=" + tree +
        "/holes bs=4096 seek=$at conv=notrunc; done");
  for (const auto& item : fs::recursive_directory_iterator(tree)) set_mtime(item.path(), 1'500'000'000);
  set_mtime(tree + "/" + std::string(90, 'd'), 1'500'000'000);
  int number = 0;
  for (const char* format : {"--format=gnu", "--format=gnu -S", "--format=posix", "--format=posix -S",
                             "--format=posix -S --sparse-version=0.0", "--format=posix -S --sparse-version=0.1"}) {
    CAPTURE(format);
    auto archive = temp / "a.tar", target = temp.dir("t" + std::to_string(number++));
    REQUIRE(shell("tar -C " + tree + " " + format + " --numeric-owner -cf " + archive + " .") == "");
    auto result = must(apply_layer(archive, k_layer_tar, target));
    CHECK(difference(describe_tree(tree), describe_tree(target)) == "");
    // And the way back: GNU tar reads ours without a word.
    auto ours = temp / "b.tar";
    std::ofstream out(ours, std::ios::binary);
    must(diff_layer(target, {}, [&](std::string_view piece) -> Status {
      out << piece;
      return {};
    }));
    out.close();
    auto back = temp.dir("back" + std::to_string(number));
    CHECK(shell("tar -C " + back + " --numeric-owner -xpf " + ours) == "");
    CHECK(difference(describe_tree(tree), describe_tree(back)) == "");
  }
}

TEST_CASE("times can be clamped and names that mean deletions are refused") {
  if (!root_or_skip()) return;
  ScratchDir temp;
  auto tree = temp.dir("tree"), copy = temp.dir("copy");
  put_file(tree + "/new", "x");
  put_file(tree + "/old", "x");
  set_mtime(tree + "/old", 100);
  std::string tar;
  DiffOptions options;
  options.clamp_mtime = 1000;
  auto sink = [&](std::string_view piece) -> Status {
    tar += piece;
    return {};
  };
  must(diff_layer(tree, {}, sink, options));
  must(unpack(tar, copy));
  struct stat status {};
  REQUIRE(::stat((copy + "/new").c_str(), &status) == 0);
  CHECK(status.st_mtim.tv_sec == 1000);
  REQUIRE(::stat((copy + "/old").c_str(), &status) == 0);
  CHECK(status.st_mtim.tv_sec == 100);
  put_file(tree + "/.wh.x", "");
  CHECK(code_of(diff_layer(tree, {}, sink)) == ErrorCode::unsupported);
}

TEST_CASE("root and a user namespace make the same bytes") {
  if (!root_or_skip()) return;
  ScratchDir temp;
  ::chmod(temp.path().c_str(), 0755);
  auto tree = temp.dir("tree"), target = temp.dir("target");
  fs::create_directories(tree + "/dir/sub");
  put_file(tree + "/dir/tool", "x", 04755);
  const std::string capability{"\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20};
  REQUIRE(::lsetxattr((tree + "/dir/tool").c_str(), "security.capability", capability.data(), 20, 0) == 0);
  ::lsetxattr((tree + "/dir").c_str(), "user.note", "n", 1, 0);
  ::chown((tree + "/dir/sub").c_str(), 33, 44);
  std::string tar;
  must(diff_layer(tree, {}, [&](std::string_view piece) -> Status {
    tar += piece;
    return {};
  }));
  REQUIRE(::chown(target.c_str(), 100000, 100000) == 0);
  int ready[2], mapped[2];
  REQUIRE(::pipe(ready) == 0);
  REQUIRE(::pipe(mapped) == 0);
  auto digest_path = temp.dir("out") + "/digest";
  ::chown((temp / "out").c_str(), 100000, 100000);
  pid_t pid = ::fork();
  if (pid == 0) {
    char byte = ::unshare(CLONE_NEWUSER) == 0 ? 'y' : 'n';
    if (::write(ready[1], &byte, 1) != 1 || ::read(mapped[0], &byte, 1) != 1) ::_exit(1);
    if (::setgid(0) != 0 || ::setuid(0) != 0) ::_exit(2);
    ApplyOptions options;
    options.format = SnapshotNamespace::of_this_process().format;
    if (options.format != SnapshotFormat::user) ::_exit(3);
    if (!apply_layer(from(tar), k_layer_tar, target, options).ok()) ::_exit(4);
    DiffOptions diff;
    diff.format = options.format;
    auto again = diff_digest(target, {}, diff);
    if (!again) ::_exit(5);
    put_file(digest_path, again->diff_id.to_string());
    ::_exit(0);
  }
  char byte = 0;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  if (byte == 'y') {
    for (const char* map : {"/uid_map", "/gid_map"}) {
      std::ofstream("/proc/" + std::to_string(pid) + map) << "0 100000 65536\n";
    }
  }
  REQUIRE(::write(mapped[1], "x", 1) == 1);
  int status = 0;
  ::waitpid(pid, &status, 0);
  for (int fd : {ready[0], ready[1], mapped[0], mapped[1]}) ::close(fd);
  if (byte == 'n') {
    WARN("skipped: user namespaces cannot be made here");
    return;
  }
  REQUIRE(WEXITSTATUS(status) == 0);
  CHECK(read_text(digest_path) == digest_of(tar).to_string());
  struct stat there {};
  REQUIRE(::stat((target + "/dir/sub").c_str(), &there) == 0);
  CHECK(there.st_uid == 100033);
}
