#include "executors/build/step_keys.h"

#include <sys/stat.h>

#include "tests/executors/build/support.h"

using namespace drydock;
using namespace drydock::build;

namespace {

const auto k_parent = oci::digest_of("parent");
const Platform k_platform{"linux", "amd64", "", ""};

struct RunCase {
  Step step;
  RunPlan plan;
  Platform platform = k_platform;
  std::vector<oci::Digest> mounts;
  std::vector<std::string> hosts;
  oci::Digest parent = k_parent;

  RunCase() {
    step.title = "RUN make";
    step.directory = "/src";
    step.user = "app";
    plan.arguments = {"/bin/sh", "-c", "make"};
    plan.env = {"PATH=/bin", "A=1"};
  }
  oci::Digest key() const { return run_key(parent, step, plan, platform, mounts, hosts); }
};

struct CopyCase {
  Step step;
  CopyPlan plan;
  oci::Digest parent = k_parent, content = oci::digest_of("content");

  CopyCase() {
    plan.transfer.sources = {"a", "b"};
    plan.transfer.destination = "/x/";
    plan.destination = "/x";
    plan.into_directory = true;
  }
  oci::Digest key() const { return copy_key(parent, step, plan, content); }
  oci::Digest definition() const { return copy_definition_key(parent, step, plan, content); }
};

template <class Case, class Change>
bool changes(Change change) {
  Case plain, changed;
  change(changed);
  return plain.key() != changed.key();
}

}  // namespace

TEST_CASE("what changes the key of a RUN and what does not") {
  const auto change = [](auto what) { return changes<RunCase>(what); };
  CHECK(change([](RunCase& c) { c.parent = oci::digest_of("other"); }));
  CHECK(change([](RunCase& c) { c.plan.arguments = {"/bin/sh", "-c", "make all"}; }));
  CHECK(change([](RunCase& c) { c.plan.arguments = {"/bin/sh", "-c make"}; }));
  CHECK(change([](RunCase& c) { c.plan.env = {"A=1", "PATH=/bin"}; }));
  CHECK(change([](RunCase& c) { c.plan.env.push_back("B=2"); }));
  CHECK(change([](RunCase& c) { c.step.directory = "/"; }));
  CHECK(change([](RunCase& c) { c.step.user = ""; }));
  CHECK(change([](RunCase& c) { c.platform.architecture = "arm64"; }));
  CHECK(change([](RunCase& c) { c.plan.network = parser::dockerfile::NetworkMode::none; }));
  CHECK(change([](RunCase& c) { c.plan.security = parser::dockerfile::SecurityMode::insecure; }));
  CHECK(change([](RunCase& c) {
    c.plan.script = parser::dockerfile::InlineFile{"EOF", "#!/bin/sh\n", false};
  }));
  CHECK(change([](RunCase& c) { c.hosts = {"a:1.2.3.4"}; }));
  CHECK(change([](RunCase& c) { c.mounts = {oci::digest_of("source")}; }));
  CHECK(change([](RunCase& c) { c.plan.mounts.push_back({}); }));

  // For people, and what is in no key by promise.
  CHECK_FALSE(change([](RunCase& c) { c.step.title = "RUN other title"; }));
  CHECK_FALSE(change([](RunCase& c) { c.step.place = {"Dockerfile", 7, 1}; }));
  CHECK_FALSE(change([](RunCase& c) { c.plan.hidden_env = {"HTTP_PROXY=http://p"}; }));
  CHECK_FALSE(change([](RunCase& c) { c.plan.script_path = "/dev/pipes/EOF"; }));
}

TEST_CASE("every field of a mount counts") {
  const auto with = [](auto set) {
    RunCase run;
    StepMount mount;
    mount.mount.target = "/t";
    set(mount.mount);
    run.plan.mounts = {mount};
    return run.key();
  };
  using parser::dockerfile::Mount;
  const auto plain = with([](Mount&) {});
  CHECK(plain == with([](Mount&) {}));
  CHECK(plain != with([](Mount& m) { m.type = Mount::Type::cache; }));
  CHECK(plain != with([](Mount& m) { m.source = "/s"; }));
  CHECK(plain != with([](Mount& m) { m.target = "/u"; }));
  CHECK(plain != with([](Mount& m) { m.read_only = false; }));
  CHECK(plain != with([](Mount& m) { m.id = "id"; }));
  CHECK(plain != with([](Mount& m) { m.env = "TOKEN"; }));
  CHECK(plain != with([](Mount& m) { m.mode = 0600; }));
  CHECK(plain != with([](Mount& m) { m.uid = 1; }));
  CHECK(plain != with([](Mount& m) { m.gid = 1; }));
}

TEST_CASE("what changes the key of a COPY and what does not") {
  const auto change = [](auto what) { return changes<CopyCase>(what); };
  CHECK(change([](CopyCase& c) { c.parent = oci::digest_of("other"); }));
  CHECK(change([](CopyCase& c) { c.content = oci::digest_of("other"); }));
  CHECK(change([](CopyCase& c) { c.plan.destination = "/y"; }));
  CHECK(change([](CopyCase& c) { c.plan.into_directory = false; }));
  CHECK(change([](CopyCase& c) { c.plan.transfer.chown = "1:1"; }));
  CHECK(change([](CopyCase& c) { c.plan.transfer.chmod = "755"; }));
  CHECK(change([](CopyCase& c) { c.plan.transfer.link = true; }));
  CHECK(change([](CopyCase& c) { c.plan.transfer.exclude = {"*.log"}; }));
  CHECK(change([](CopyCase& c) { c.plan.parents = true; }));
  CHECK(change([](CopyCase& c) { c.plan.add = true; }));
  CHECK(change([](CopyCase& c) { c.plan.unpack = true; }));
  // By content: neither where the files come from nor who is USER.
  CHECK_FALSE(change([](CopyCase& c) { c.step.user = "app"; }));
  CHECK_FALSE(change([](CopyCase& c) { c.step.title = "COPY x y"; }));
  CHECK_FALSE(change([](CopyCase& c) { c.plan.source.kind = FileSource::Kind::stage; }));
  CHECK_FALSE(change([](CopyCase& c) { c.plan.transfer.sources = {"other", "names"}; }));
}

TEST_CASE("COPY --link does not depend on what is below, unless it must look up a name there") {
  const auto moves_with_parent = [](const std::string& chown) {
    CopyCase a, b;
    for (auto* c : {&a, &b}) {
      c->plan.transfer.link = true;
      c->plan.transfer.chown = chown;
    }
    b.parent = oci::digest_of("other");
    return a.key() != b.key();
  };
  CHECK_FALSE(moves_with_parent(""));
  CHECK_FALSE(moves_with_parent("1000:1000"));
  CHECK(moves_with_parent("app"));
  CHECK(moves_with_parent("0:staff"));
}

TEST_CASE("definitions and contents have keys of their own") {
  CopyCase copy;
  CHECK(copy.key() != copy.definition());
  auto other = copy;
  other.plan.transfer.sources = {"a", "c"};
  CHECK(other.definition() != copy.definition());
  CHECK(other.key() == copy.key());
}

TEST_CASE("bases and directories") {
  const auto one = oci::digest_of("1"), two = oci::digest_of("2");
  CHECK(base_key({one, two}) != base_key({two, one}));
  CHECK(base_key({}) == scratch_key());
  CHECK(directory_key(one, "/a", "") != directory_key(one, "/b", ""));
  CHECK(directory_key(one, "/a", "") != directory_key(two, "/a", ""));
  CHECK(directory_key(one, "/a", "app") != directory_key(one, "/a", ""));
}

TEST_CASE("digests of trees: content, types, modes and links count, times and inodes do not") {
  const auto entry = [](const std::string& path, unsigned mode) {
    TreeEntry made;
    made.path = path;
    made.mode = mode;
    return made;
  };
  const std::vector<TreeEntry> plain{entry("", S_IFDIR | 0755), entry("a", S_IFREG | 0644)};
  const std::vector<oci::FileHash> hashes{{oci::digest_of("a"), 1}};
  const auto digest = tree_digest(plain, hashes, Ownership::ignored);
  const auto with = [&](auto change, Ownership ownership = Ownership::ignored) {
    auto entries = plain;
    change(entries[1]);
    return tree_digest(entries, hashes, ownership);
  };
  CHECK(with([](TreeEntry& e) { e.mtime_ns = 5, e.ctime_ns = 6, e.inode = 7, e.device = 8; }) == digest);
  CHECK(with([](TreeEntry& e) { e.uid = 5; }) == digest);
  CHECK(with([](TreeEntry& e) { e.uid = 5; }, Ownership::counts) !=
        with([](TreeEntry&) {}, Ownership::counts));
  CHECK(with([](TreeEntry& e) { e.gid = 5; }, Ownership::counts) !=
        with([](TreeEntry&) {}, Ownership::counts));
  CHECK(with([](TreeEntry& e) { e.mode = S_IFREG | 0755; }) != digest);
  CHECK(with([](TreeEntry& e) { e.path = "b"; }) != digest);
  CHECK(tree_digest(plain, {{oci::digest_of("b"), 1}}, Ownership::ignored) != digest);

  auto link = entry("l", S_IFLNK | 0777);
  link.link = "a";
  auto other = link;
  other.link = "b";
  CHECK(tree_digest({link}, {}, Ownership::ignored) != tree_digest({other}, {}, Ownership::ignored));
  auto mode = link;
  mode.mode = S_IFLNK | 0755;
  CHECK(tree_digest({link}, {}, Ownership::ignored) == tree_digest({mode}, {}, Ownership::ignored));
}

// A change here makes every cache in the world miss: raise k_key_schema and remake these on purpose only.
TEST_CASE("keys stay what they were") {
  CHECK(scratch_key().to_string() ==
        "sha256:4e08bf373d36a5af41e463a0aeb052f11a9cb511aa9f0e3992f3c92a160f62a7");
  CHECK(RunCase().key().to_string() ==
        "sha256:68408fc59804f4d8390118f7746704c96608fa48ed1c97103ba60fe5508ec999");
  CHECK(CopyCase().key().to_string() ==
        "sha256:38412ee9b65feeec153561ae51bec59a1197d6caa7f5f2b6b60c60896277f3c5");
  CHECK(CopyCase().definition().to_string() ==
        "sha256:4786c0fb1ce0e270b1642728372e65dda1c6a3d6ca0eee22d785e9377a1167aa");
  CHECK(directory_key(k_parent, "/app", "").to_string() ==
        "sha256:e9a26356ccfd7358c9e8ed9fd48952d4178ddc5dca3fe17d7af299755d7f8530");
  TreeEntry file;
  file.path = "a";
  file.mode = S_IFREG | 0644;
  CHECK(tree_digest({file}, {{oci::digest_of("a"), 1}}, Ownership::ignored).to_string() ==
        "sha256:20a898ac5422413e291e4b4fbe87dd2c264843204d77f37fd287da6b351a31b4");
}
