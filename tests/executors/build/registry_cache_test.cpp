// The registry cache against a real docker-registry: what one store wrote, another one finds.

#include "executors/build/cache_format.h"
#include "executors/oci/registry.h"
#include "tests/executors/build/support.h"
#include "tests/support/registry_fixture.h"

using namespace drydock;
using namespace drydock::build;
using namespace drydock::build::test;
using drydock::test::RealRegistry;

namespace {

using Names = std::vector<std::string>;

#define NEEDS_REGISTRY()                                               \
  if (!is_root()) return skipped("overlays of the machine need root"); \
  if (!RealRegistry::available()) return skipped("docker-registry is not installed")

const Platform k_amd64_leg{"linux", "amd64", "", ""}, k_arm64_leg{"linux", "arm64", "", ""};

/// Two stages, built for two platforms; `mode` of the exported cache.
void prepare(Bench& bench, const RealRegistry& registry, const std::string& mode) {
  bench.dockerfile(
      "FROM scratch AS build\nARG TARGETARCH\nCOPY $TARGETARCH /in\nFROM scratch\nCOPY --from=build /in "
      "/out\nCOPY b /b\n");
  for (const auto* name : {"amd64", "arm64", "b"}) bench.file(name, name);
  bench.request.platforms = {k_amd64_leg, k_arm64_leg};
  const auto ref = registry.domain() + "/app:buildcache";
  bench.request.cache_from = {{"registry", {{"ref", ref}}}};
  bench.request.cache_to = {{"registry", {{"ref", ref}, {"mode", mode}}}};
  bench.options.plain_http = {registry.domain()};
}

oci::Index index_at(const RealRegistry& registry, const std::string& name) {
  const auto text = output_of({"curl", "-sf", "-H", "Accept: application/vnd.oci.image.index.v1+json", "-H",
                               "Accept: application/vnd.oci.image.manifest.v1+json",
                               registry.url() + "/v2/app/manifests/" + name});
  auto index = oci::parse_index(text, name);
  REQUIRE(index.ok());
  return std::move(*index);
}

}  // namespace

TEST_CASE("a fresh store is served from the registry's cache, content and digests") {
  NEEDS_REGISTRY();
  const RealRegistry registry;
  for (const std::string mode : {"min", "max"}) {
    CAPTURE(mode);
    Names digests[2];
    for (auto& seen : digests) {
      Bench bench;
      prepare(bench, registry, mode);
      const auto result = bench.built();
      INFO(bench.warnings());
      CHECK(bench.warnings().empty());
      for (const auto& leg : result.legs) seen.push_back(leg.result.manifest_digest);
      if (&seen == &digests[1]) {
        CHECK(bench.steps(CacheState::miss).empty());
        // Nothing but documents was needed.
        for (const auto& event : bench.events) CHECK(event.name.find("pull ") == std::string::npos);
      }
    }
    CHECK(digests[0] == digests[1]);
  }
}

TEST_CASE("what a hit holds can be had") {
  NEEDS_REGISTRY();
  const RealRegistry registry;
  {
    Bench bench;
    prepare(bench, registry, "max");
    bench.built();
  }
  Bench bench;
  prepare(bench, registry, "max");
  bench.request.platforms = {k_arm64_leg};
  const auto image = bench.image();
  CHECK(bench.steps(CacheState::miss).empty());
  CHECK(image.names() == Names{"out", "b"});
  CHECK(output_of({"tar", "-xzOf", image.blobs[0].string(), "out"}) == "arm64");
}

TEST_CASE("the cache is one index over a tag for each platform and target") {
  NEEDS_REGISTRY();
  const RealRegistry registry;
  Bench bench;
  prepare(bench, registry, "max");
  bench.built();
  auto index = index_at(registry, "buildcache");
  CHECK(index.annotations.contains(k_cache_index_annotation));
  CHECK(index.manifests.size() == 2);
  bench.request.target = "build";
  bench.request.platforms = {k_arm64_leg};
  bench.built();
  index = index_at(registry, "buildcache");
  CHECK(index.manifests.size() == 3);
  const auto tags = Json::parse(output_of({"curl", "-sf", registry.url() + "/v2/app/tags/list"}))["tags"];
  for (const auto* tag :
       {"buildcache", "buildcache.linux-amd64", "buildcache.linux-arm64", "buildcache.build.linux-arm64"}) {
    CAPTURE(tag);
    CHECK(std::find(tags.begin(), tags.end(), tag) != tags.end());
  }
}

TEST_CASE("an index that lost our entry to another writer is mended from the tag of its own") {
  NEEDS_REGISTRY();
  const RealRegistry registry;
  Bench bench;
  prepare(bench, registry, "max");
  bench.built();
  // What a writer of another target leaves that read the index too early.
  auto index = index_at(registry, "buildcache");
  for (auto& entry : index.manifests) entry.annotations[k_cache_target_annotation] = "other";
  index.manifests.resize(1);
  write(bench.scratch() / "index.json", oci::serialize(index));
  output_of({"curl", "-sf", "-X", "PUT", "-H", "Content-Type: application/vnd.oci.image.index.v1+json",
             "--data-binary", "@" + (bench.scratch() / "index.json").string(),
             registry.url() + "/v2/app/manifests/buildcache"});
  Bench fresh;
  prepare(fresh, registry, "max");
  fresh.built();
  CHECK(fresh.steps(CacheState::miss).empty());
  CHECK(index_at(registry, "buildcache").manifests.size() == 3);
}

TEST_CASE("something else under the cache's ref stays as it is") {
  NEEDS_REGISTRY();
  const RealRegistry registry;
  Bench bench;
  prepare(bench, registry, "max");
  const std::string foreign =
      R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]})";
  write(bench.scratch() / "foreign.json", foreign);
  output_of({"curl", "-sf", "-X", "PUT", "-H", "Content-Type: application/vnd.oci.image.index.v1+json",
             "--data-binary", "@" + (bench.scratch() / "foreign.json").string(),
             registry.url() + "/v2/app/manifests/buildcache"});
  bench.built();
  CHECK(bench.warnings().find("stays as it is") != std::string::npos);
  CHECK(index_at(registry, "buildcache").annotations.empty());
  Bench fresh;
  prepare(fresh, registry, "max");
  fresh.built();
  CHECK(fresh.steps(CacheState::miss).empty());
}

TEST_CASE("a cache that cannot be reached is a warning, unless asked otherwise") {
  NEEDS_REGISTRY();
  RealRegistry registry;
  Bench bench;
  prepare(bench, registry, "max");
  registry.stop();
  bench.built();
  CHECK(bench.warnings().find("could not be read") != std::string::npos);
  CHECK(bench.warnings().find("could not be written") != std::string::npos);
  bench.request.cache_to[0].attributes["ignore-error"] = "false";
  CHECK_FALSE(bench.build().ok());
}

TEST_CASE("pushed by digest, whole, and no tag moves") {
  NEEDS_REGISTRY();
  const RealRegistry registry;
  Bench bench;
  prepare(bench, registry, "min");
  bench.request.cache_from.clear();
  bench.request.cache_to.clear();
  bench.request.push = true;
  bench.request.tags = {registry.domain() + "/app:1", registry.domain() + "/app:2",
                        registry.domain() + "/other:1"};
  bench.request.provenance = "mode=min";
  const auto result = bench.built();
  CHECK(result.repositories == Names{registry.domain() + "/app", registry.domain() + "/other"});
  for (const auto& leg : result.legs) {
    for (const auto* repository : {"app", "other"}) {
      for (const auto& digest : {leg.manifest.digest, leg.attestation.value().digest}) {
        output_of({"curl", "-sfI", "-H", "Accept: application/vnd.oci.image.manifest.v1+json",
                   registry.url() + "/v2/" + repository + "/manifests/" + digest.to_string()});
      }
    }
  }
  const auto tags = output_of({"curl", "-s", registry.url() + "/v2/app/tags/list"});
  CHECK(tags.find(":1") == std::string::npos);
  CHECK(tags.find("\"1\"") == std::string::npos);
}
