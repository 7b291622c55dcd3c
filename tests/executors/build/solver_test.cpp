// Whole builds without RUN: what is done, what is found, what changes what. They mount overlays, so as root
// only.

#include <thread>

#include "executors/base/process.h"
#include "executors/build/stage_solver.h"
#include "tests/executors/build/support.h"

using namespace drydock;
using namespace drydock::build;
using namespace drydock::build::test;
namespace fs = std::filesystem;

namespace {

using Names = std::vector<std::string>;

bool contains(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

int run_count(const EngineResult& result) {
  int count = 0;
  for (const auto& leg : result.legs) count += leg.result.steps_run;
  return count;
}
int cached_count(const EngineResult& result) {
  int count = 0;
  for (const auto& leg : result.legs) count += leg.result.steps_cached;
  return count;
}

#define NEEDS_ROOT() \
  if (!is_root()) return skipped("overlays of the machine need root")

}  // namespace

TEST_CASE("single flight: a key is made once, everybody gets it") {
  SingleFlight flights;
  const auto key = oci::digest_of("key");
  std::atomic<int> made{0}, shared{0};
  std::vector<LayerPtr> layers(16);
  std::vector<std::thread> threads;
  for (auto& layer : layers) {
    threads.emplace_back([&] {
      auto answer = flights.run(key, [&]() -> Result<LayerPtr> {
        ++made;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        return std::make_shared<LayerRef>();
      });
      if (answer.shared) ++shared;
      layer = answer.layer.ok() ? *answer.layer : LayerPtr{};
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(made == 1);
  CHECK(shared == 15);
  for (const auto& layer : layers) CHECK((layer && layer == layers.front()));
}

TEST_CASE("single flight: other keys do not wait, failures are not kept") {
  SingleFlight flights;
  int made = 0;
  const auto fail = [&]() -> Result<LayerPtr> {
    ++made;
    return make_error(ErrorCode::failed, "no");
  };
  const auto key = oci::digest_of("key");
  CHECK_FALSE(flights.run(key, fail).layer.ok());
  CHECK_FALSE(flights.run(key, fail).layer.ok());
  CHECK(made == 2);
  auto outer = flights.run(key, [&]() -> Result<LayerPtr> {
    return flights.run(oci::digest_of("inner"), [] { return Result<LayerPtr>(LayerPtr{}); }).layer;
  });
  CHECK(outer.layer.ok());
}

TEST_CASE("the second build is found, not done") {
  NEEDS_ROOT();
  Bench bench;
  bench.dockerfile("FROM scratch\nCOPY a /a\nWORKDIR /w\nCOPY b /b\nCMD [\"x\"]\n");
  bench.file("a", "1");
  bench.file("b", "2");
  auto first = bench.built();
  CHECK(run_count(first) == 3);
  CHECK(cached_count(first) == 0);
  CHECK(bench.steps(CacheState::miss) == Names{"COPY a /a", "WORKDIR /w", "COPY b /b"});
  auto second = bench.built();
  CHECK(run_count(second) == 0);
  CHECK(cached_count(second) == 3);
  CHECK(bench.steps(CacheState::hit) == Names{"COPY a /a", "WORKDIR /w", "COPY b /b"});
  CHECK(second.legs[0].result.manifest_digest == first.legs[0].result.manifest_digest);

  bench.request.no_cache = true;
  CHECK(run_count(bench.built()) == 3);
  bench.request.no_cache = false;
  CHECK(run_count(bench.built()) == 0);
}

TEST_CASE("a change reaches the step that sees it and those after it") {
  NEEDS_ROOT();
  Bench bench;
  bench.dockerfile("FROM scratch\nCOPY a /a\nCOPY b /b\nCOPY c /c\n");
  for (const auto* name : {"a", "b", "c", "unused"}) bench.file(name, name);
  bench.built();
  struct Case {
    const char* what;
    std::function<void()> change;
    Names done;
  };
  const Case cases[] = {
      {"nothing", [] {}, {}},
      {"a file that no step copies", [&] { bench.file("unused", "new"); }, {}},
      {"a time", [&] { set_mtime(bench.context() / "a", 5); }, {}},
      {"the same content again", [&] { bench.file("a", "a"); }, {}},
      {"a comment",
       [&] { bench.dockerfile("# comment\nFROM scratch\nCOPY a /a\n\nCOPY b /b\nCOPY c /c\n"); },
       {}},
      {"a label",
       [&] { bench.dockerfile("FROM scratch\nLABEL x=1\nCOPY a /a\nCOPY b /b\nCOPY c /c\n"); },
       {}},
      {"the last file", [&] { bench.file("c", "new"); }, {"COPY c /c"}},
      {"the file in the middle", [&] { bench.file("b", "new"); }, {"COPY b /b", "COPY c /c"}},
      {"a mode",
       [&] { fs::permissions(bench.context() / "b", fs::perms(0755)); },
       {"COPY b /b", "COPY c /c"}},
      {"the first file", [&] { bench.file("a", "new"); }, {"COPY a /a", "COPY b /b", "COPY c /c"}},
      {"back again", [&] { bench.file("a", "a"); }, {}},
  };
  for (const auto& item : cases) {
    CAPTURE(item.what);
    item.change();
    bench.built();
    CHECK(bench.steps(CacheState::miss) == item.done);
  }
}

TEST_CASE("--no-cache-filter is for its stage only") {
  NEEDS_ROOT();
  Bench bench;
  bench.dockerfile("FROM scratch AS one\nCOPY a /a\nFROM scratch AS two\nCOPY b /b\nCOPY --from=one /a /a\n");
  bench.file("a", "a");
  bench.file("b", "b");
  bench.built();
  bench.request.no_cache_filters = {"one"};
  bench.built();
  // Stage one is done anew with equal content: nothing of stage two is.
  CHECK_FALSE(contains(bench.steps(CacheState::miss), "COPY b /b"));
}

TEST_CASE("a stage done anew with the same output changes nothing after it") {
  NEEDS_ROOT();
  Bench bench;
  bench.dockerfile(
      "FROM scratch AS build\nCOPY input /input\nCOPY out /out\nFROM scratch\nCOPY --from=build /out "
      "/out\nCOPY last /last\n");
  bench.file("input", "1");
  bench.file("out", "o");
  bench.file("last", "l");
  bench.built();
  bench.file("input", "2");
  bench.built();
  CHECK(bench.steps(CacheState::miss) == Names{"COPY input /input", "COPY out /out"});
  CHECK(bench.steps(CacheState::hit) == Names{"COPY --from=build /out /out", "COPY last /last"});
}

TEST_CASE("a stage that only feeds cached steps is not looked at") {
  NEEDS_ROOT();
  Bench bench;
  bench.dockerfile("FROM scratch AS build\nCOPY a /a\nFROM scratch\nCOPY --from=build /a /a\nCOPY b /b\n");
  bench.file("a", "a");
  bench.file("b", "b");
  bench.built();
  bench.built();
  CHECK(bench.steps(CacheState::hit) == Names{"COPY --from=build /a /a", "COPY b /b"});
  CHECK(bench.steps(CacheState::miss).empty());
}

TEST_CASE("legs share what does not depend on the platform") {
  NEEDS_ROOT();
  Bench bench;
  bench.dockerfile(
      "FROM scratch AS tools\nCOPY a /a\nFROM scratch\nCOPY b /b\nCOPY --from=tools /a /a\nWORKDIR /w\n");
  bench.file("a", "a");
  bench.file("b", "b");
  bench.request.platforms = {
      {"linux", "amd64", "", ""}, {"linux", "arm64", "", ""}, {"linux", "riscv64", "", ""}};
  const auto result = bench.built();
  REQUIRE(result.legs.size() == 3);
  CHECK(run_count(result) == 4);
  CHECK(bench.steps(CacheState::miss).size() == 4);
  CHECK(result.legs[0].result.manifest_digest != result.legs[1].result.manifest_digest);
  for (std::size_t i = 0; i < 3; ++i) CHECK(result.legs[i].result.platform == bench.request.platforms[i]);

  // But not what is asked to differ.
  bench.dockerfile("FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /x\n");
  for (const auto* name : {"amd64", "arm64", "riscv64"}) bench.file(name, name);
  CHECK(run_count(bench.built()) == 3);
}

TEST_CASE("COPY --link layers do not depend on what is below") {
  NEEDS_ROOT();
  Bench bench;
  bench.dockerfile("FROM scratch\nCOPY a /a\nCOPY --link b /b\n");
  bench.file("a", "a");
  bench.file("b", "b");
  bench.built();
  bench.file("a", "new");
  bench.built();
  CHECK(bench.steps(CacheState::miss) == Names{"COPY a /a"});
  CHECK(bench.steps(CacheState::hit) == Names{"COPY --link b /b"});
}

TEST_CASE("what an image holds") {
  NEEDS_ROOT();
  Bench bench;
  bench.dockerfile(
      "FROM scratch\nCOPY dir /app/\nCOPY --chmod=700 file /app/file\nENV A=1\nLABEL l=1\nCMD "
      "[\"/app/file\"]\n"
      "COPY <<EOF /etc/conf\nA is $A\nEOF\n");
  bench.file("dir/x", "x");
  bench.file("file", "f");
  bench.request.labels = {{"given", "yes"}, {"l", "2"}};
  bench.request.tags = {"r.example/app:1"};
  const auto image = bench.image();
  REQUIRE(image.layers.size() == 3);
  CHECK(image.layers[0] == Names{"app/", "app/x"});
  CHECK(image.layers[1] == Names{"app/", "app/file"});
  CHECK(image.layers[2] == Names{"etc/", "etc/conf"});
  CHECK(image.config["config"]["Labels"] == Json{{"given", "yes"}, {"l", "2"}});
  CHECK(image.config["config"]["Cmd"] == Json{"/app/file"});
  CHECK(image.config["rootfs"]["diff_ids"].size() == 3);
  const auto& history = image.config["history"];
  REQUIRE(history.size() == 6);
  CHECK(history[0]["created_by"] == "COPY dir /app/ # buildkit");
  CHECK_FALSE(history[0].value("empty_layer", false));
  CHECK(history[2]["created_by"] == "ENV A=1");
  CHECK(history[2]["empty_layer"] == true);
  CHECK(output_of({"tar", "-xzOf", image.blobs[2].string(), "etc/conf"}) == "A is 1\n");
  for (std::size_t i = 0; i < 3; ++i) {
    const auto tar = output_of({"gzip", "-dc", image.blobs[i].string()});
    CHECK(image.config["rootfs"]["diff_ids"][i] == oci::digest_of(tar).to_string());
  }
}

TEST_CASE("an image without layers") {
  NEEDS_ROOT();
  Bench bench;
  bench.dockerfile("FROM scratch\nENV A=1\n");
  const auto image = bench.image();
  CHECK(image.layers.empty());
  CHECK(image.config["rootfs"]["diff_ids"].empty());
  // Such a file system can be mounted too: to be exported, and to be copied from.
  bench.dockerfile("FROM scratch AS empty\nFROM scratch\nCOPY --from=empty / /x\n");
  bench.request.outputs = {{"local", {{"dest", (bench.scratch() / "out").string()}}}};
  bench.built();
  CHECK(fs::is_directory(bench.scratch() / "out/x"));
  CHECK(fs::is_empty(bench.scratch() / "out/x"));
}

TEST_CASE("an OCI archive is what other tools read") {
  NEEDS_ROOT();
  if (!find_program("skopeo")) return skipped("skopeo is not installed");
  Bench bench;
  bench.dockerfile("FROM scratch\nCOPY a /a\n");
  bench.file("a", "a");
  bench.request.tags = {"r.example/app:1", "r.example/app:2"};
  bench.request.provenance = "mode=max";
  bench.request.platforms = {{"linux", "amd64", "", ""}, {"linux", "arm64", "", ""}};
  const auto archive = (bench.scratch() / "out.tar").string();
  bench.request.outputs = {{"oci", {{"dest", archive}}}};
  bench.built();
  for (const auto* arch : {"amd64", "arm64"}) {
    const auto seen = Json::parse(
        output_of({"skopeo", "--override-arch", arch, "inspect", "oci-archive:" + archive + ":2"}));
    CHECK(seen["Architecture"] == arch);
    CHECK(seen["Layers"].size() == 1);
  }
  const auto copied = (bench.scratch() / "copied").string();
  output_of({"skopeo", "copy", "-q", "--all", "oci-archive:" + archive + ":1", "dir:" + copied});
  const auto index = Json::parse(read(copied + "/manifest.json"));
  CHECK(index["manifests"].size() == 4);

  bench.request.platforms.pop_back();
  bench.request.provenance = "";
  bench.request.outputs = {{"docker", {{"dest", archive}}}};
  bench.built();
  const auto seen =
      Json::parse(output_of({"skopeo", "inspect", "docker-archive:" + archive + ":r.example/app:1"}));
  CHECK(seen["Layers"].size() == 1);
}

TEST_CASE("local and tar outputs hold the files") {
  NEEDS_ROOT();
  Bench bench;
  bench.dockerfile("FROM scratch\nCOPY a /sub/a\nCOPY --chown=7:8 a /b\n");
  bench.file("a", "a", 0750);
  const auto out = bench.scratch() / "out", tar = bench.scratch() / "out.tar";
  bench.request.outputs = {{"local", {{"dest", out.string()}}}, {"tar", {{"dest", tar.string()}}}};
  auto result = bench.built();
  CHECK(result.files == Names{out.string(), tar.string()});
  CHECK(read(out / "sub/a") == "a");
  CHECK(output_of({"stat", "-c", "%u:%g %a", (out / "b").string()}) == "7:8 750\n");
  CHECK(output_of({"tar", "-tf", tar.string()}) == "b\nsub/\nsub/a\n");

  bench.request.platforms = {{"linux", "amd64", "", ""}, {"linux", "arm64", "", ""}};
  bench.request.outputs = {{"local", {{"dest", (bench.scratch() / "two").string()}}}};
  bench.built();
  CHECK(read(bench.scratch() / "two/linux_amd64/sub/a") == "a");
  CHECK(read(bench.scratch() / "two/linux_arm64/sub/a") == "a");
  bench.request.outputs = {{"docker", {{"dest", tar.string()}}}};
  auto refused = bench.build();
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::unsupported);
}

TEST_CASE("SOURCE_DATE_EPOCH makes builds of different stores equal") {
  NEEDS_ROOT();
  Names digests;
  for (int i = 0; i < 2; ++i) {
    Bench bench;
    bench.dockerfile("FROM scratch\nCOPY a /d/a\nWORKDIR /w\n");
    bench.file("a", "a");
    set_mtime(bench.context() / "a", 1600000000);
    bench.request.build_args = {{"SOURCE_DATE_EPOCH", "1600000000"}};
    digests.push_back(bench.built().legs[0].result.manifest_digest);
    if (i == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  }
  CHECK(digests[0] == digests[1]);
}

TEST_CASE("targets, and stages that the target does not need") {
  NEEDS_ROOT();
  Bench bench;
  bench.dockerfile(
      "FROM scratch AS one\nCOPY a /a\nFROM scratch AS broken\nCOPY none /none\nFROM one AS last\nCOPY b "
      "/b\n");
  bench.file("a", "a");
  bench.file("b", "b");
  bench.built();
  CHECK(bench.steps(CacheState::miss) == Names{"COPY a /a", "COPY b /b"});
  bench.request.target = "one";
  bench.built();
  CHECK(bench.steps(CacheState::hit) == Names{"COPY a /a"});
  bench.request.target = "none";
  auto refused = bench.build();
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::invalid_source);
  CHECK(refused.error().message.find("none") != std::string::npos);
}

TEST_CASE("a source that is not there fails with its place") {
  NEEDS_ROOT();
  Bench bench;
  bench.dockerfile("FROM scratch\nCOPY a /a\n\nCOPY nowhere /x\n");
  bench.file("a", "a");
  auto refused = bench.build();
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::not_found);
  CHECK(refused.error().to_string().find("nowhere") != std::string::npos);
  CHECK(refused.error().to_string().find("Dockerfile:4") != std::string::npos);
  bench.dockerfile("FROM scratch\nCOPY *.none /x/\n");
  refused = bench.build();
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().to_string().find("*.none") != std::string::npos);
}

TEST_CASE("wrong Dockerfiles and requests are refused before anything is done") {
  Bench bench;
  bench.dockerfile("FROM scratch\nCOPPY a /a\nENV\n");
  auto refused = bench.build();
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::invalid_source);
  CHECK(refused.error().message.find("Dockerfile:2:1") != std::string::npos);
  CHECK(refused.error().message.find("Dockerfile:3:1") != std::string::npos);

  bench.dockerfile("FROM scratch\n");
  const std::pair<std::function<void(BuildRequest&)>, ErrorCode> cases[] = {
      {[](BuildRequest& r) {
         r.cache_to = {{"s3", {}}};
       },
       ErrorCode::unsupported},
      {[](BuildRequest& r) {
         r.cache_from = {{"registry", {}}};
       },
       ErrorCode::usage},
      {[](BuildRequest& r) {
         r.outputs = {{"zip", {}}};
       },
       ErrorCode::unsupported},
      {[](BuildRequest& r) { r.load = true; }, ErrorCode::unsupported},
      {[](BuildRequest& r) { r.sbom = "true"; }, ErrorCode::unsupported},
      {[](BuildRequest& r) { r.network = "bridge"; }, ErrorCode::unsupported},
      {[](BuildRequest& r) { r.push = true; }, ErrorCode::usage},
      {[](BuildRequest& r) { r.annotations = {"x"}; }, ErrorCode::usage},
  };
  for (const auto& [change, code] : cases) {
    const auto before = bench.request;
    change(bench.request);
    auto answer = bench.build();
    bench.request = before;
    REQUIRE_FALSE(answer.ok());
    CHECK(answer.error().code == code);
  }
}

TEST_CASE("ADD unpacks archives, COPY does not") {
  NEEDS_ROOT();
  Bench bench;
  write(bench.scratch() / "in/d/f", "f");
  output_of(
      {"tar", "-czf", (bench.context() / "a.tgz").string(), "-C", (bench.scratch() / "in").string(), "d"});
  bench.file("plain", "p");
  bench.dockerfile("FROM scratch\nADD a.tgz plain /x/\nCOPY a.tgz /y/\n");
  const auto names = bench.image().names();
  CHECK(contains(names, "x/d/f"));
  CHECK(contains(names, "x/plain"));
  CHECK_FALSE(contains(names, "x/a.tgz"));
  CHECK(contains(names, "y/a.tgz"));
}

TEST_CASE("COPY --parents: each source has a pivot of its own") {
  NEEDS_ROOT();
  Bench bench;
  bench.file("a/x/f", "f");
  bench.file("b/y/g", "g");
  bench.file("c/z/h", "h");
  bench.dockerfile("FROM scratch\nCOPY --parents a/./x/f b/./y/g c/*/h /d/\n");
  CHECK(bench.image().names() == Names{"d/", "d/c/", "d/c/z/", "d/c/z/h", "d/x/", "d/x/f", "d/y/", "d/y/g"});
}

TEST_CASE("COPY --exclude leaves files out, and they do not count") {
  NEEDS_ROOT();
  Bench bench;
  bench.file("src/a.c", "a");
  bench.file("src/a.log", "1");
  bench.dockerfile("FROM scratch\nCOPY --exclude=*.log src /s/\n");
  CHECK(bench.image().names() == Names{"s/", "s/a.c"});
  bench.file("src/a.log", "2");
  bench.built();
  CHECK(bench.steps(CacheState::miss).empty());
}

TEST_CASE("links in a stage stay inside it") {
  NEEDS_ROOT();
  Bench bench;
  write(bench.scratch() / "secret", "outside");
  fs::create_symlink((bench.scratch() / "secret").string(), bench.context() / "link");
  bench.dockerfile("FROM scratch AS s\nCOPY . /\nFROM scratch\nCOPY --from=s /link /x\n");
  auto refused = bench.build();
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::not_found);
}

TEST_CASE("nothing of a build is left in the work directory") {
  NEEDS_ROOT();
  Bench bench;
  bench.dockerfile("FROM scratch AS s\nCOPY a /a\nFROM scratch\nCOPY --from=s /a /b\n");
  bench.file("a", "a");
  bench.built();
  CHECK(bench.warnings().empty());
  const auto work = bench.scratch() / "store/work";
  if (fs::exists(work)) CHECK(fs::is_empty(work));
  CHECK(read("/proc/self/mounts").find(bench.scratch().path().string()) == std::string::npos);
}
