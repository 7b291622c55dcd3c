#include <filesystem>

#include "executors/base/fs.h"
#include "runner/services/artifact_store.h"
#include "runner/services/cache_store.h"
#include "tests/support/catch.h"

using namespace drydock;
using namespace drydock::runner;

namespace {

constexpr std::chrono::hours k_day{24};
const Time k_now = Time(std::chrono::seconds(1'800'000'000));

struct StorePlace {
  explicit StorePlace(ServiceLimits limits = {})
      : directory(*TempDir::create()), db(*ServiceDb::open(directory.path())), live(*db->enter("100")),
        artifacts(*db, limits), caches(*db, limits) {}

  std::shared_ptr<Upload> upload(const std::string& text) {
    auto made = *Upload::create(live.directory + "/up", budget);
    auto piece = made->whole(text.size());
    REQUIRE(piece->write(text).ok());
    REQUIRE(piece->finish().ok());
    return made;
  }

  bool cache(const std::string& scope, const std::string& key, Time when = k_now, const std::string& text = "x",
             const std::string& version = "v") {
    CacheEntry entry{.id = 0, .repository = "o/r", .version = version, .scope = scope, .key = key, .size = text.size(), .created = when};
    return caches.add(entry, *upload(text)).ok();
  }

  std::string found(std::vector<std::string> scopes, std::vector<std::string> keys, Time when = k_now,
                    const std::string& version = "v", const std::string& repository = "o/r") {
    const auto entry = caches.find({.repository = repository, .read = std::move(scopes), .write = ""}, keys, version, when);
    REQUIRE(entry.ok());
    return *entry ? (*entry)->scope + ":" + (*entry)->key : "none";
  }

  Result<std::int64_t> artifact(const std::string& run, const std::string& name, const std::string& text = "x",
                                Time expires = k_now + 90 * k_day) {
    return artifacts.add({.id = 0, .run = run, .backend = "b" + run, .job = "j", .name = name, .size = text.size(),
                          .digest = "", .mime = "application/zip", .created = k_now, .expires = expires},
                         *upload(text));
  }

  std::string names(const std::string& backend) {
    const auto listed = artifacts.list({backend});
    std::string text;
    for (const auto& each : *listed) text += each.name + " ";
    return text;
  }

  TempDir directory;
  std::unique_ptr<ServiceDb> db;
  ServiceDb::Live live;
  ArtifactStore artifacts;
  CacheStore caches;
  UploadBudget budget{1 << 20};
};

}  // namespace

TEST_CASE("caches: the exact key, then the newest with the prefix, key by key and scope by scope") {
  StorePlace place;
  const auto later = [](int seconds) { return k_now + std::chrono::seconds(seconds); };
  REQUIRE(place.cache("main", "npm-linux-aaa", later(1)));
  REQUIRE(place.cache("main", "npm-linux-bbb", later(2)));
  REQUIRE(place.cache("main", "npm-linux-bb", later(0)));
  REQUIRE(place.cache("topic", "npm-linux-ccc", later(0)));
  REQUIRE(place.cache("other", "npm-linux-ddd", later(9)));
  REQUIRE(place.cache("main", "50%_off", later(0)));
  struct Row {
    std::vector<std::string> scopes, keys;
    std::string expected;
  };
  const Row rows[] = {
      {{"main"}, {"npm-linux-aaa"}, "main:npm-linux-aaa"},
      {{"main"}, {"npm-linux-bb"}, "main:npm-linux-bb"},
      {{"main"}, {"npm-linux-b"}, "main:npm-linux-bbb"},
      {{"main"}, {"npm-linux-zzz", "npm-linux-"}, "main:npm-linux-bbb"},
      {{"main"}, {"npm-linux-zzz", "npm-linux-a", "npm-"}, "main:npm-linux-aaa"},
      {{"main"}, {"npm-linux-zzz"}, "none"},
      {{"topic", "main"}, {"npm-linux-aaa", "npm-"}, "topic:npm-linux-ccc"},
      {{"topic", "main"}, {"npm-linux-aaa"}, "main:npm-linux-aaa"},
      {{"topic"}, {"npm-linux-ddd"}, "none"},
      {{"main"}, {"50%"}, "main:50%_off"},
      {{"main"}, {"%"}, "none"},
      {{"main"}, {"npm_linux-aaa"}, "none"},
      {{}, {"npm-linux-aaa"}, "none"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.keys);
    CHECK(place.found(row.scopes, row.keys) == row.expected);
  }
  CHECK(place.found({"main"}, {"npm-linux-aaa"}, k_now, "w") == "none");
  CHECK(place.found({"main"}, {"npm-linux-aaa"}, k_now, "v", "o/other") == "none");
}

TEST_CASE("a cache never changes") {
  StorePlace place;
  REQUIRE(place.cache("main", "k", k_now, "first"));
  CHECK_FALSE(place.cache("main", "k", k_now, "second"));
  CHECK(place.cache("topic", "k", k_now, "second"));
  CHECK(place.cache("main", "k", k_now, "second", "w"));
  CHECK(*read_file(place.directory.path() + "/services/caches/1") == "first");
  CHECK(place.caches.usage()->entries == 3);
}

TEST_CASE("the least used caches go when the quota is full, the unused ones with time") {
  StorePlace place({.cache_bytes = 30, .cache_unused_days = 7});
  for (int i = 0; i < 3; ++i) REQUIRE(place.cache("main", "k" + std::to_string(i), k_now + std::chrono::seconds(i), "0123456789"));
  CHECK(place.found({"main"}, {"k0"}, k_now + std::chrono::seconds(10)) == "main:k0");
  REQUIRE(place.cache("main", "k3", k_now + std::chrono::seconds(11), "0123456789"));
  CHECK(place.found({"main"}, {"k1"}, k_now + std::chrono::seconds(12)) == "none");
  CHECK(place.found({"main"}, {"k0"}, k_now + 6 * k_day) == "main:k0");
  CHECK(place.caches.evict(k_now + 8 * k_day)->entries == 2);
  CHECK(place.found({"main"}, {"k0"}, k_now + 8 * k_day) == "main:k0");
  CHECK(place.caches.usage()->bytes == 10);
}

TEST_CASE("a cache whose file is gone is not found") {
  StorePlace place;
  REQUIRE(place.cache("main", "k"));
  REQUIRE(remove_tree(place.directory.path() + "/services/caches/1").ok());
  CHECK(place.found({"main"}, {"k"}) == "none");
  CHECK(place.cache("main", "k"));
}

TEST_CASE("artifacts have one name in a run, and go by expiry") {
  StorePlace place;
  REQUIRE(place.artifact("100", "a").ok());
  CHECK(place.artifact("100", "a").error().code == ErrorCode::failed);
  REQUIRE(place.artifact("99", "a").ok());
  REQUIRE(place.artifact("100", "b", "y", std::chrono::system_clock::now() - std::chrono::seconds(1)).ok());
  CHECK(place.names("b100") == "a ");
  CHECK(place.artifacts.evict(std::chrono::system_clock::now())->entries == 1);
  const auto kept = place.artifacts.find(1);
  REQUIRE(kept->has_value());
  REQUIRE(place.artifacts.remove(1).ok());
  CHECK(place.names("b100").empty());
  CHECK_FALSE(exists(place.directory.path() + "/runs/100/artifacts/1"));
  CHECK(place.artifacts.open(**kept).error().code == ErrorCode::not_found);
}

TEST_CASE("ended runs make room for a living one, which is not touched") {
  StorePlace place({.artifact_bytes = 25});
  REQUIRE(place.artifact("98", "old", "0123456789").ok());
  REQUIRE(place.artifact("100", "a", "0123456789").ok());
  REQUIRE(place.artifact("100", "b", "0123456789").ok());
  CHECK(place.names("b98").empty());
  CHECK(place.artifact("100", "c", "0123456789").error().code == ErrorCode::permission);
  CHECK(place.names("b100") == "a b ");
}

TEST_CASE("names") {
  for (const auto* good : {"a", "my artifact", "grün", "a.b", "...", "-"}) CHECK(artifact_name_problem(good).empty());
  for (const auto& bad : {std::string(), std::string("."), std::string(".."), std::string("a/b"), std::string("a\\b"), std::string("a:b"),
                          std::string("a\"b"), std::string("a\nb"), std::string("a\0b", 3), std::string("\xff"), std::string(257, 'a')}) {
    CAPTURE(bad);
    CHECK_FALSE(artifact_name_problem(bad).empty());
  }
  CHECK(cache_key_problem("npm-../../x").empty());
  for (const auto& bad : {std::string(), std::string("a,b"), std::string("a\nb"), std::string(513, 'k'), std::string("a\0", 2)}) {
    CHECK_FALSE(cache_key_problem(bad).empty());
  }
}

TEST_CASE("what dead runs were uploading is swept away, what living ones upload stays") {
  TempDir directory = *TempDir::create();
  auto db = *ServiceDb::open(directory.path());
  {
    auto dead = *db->enter("1");
    REQUIRE(write_file_atomic(dead.directory + "/half", "x").ok());
    CHECK(db->lives("1"));
  }
  CHECK_FALSE(db->lives("1"));
  auto living = *db->enter("2");
  REQUIRE(write_file_atomic(living.directory + "/half", "x").ok());
  auto other = *ServiceDb::open(directory.path());
  auto third = *other->enter("3");
  CHECK_FALSE(exists(directory.path() + "/services/live/1"));
  CHECK(exists(living.directory + "/half"));
}

TEST_CASE("a newer form is refused") {
  TempDir directory = *TempDir::create();
  {
    auto db = *ServiceDb::open(directory.path());
    REQUIRE(db->database().execute("PRAGMA user_version=2").ok());
  }
  CHECK(ServiceDb::open(directory.path()).error().code == ErrorCode::unsupported);
}
