#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <vector>

#include "executors/actions/artifact_files.h"
#include "executors/actions/cache_archive.h"
#include "executors/actions/file_task.h"
#include "executors/actions/zip_file.h"
#include "executors/base/process.h"
#include "executors/oci/digest.h"
#include "tests/executors/actions/support.h"

using namespace drydock;
using namespace drydock::actions;
using namespace drydock::actions::test;
namespace fs = std::filesystem;

namespace {

void write(const std::string& path, const std::string& text) {
  fs::create_directories(fs::path(path).parent_path());
  REQUIRE(write_file_atomic(path, text).ok());
}

/// Everything below, sorted: "a/b=text ".
std::string listing(const std::string& root) {
  std::vector<std::string> lines;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    const auto name = fs::relative(entry.path(), root).string();
    if (entry.is_symlink()) lines.push_back(name + "->" + fs::read_symlink(entry.path()).string());
    else if (entry.is_directory()) lines.push_back(name + "/");
    else lines.push_back(name + "=" + text_of(entry.path().string()));
  }
  std::sort(lines.begin(), lines.end());
  std::string text;
  for (const auto& line : lines) text += line + " ";
  return text;
}

struct Entry {
  std::string name, text;
  mode_t type = AE_IFREG;
  std::string link;
};

/// A zip that says what it is told to, hostile or not.
void make_zip(const std::string& path, const std::vector<Entry>& entries) {
  auto* zip = archive_write_new();
  archive_write_set_format_zip(zip);
  REQUIRE(archive_write_open_filename(zip, path.c_str()) == ARCHIVE_OK);
  for (const auto& each : entries) {
    auto* entry = archive_entry_new();
    archive_entry_set_pathname(entry, each.name.c_str());
    archive_entry_set_filetype(entry, each.type);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, static_cast<la_int64_t>(each.text.size()));
    if (!each.link.empty()) archive_entry_set_symlink(entry, each.link.c_str());
    REQUIRE(archive_write_header(zip, entry) == ARCHIVE_OK);
    if (!each.text.empty()) archive_write_data(zip, each.text.data(), each.text.size());
    archive_entry_free(entry);
  }
  archive_write_close(zip);
  archive_write_free(zip);
}

}  // namespace

TEST_CASE("a zip comes back as it was, at every level") {
  const auto place = temporary();
  write(place.path() + "/in/a.txt", "ahoy");
  write(place.path() + "/in/sub/größe ⚓.txt", std::string(100'000, 'x'));
  write(place.path() + "/in/empty", "");
  for (const int level : {0, 1, 6, 9}) {
    const auto zip = place.path() + "/z" + std::to_string(level), out = place.path() + "/out" + std::to_string(level);
    const auto written = write_zip(zip, {{place.path() + "/in/a.txt", "a.txt"},
                                         {place.path() + "/in/sub/größe ⚓.txt", "sub/größe ⚓.txt"},
                                         {place.path() + "/in/empty", "empty"}}, level);
    REQUIRE(written.ok());
    CHECK(written->size == fs::file_size(zip));
    CHECK(written->sha256 == oci::digest_of_file(zip)->hex());
    CHECK((written->size > 100'000) == (level == 0));
    const auto files = extract_zip(zip, out);
    REQUIRE(files.ok());
    CHECK(*files == 3);
    CHECK(listing(out) == listing(place.path() + "/in"));
  }
}

TEST_CASE("hostile zips change nothing outside") {
  const auto place = temporary();
  const auto target = place.path() + "/deep/target";
  write(place.path() + "/outside", "safe");
  const std::vector<Entry> rows[] = {
      {{"../outside", "evil"}},
      {{"a/../../../outside", "evil"}},
      {{"/outside", "evil"}},
      {{"a/..", "evil"}},
      {{"..", "evil"}},
      {{"link", "", AE_IFLNK, "../../outside"}},
      {{"link", "", AE_IFLNK, "/etc"}, {"link/x", "evil"}},
      {{std::string(5000, 'a'), "evil"}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.front().name);
    make_zip(place.path() + "/z", row);
    CHECK(extract_zip(place.path() + "/z", target).error().code == ErrorCode::corrupted);
    CHECK(text_of(place.path() + "/outside") == "safe");
    CHECK(listing(target).empty());
  }
  CHECK(extract_zip(place.path() + "/none", target).error().code == ErrorCode::not_found);
  write(place.path() + "/garbage", std::string(1000, 'g'));
  CHECK(extract_zip(place.path() + "/garbage", target).error().code == ErrorCode::corrupted);
}

TEST_CASE("links that lie in the target lead nowhere outside") {
  const auto place = temporary();
  const auto target = place.path() + "/target";
  write(place.path() + "/outside/file", "safe");
  fs::create_directories(target + "/inner");
  fs::create_symlink("../outside", target + "/out");
  fs::create_symlink("../outside/file", target + "/direct");
  fs::create_symlink("inner", target + "/in");
  make_zip(place.path() + "/z", {{"in/a", "fine"}});
  REQUIRE(extract_zip(place.path() + "/z", target).ok());
  CHECK(text_of(target + "/inner/a") == "fine");
  for (const auto* name : {"out/file", "out/new", "out/new/deeper", "direct"}) {
    make_zip(place.path() + "/z", {{name, "evil"}});
    CHECK(extract_zip(place.path() + "/z", target).error().code == ErrorCode::corrupted);
  }
  CHECK(listing(place.path() + "/outside") == "file=safe ");
}

namespace {

std::uint32_t crc32(std::string_view bytes, std::uint32_t crc = 0) {
  crc = ~crc;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320U : 0);
  }
  return ~crc;
}

template <class Number>
std::string little(Number value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

/// Version, flags, deflate, time, checksum, sizes, length of the name: the same in both directories.
std::string common_header(std::uint32_t crc, std::uint32_t packed, std::uint32_t size, std::size_t name) {
  return little<std::uint16_t>(20) + little<std::uint16_t>(0) + little<std::uint16_t>(8) + little<std::uint32_t>(0) + little(crc) +
         little(packed) + little(size) + little(static_cast<std::uint16_t>(name)) + little<std::uint16_t>(0);
}

/// Overlapping files (Fifield, "A better zip bomb"): each one's data quotes the header of the next, and all end in
/// the same compressed bytes. Only the first checksum is right.
std::string overlapping_bomb(const std::string& kernel, std::uint32_t kernel_size, std::uint32_t first_crc_of_zeros(std::string_view)) {
  constexpr std::size_t k_files = 40;
  std::string body, plain_prefix, central;
  std::string tail = kernel;
  for (std::size_t i = k_files; i-- > 0;) {
    const auto name = "file" + std::to_string(100 + i);
    const auto size = static_cast<std::uint32_t>(plain_prefix.size()) + kernel_size;
    const auto crc = i == 0 ? first_crc_of_zeros(plain_prefix) : 0;
    const auto common = common_header(crc, static_cast<std::uint32_t>(tail.size()), size, name.size());
    const auto header = "PK\x03\x04" + common + name;
    central = "PK\x01\x02" + little<std::uint16_t>(20) + common + little<std::uint16_t>(0) + little<std::uint16_t>(0) +
              little<std::uint16_t>(0) + little<std::uint32_t>(0) + std::string("@@@@") + name + central;
    body = header + tail;
    plain_prefix = header + plain_prefix;
    // A stored block that is not the last: the header of this file, as data of the one before.
    const auto length = static_cast<std::uint16_t>(header.size());
    tail = std::string(1, '\0') + little(length) + little(static_cast<std::uint16_t>(~length)) + header + tail;
  }
  for (std::size_t i = 0, at = 0; i < k_files; ++i) {
    at = body.find("PK\x03\x04", i == 0 ? 0 : at + 4);
    central.replace(central.find("@@@@"), 4, little(static_cast<std::uint32_t>(at)));
  }
  const auto count = little(static_cast<std::uint16_t>(k_files));
  return body + central + "PK\x05\x06" + std::string(4, '\0') + count + count + little(static_cast<std::uint32_t>(central.size())) +
         little(static_cast<std::uint32_t>(body.size())) + std::string(2, '\0');
}

constexpr std::uint32_t k_zeros = 8 << 20;

}  // namespace

TEST_CASE("a bomb is stopped: no honest zip grows so much") {
  const auto place = temporary();
  write(place.path() + "/zeros", std::string(k_zeros, '\0'));
  REQUIRE(write_zip(place.path() + "/honest", {{place.path() + "/zeros", "zeros"}}, 9).ok());
  CHECK(extract_zip(place.path() + "/honest", place.path() + "/out").ok());
  const auto honest = text_of(place.path() + "/honest");
  std::uint32_t packed = 0;
  std::uint16_t name = 0, extra = 0;
  std::memcpy(&packed, honest.data() + honest.rfind("PK\x01\x02") + 20, 4);
  std::memcpy(&name, honest.data() + 26, 2);
  std::memcpy(&extra, honest.data() + 28, 2);
  const auto bomb = overlapping_bomb(honest.substr(30U + name + extra, packed), k_zeros, [](std::string_view before) {
    return crc32(std::string(k_zeros, '\0'), crc32(before));
  });
  write(place.path() + "/bomb", bomb);
  REQUIRE(bomb.size() < 20'000);
  const auto refused = extract_zip(place.path() + "/bomb", place.path() + "/bombed");
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message == "the archive becomes larger than it can be by honest means");
  std::uint64_t written = 0;
  for (const auto& entry : fs::recursive_directory_iterator(place.path() + "/bombed")) written += entry.file_size();
  CHECK(written < 30ULL << 20);
}

TEST_CASE("a zip whose content was changed is corrupted") {
  const auto place = temporary();
  write(place.path() + "/a", "ahoy");
  for (const int level : {0, 6}) {
    REQUIRE(write_zip(place.path() + "/z", {{place.path() + "/a", "a"}}, level).ok());
    auto text = text_of(place.path() + "/z");
    text[text.rfind("PK\x01\x02") + 16] ^= 1;  // the checksum
    if (level == 0) text.replace(text.find("ahoy"), 4, "evil");
    write(place.path() + "/z", text);
    const auto extracted = extract_zip(place.path() + "/z", place.path() + "/out");
    CAPTURE(level);
    REQUIRE_FALSE(extracted.ok());
    CHECK(extracted.error().code == ErrorCode::corrupted);
  }
}

TEST_CASE("a cache's archive brings back files, links, modes and times, also outside of the workspace") {
  for (const auto compression : {CacheCompression::zstd, CacheCompression::gzip}) {
    const auto place = temporary();
    const auto work = place.path() + "/work";
    write(work + "/node_modules/a/index.js", "a");
    write(work + "/run", "#!/bin/sh\n");
    write(place.path() + "/home/.npm/é", "cached");
    REQUIRE(::chmod((work + "/run").c_str(), 0755) == 0);
    fs::create_symlink("../run", work + "/node_modules/link");
    fs::create_hard_link(work + "/run", work + "/same");
    const auto archive = place.path() + "/cache";
    const auto written = write_cache_archive(archive, work, {"node_modules", "run", "same", "../home/.npm"}, compression);
    REQUIRE(written.ok());
    const auto before = listing(place.path());
    const auto time = fs::last_write_time(work + "/run");
    fs::remove_all(work);
    fs::remove_all(place.path() + "/home");
    write(work + "/run", "in the way");
    REQUIRE(extract_cache_archive(archive, work).ok());
    CHECK(listing(place.path()) == before);
    CHECK((fs::status(work + "/run").permissions() & fs::perms::owner_exec) != fs::perms::none);
    CHECK(fs::last_write_time(work + "/run") == time);
    CHECK(fs::hard_link_count(work + "/run") == 2);
  }
}

TEST_CASE("a cache's archive is GNU tar's, and GNU tar's is ours") {
  const auto place = temporary();
  const auto work = place.path() + "/work";
  write(work + "/a/b", "ahoy");
  REQUIRE(write_cache_archive(place.path() + "/ours", work, {"a"}, CacheCompression::gzip).ok());
  fs::create_directories(place.path() + "/theirs");
  REQUIRE(run_process({.argv = {"tar", "-xf", place.path() + "/ours", "-P", "-C", place.path() + "/theirs", "-z"}})->exit_code == 0);
  CHECK(listing(place.path() + "/theirs") == "a/ a/b=ahoy ");
  REQUIRE(run_process({.argv = {"tar", "--posix", "-cf", place.path() + "/made", "-P", "-C", work, "-z", "a"}})->exit_code == 0);
  REQUIRE(extract_cache_archive(place.path() + "/made", place.path() + "/back").ok());
  CHECK(listing(place.path() + "/back") == "a/ a/b=ahoy ");
}

TEST_CASE("versions of caches are those of @actions/cache") {
  // sha256("node_modules|zstd-without-long|1.0"), sha256("a|b|gzip|1.0")
  CHECK(cache_version({"node_modules"}, CacheCompression::zstd) == oci::digest_of("node_modules|zstd-without-long|1.0").hex());
  CHECK(cache_version({"a", "b"}, CacheCompression::gzip) == oci::digest_of("a|b|gzip|1.0").hex());
}

TEST_CASE("the root of an artifact") {
  const auto place = temporary();
  const auto root = fs::canonical(place.path()).string();
  for (const auto* file : {"dist/app.js", "dist/lib/x.js", "docs/index.html", "docs/.hidden", "one.txt"}) write(root + "/" + file, "x");
  struct Row {
    const char* patterns;
    bool hidden;
    std::string expected;
  };
  const Row rows[] = {
      {"dist", false, "app.js lib/x.js "},
      {"dist/*.js", false, "app.js "},
      {"dist/lib/x.js", false, "x.js "},
      {"dist/**/x.js", false, "lib/x.js "},
      {"dist\ndocs", false, "dist/app.js dist/lib/x.js docs/index.html "},
      {"dist\ndocs\n!**/*.html", true, "dist/app.js dist/lib/x.js docs/.hidden "},
      {"one.txt\ndist/lib", false, "one.txt dist/lib/x.js "},
      {".", false, "dist/app.js dist/lib/x.js docs/index.html one.txt "},
      {"none", false, ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.patterns);
    const auto found = find_artifact_files(row.patterns, root, "/home/x", row.hidden);
    REQUIRE(found.ok());
    const auto sources = zip_sources(*found);
    REQUIRE(sources.ok());
    std::string names;
    for (const auto& source : *sources) names += source.name + " ";
    CHECK(names == row.expected);
  }
  CHECK(common_root({"/a/b/c", "/a/b/d/e"}) == "/a/b");
  CHECK(common_root({"/a", "/b"}) == "/");
  CHECK(common_root({"/a/bc", "/a/bd"}) == "/a");
  write(root + "/bad/a:b", "x");
  CHECK(zip_sources(*find_artifact_files("bad", root, "", true)).error().message.find(" Colon :") != std::string::npos);
  CHECK(artifact_name_refusal("a/b").find(" Forward slash /") != std::string::npos);
  CHECK(artifact_name_refusal("good name").empty());
}

TEST_CASE("a file task through its pipe is the same as here") {
  const auto place = temporary();
  write(place.path() + "/work/a", "ahoy");
  int in[2], out[2];
  REQUIRE(::pipe(in) == 0);
  REQUIRE(::pipe(out) == 0);
  const auto ask = [&](const std::string& text) {
    REQUIRE(::write(in[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    ::close(in[1]);
    CHECK(serve_file_task(in[0], out[1]) == 0);
    std::string answer(4096, '\0');
    answer.resize(static_cast<std::size_t>(::read(out[0], answer.data(), answer.size())));
    return Json::parse(answer);
  };
  const auto answer = ask(Json{{"schema", 1}, {"kind", 0}, {"archive", place.path() + "/z"}, {"directory", place.path() + "/work"}, {"patterns", "a"}}.dump());
  CHECK(answer["files"] == 1);
  CHECK(answer["sha256"].get<std::string>() == oci::digest_of_file(place.path() + "/z")->hex());
  REQUIRE(::pipe(in) == 0);
  CHECK(ask("{}").contains("error"));
}
