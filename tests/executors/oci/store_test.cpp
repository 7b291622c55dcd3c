#include "executors/oci/store.h"

#include "executors/oci/filehash.h"
#include "executors/oci/prune.h"
#include "executors/oci/records.h"
#include "executors/oci/snapshot.h"
#include "executors/oci/store_db.h"
#include "tests/executors/oci/store_support.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include <random>
#include <thread>

using namespace drydock;
using namespace drydock::oci;
using namespace drydock::oci::testing;

namespace {

/// Runs `work` in a child process; returns its pid.
template <class Work>
pid_t in_child(const Work& work) {
  pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    work();
    ::_exit(0);
  }
  return pid;
}

std::size_t files_in(const std::string& path) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(path), fs::directory_iterator()));
}

}  // namespace

TEST_CASE("blobs are seen when committed, and only with the right content") {
  ScratchDir temp;
  auto store = open_store(temp.path());
  auto digest = must(store->put_blob("hello"));
  CHECK(must(store->read_blob(digest)) == "hello");
  CHECK(read_text(store->blob_path(digest)) == "hello");
  CHECK(store->blob_size(digest) == 5u);
  {
    auto writer = must(store->write_blob());
    must(writer.write("never"));
  }
  CHECK_FALSE(store->has_blob(digest_of("never")));
  auto writer = must(store->write_blob());
  must(writer.write("wrong"));
  CHECK(code_of(writer.commit(digest_of("right"))) == ErrorCode::corrupted);
  CHECK(files_in(temp / "ingest") == 0);
  CHECK(code_of(store->read_blob(digest_of("absent"))) == ErrorCode::not_found);
  fs::permissions(store->blob_path(digest), fs::perms::owner_all);
  put_file(store->blob_path(digest), "hellO");
  CHECK(code_of(store->verify_blob(digest)) == ErrorCode::corrupted);
  CHECK_FALSE(store->has_blob(digest));
}

TEST_CASE("a store of a newer version is refused") {
  ScratchDir temp;
  must(open_store(temp.path())->database().execute("PRAGMA user_version=99"));
  auto opened = Store::open({.root = temp.path()});
  CHECK(code_of(opened) == ErrorCode::unsupported);
  CHECK(opened.error().message.find("newer drydock") != std::string::npos);
}

TEST_CASE("snapshots chain, commit once per chain id and reap what nobody owns") {
  if (!root_or_skip()) return;
  ScratchDir temp;
  auto store = open_store(temp.path());
  auto snapshots = must(SnapshotStore::open(*store));
  std::optional<SnapshotId> parent;
  for (int i = 0; i < 130; ++i) {
    auto snapshot = must(snapshots.prepare(parent));
    if (i == 0) ::chmod(snapshot.fs.c_str(), 0750);
    parent = must(snapshots.commit(snapshot.id, {}, digest_of("chain" + std::to_string(i)))).id;
  }
  auto chain = must(snapshots.chain(*parent));
  CHECK(chain.size() == 130);
  struct stat status {};
  REQUIRE(::stat(chain.front().c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0750);  // a layer's root looks like the one below
  auto twin = must(snapshots.prepare(parent));
  CHECK(must(snapshots.commit(twin.id, {}, digest_of("chain7"))).id != twin.id);
  CHECK_FALSE(fs::exists(fs::path(twin.fs).parent_path()));
  CHECK(must(snapshots.find_by_chain(digest_of("chain129"))).value().id == *parent);
  CHECK(code_of(snapshots.prepare(999999)) == ErrorCode::not_found);
  must(snapshots.sync_all());

  std::string left;
  {
    auto lease = must(store->lease("short"));
    left = must(snapshots.prepare(parent, &lease)).fs;
  }
  CHECK(fs::exists(left));
  auto again = must(SnapshotStore::open(*store));
  CHECK_FALSE(fs::exists(left));
  CHECK(must(again.chain(*parent)).size() == 130);
}

TEST_CASE("unsynced snapshots of another boot are discarded, synced ones stay") {
  if (!root_or_skip()) return;
  ScratchDir temp;
  auto store = open_store(temp.path());
  auto snapshots = must(SnapshotStore::open(*store));
  auto kept = must(snapshots.commit(must(snapshots.prepare({})).id)).id;
  must(snapshots.sync_all());
  auto lost = must(snapshots.commit(must(snapshots.prepare(kept)).id));
  must(Records(*store, &snapshots).put({.key = digest_of("k"), .snapshot = lost.id, .kind = "layer"}));
  must(store->database().execute("UPDATE snapshots SET boot_id='another'"));
  snapshots = must(SnapshotStore::open(*store));
  CHECK(must(snapshots.get(kept)).has_value());
  CHECK_FALSE(must(snapshots.get(lost.id)).has_value());
  CHECK_FALSE(fs::exists(lost.fs));
  CHECK_FALSE(must(Records(*store, &snapshots).find(digest_of("k"))).value().snapshot.has_value());
}

TEST_CASE("records, layers, images and sources come back as they were put") {
  if (!root_or_skip()) return;
  ScratchDir temp;
  auto store = open_store(temp.path());
  auto snapshots = must(SnapshotStore::open(*store));
  Records records(*store, &snapshots);
  auto snapshot = must(snapshots.commit(must(snapshots.prepare({})).id)).id;
  CacheRecord record{.key = digest_of("key"), .kind = "layer", .description = "RUN x", .extra = {{"schema", 1}}};
  record.snapshot = snapshot;
  record.parent = digest_of("parent");
  must(records.put(record));
  BlobInfo blob{"application/x", digest_of("blob"), 7, {{"a", "b"}}};
  must(records.put({.key = record.key, .diff_id = digest_of("diff"), .blob = blob, .kind = "layer",
                    .description = "RUN x", .extra = {{"schema", 1}}}));
  auto found = must(records.find(record.key)).value();
  CHECK(found.snapshot == snapshot);
  CHECK(found.parent == record.parent);
  CHECK(found.diff_id == digest_of("diff"));
  CHECK(found.blob->annotations == blob.annotations);
  CHECK(found.extra["schema"] == 1);
  CHECK_FALSE(must(records.find(digest_of("none"))).has_value());
  CHECK(must(records.list()).size() == 1);

  must(records.put_layer(digest_of("diff"), 10, {{Compression::gzip, blob}}));
  CHECK(must(records.find_layer(digest_of("diff"))).value().forms.at(0).blob.size == 7);
  CHECK(must(records.diff_id_of(blob.digest)) == digest_of("diff"));
  must(records.put_image({.name = "x:1", .target = blob, .contents = {digest_of("config")}}));
  CHECK(must(records.find_image("x:1")).value().contents.size() == 2);
  must(records.add_source(blob.digest, {"r:5000", "a/b"}));
  CHECK(must(records.sources(blob.digest)) == std::vector<RemoteSource>{{"r:5000", "a/b"}});
}

TEST_CASE("prune keeps what leases, records and images reach") {
  if (!root_or_skip()) return;
  ScratchDir temp;
  auto store = open_store(temp.path());
  auto snapshots = must(SnapshotStore::open(*store));
  Records records(*store, &snapshots);
  Digest held, recorded, imaged, loose;
  SnapshotId base = 0, top = 0, unused = 0;
  {
    auto lease = must(store->lease("build"));
    for (auto* digest : {&held, &recorded, &imaged, &loose}) {
      *digest = must(store->put_blob("blob" + std::to_string(digest - &held), &lease));
    }
    base = must(snapshots.commit(must(snapshots.prepare({}, &lease)).id, {}, {}, &lease)).id;
    top = must(snapshots.commit(must(snapshots.prepare(base, &lease)).id, {}, {}, &lease)).id;
    unused = must(snapshots.commit(must(snapshots.prepare(base, &lease)).id, {}, {}, &lease)).id;
    must(records.put({.key = digest_of("k"), .snapshot = top, .blob = BlobInfo{"t", recorded, 1, {}}, .kind = "layer"}));
    must(records.put_image({.name = "i", .target = {"t", imaged, 1, {}}, .contents = {}}));
    CHECK(must(prune(*store, {})).blobs == 0);  // all leased
  }
  // The store's own session held snapshots that were looked at; close it as a process would.
  store.reset();
  store = open_store(temp.path());
  auto lease = must(store->lease("other"));
  must(lease.protect_blob(held));
  auto result = must(prune(*store, {}));
  CHECK(result.blobs == 1);
  CHECK(result.snapshots == 1);
  CHECK(result.problems.empty());
  CHECK_FALSE(store->has_blob(loose));
  CHECK(store->has_blob(held));
  CHECK(store->has_blob(recorded));
  CHECK(store->has_blob(imaged));
  auto reopened = must(SnapshotStore::open(*store));
  CHECK_FALSE(fs::exists(store->root() + "/snapshots/root/" + std::to_string(unused)));
  CHECK(fs::exists(store->root() + "/snapshots/root/" + std::to_string(base)));
  CHECK(must(prune(*store, {.unused_for = std::chrono::hours(1)})).records == 0);
  result = must(prune(*store, {.all = true}));
  CHECK(result.records == 1);
  CHECK(result.images == 1);
  CHECK(result.snapshots == 2);
  CHECK(must(disk_usage(*store)).blobs == 1);
  lease = must(store->lease("none"));
  CHECK(must(prune(*store, {.keep_bytes = 0})).blobs == 1);
}

TEST_CASE("the leases of a killed process are void") {
  ScratchDir temp;
  (void)open_store(temp.path());
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  auto pid = in_child([&] {
    auto store = Store::open({.root = temp.path()}).value().release();
    auto digest = store->put_blob("of the child");
    (void)!::write(ready[1], "x", 1);
    ::pause();
  });
  char byte;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  CHECK(must(prune(*open_store(temp.path()), {.all = true})).blobs == 0);
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  CHECK(must(prune(*open_store(temp.path()), {.all = true})).blobs == 1);
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_CASE("many processes write and prune one store") {
  ScratchDir temp;
  std::vector<pid_t> children;
  for (int child = 0; child < 4; ++child) {
    children.push_back(in_child([&] {
      auto store = Store::open({.root = temp.path()});
      if (!store) ::_exit(1);
      for (int i = 0; i < 25; ++i) {
        auto digest = (*store)->put_blob("shared " + std::to_string(i));
        if (!digest || (i % 8 == child && !prune(**store, {.all = true}).ok())) ::_exit(2);
        if (!(*store)->read_blob(*digest).ok()) ::_exit(3);
      }
    }));
  }
  for (auto pid : children) {
    int status = 0;
    ::waitpid(pid, &status, 0);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
  }
}

TEST_CASE("a kill at any instant leaves a whole store") {
  if (!root_or_skip()) return;
  ScratchDir temp;
  std::mt19937 random(42);
  (void)open_store(temp.path());
  for (int round = 0; round < 25; ++round) {
    auto pid = in_child([&] {
      auto opened = Store::open({.root = temp.path()});
      if (!opened) ::_exit(1);
      auto& store = **opened;
      auto space = SnapshotStore::open(store);
      if (!space) ::_exit(1);
      Records records(store, &*space);
      std::optional<SnapshotId> parent;
      for (int i = 0;; ++i) {
        auto name = std::to_string(round) + "." + std::to_string(i);
        auto blob = store.put_blob(std::string(20'000, static_cast<char>('a' + i % 26)) + name);
        auto snapshot = space->prepare(parent);
        if (!blob || !snapshot) ::_exit(1);
        put_file(snapshot->fs + "/file", name);
        auto done = space->commit(snapshot->id, digest_of(name), digest_of("chain" + name));
        if (!done) ::_exit(1);
        parent = done->id;
        (void)records.put({.key = digest_of(name), .snapshot = done->id, .blob = BlobInfo{"t", *blob, 1, {}},
                           .kind = "layer", .description = name});
        if (i % 7 == 6) (void)prune(store, {.all = true});
      }
    });
    std::this_thread::sleep_for(std::chrono::microseconds(500 + random() % 40'000));
    ::kill(pid, SIGKILL);
    int status = 0;
    ::waitpid(pid, &status, 0);
    REQUIRE(WIFSIGNALED(status));

    auto store = open_store(temp.path());
    auto snapshots = must(SnapshotStore::open(*store));
    Records records(*store, &snapshots);
    CHECK(files_in(temp / "ingest") == 0);
    for (const auto& blob : fs::directory_iterator(temp / "blobs/sha256")) {
      CHECK(must(digest_of_file(blob.path())).hex() == blob.path().filename().string());
    }
    std::size_t directories = 0;
    for (const auto& record : must(records.list())) {
      CHECK(store->has_blob(record.blob->digest));
      REQUIRE(record.snapshot.has_value());
      auto chain = must(snapshots.chain(*record.snapshot));
      directories = std::max(directories, chain.size());
      CHECK(read_text(chain.front() + "/file") == record.description);
    }
    for (const auto& directory : fs::directory_iterator(temp / "snapshots/root")) {
      auto found = must(snapshots.get(std::stoll(directory.path().filename().string())));
      CHECK((found && found->committed));
    }
  }
  // All of it can go: nothing is held by the dead.
  auto store = open_store(temp.path());
  CHECK(must(prune(*store, {.all = true})).problems.empty());
  auto usage = must(disk_usage(*store));
  CHECK(usage.blobs + usage.snapshots + usage.records == 0);
}

TEST_CASE("file hashes are remembered until the file changes") {
  ScratchDir temp;
  auto store = open_store(temp / "store");
  FileHashes hashes(*store);
  std::vector<std::string> paths;
  for (int i = 0; i < 300; ++i) {
    paths.push_back(temp / ("f" + std::to_string(i)));
    put_file(paths.back(), "content " + std::to_string(i));
  }
  FileHashCounts counts;
  auto first = must(hashes.hash(paths, {}, &counts));
  CHECK(counts.hashed == 300);
  CHECK(first[7].digest == digest_of("content 7"));
  CHECK(first[7].size == 9);
  must(hashes.hash(paths, {}, &counts));
  CHECK(counts.remembered == 0);  // too young to be trusted
  std::this_thread::sleep_for(std::chrono::milliseconds(2200));
  must(hashes.hash(paths, {}, &counts));
  CHECK(counts.hashed == 300);
  CHECK(must(hashes.hash(paths, {}, &counts))[299].digest == first[299].digest);
  CHECK(counts.remembered == 300);
  put_file(paths[3], "CONTENT 3");
  CHECK(must(hashes.hash(paths, {}, &counts))[3].digest == digest_of("CONTENT 3"));
  CHECK(counts.hashed == 1);
  CHECK(code_of(hashes.hash({temp.path()})) == ErrorCode::invalid_input);
  CHECK(code_of(hashes.hash({temp / "absent"})) == ErrorCode::not_found);
}
