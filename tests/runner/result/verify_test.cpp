#include "runner/result/verify.h"

#include "executors/base/json.h"
#include "runner/result/inspect.h"
#include "tests/runner/result/image_maker.h"

using namespace drydock;
using namespace drydock::runner;
using namespace drydock::test;

namespace {

std::vector<Platform> platforms(const std::string& text) {
  return *parse_platforms(text);
}

std::string only_finding(const VerifyResult& result) {
  CHECK(result.findings.size() == 1);
  return result.findings.empty() ? "" : result.findings[0];
}

}  // namespace

TEST_CASE("a whole image verifies") {
  NEEDS_REGISTRY()
  Scene scene;
  REQUIRE(merge(*scene.registry, scene.two_platforms()).ok());
  const auto result =
      verify(*scene.registry, scene.repository.with_tag("1"), platforms("linux/amd64,linux/arm64"));
  REQUIRE(result.ok());
  INFO(readable(*result));
  CHECK(result->ok());
  CHECK(result->entries.size() == 2);
  CHECK(result->attestations == 2);
  CHECK(result->entries[1].layers == 1);
  CHECK(readable(*result).find("linux/arm64  sha256:") != std::string::npos);
  CHECK(to_json(*result)["ok"] == true);
  CHECK(verify(*scene.registry, scene.repository.with_tag("1"), {})->ok());
  CHECK(verify(*scene.registry, scene.repository.with_tag("none"), {}).error().code == ErrorCode::not_found);
}

TEST_CASE("each defect is a finding of its own") {
  NEEDS_REGISTRY()
  Scene scene;
  const auto request = scene.two_platforms();
  REQUIRE(merge(*scene.registry, request).ok());
  const auto tag = scene.repository.with_tag("1");
  SECTION("a platform was never merged") {
    const auto result = verify(*scene.registry, tag, platforms("linux/amd64,linux/s390x"));
    CHECK(only_finding(*result) ==
          "no matching manifest for linux/s390x: that platform was never merged; present: linux/amd64, "
          "linux/arm64");
  }
  SECTION("a child was deleted") {
    delete_manifest(scene.server, "team/app", request.legs[1].manifest.digest);
    const auto result = verify(*scene.registry, tag, platforms("linux/amd64,linux/arm64"));
    CHECK(only_finding(*result).find("linux/arm64: its manifest " +
                                     request.legs[1].manifest.digest.to_string() + " is gone") == 0);
    CHECK(result->entries[0].whole);
    CHECK_FALSE(result->entries[1].whole);
    const auto inspection = inspect(*scene.registry, tag);
    CHECK(readable(*inspection).find("gone from the registry") != std::string::npos);
  }
  SECTION("a layer is lost") {
    const auto hex = std::string(oci::digest_of("files of linux/amd64").hex());
    REQUIRE(remove_tree(scene.server.storage() + "/docker/registry/v2/blobs/sha256/" + hex.substr(0, 2) +
                        "/" + hex)
                .ok());
    CHECK(only_finding(*verify(*scene.registry, tag, {})) ==
          "linux/amd64: layer sha256:" + hex + " is not in the registry");
  }
  SECTION("an entry lies about its platform") {
    auto index = scene.index("1");
    index.manifests[0].platform = *parse_platform("linux/riscv64");
    REQUIRE(scene.registry
                ->push_manifest(scene.repository.with_tag("lie"), index.media_type, oci::serialize(index))
                .ok());
    CHECK(only_finding(*verify(*scene.registry, scene.repository.with_tag("lie"), {})) ==
          "linux/riscv64: its config says that it is for linux/amd64");
  }
  SECTION("an attestation refers to nothing in the index") {
    auto index = scene.index("1");
    index.manifests.erase(index.manifests.begin());
    REQUIRE(scene.registry
                ->push_manifest(scene.repository.with_tag("half"), index.media_type, oci::serialize(index))
                .ok());
    CHECK(only_finding(*verify(*scene.registry, scene.repository.with_tag("half"), {}))
              .find("which is not in the index") != std::string::npos);
  }
  SECTION("a single-platform image is called so") {
    const auto digest = scene.repository.with_digest(request.legs[0].manifest.digest);
    CHECK(verify(*scene.registry, digest, platforms("linux/amd64"))->ok());
    CHECK(only_finding(*verify(*scene.registry, digest, platforms("linux/arm64"))) ==
          "no matching manifest for linux/arm64: that platform was never merged (this is a single-platform "
          "image); "
          "present: linux/amd64");
  }
}

TEST_CASE("inspection shows entries, attestations and annotations") {
  NEEDS_REGISTRY()
  Scene scene;
  auto request = scene.two_platforms();
  request.index_annotations = {{"title", "app"}};
  REQUIRE(merge(*scene.registry, request).ok());
  const auto inspection = inspect(*scene.registry, scene.repository.with_tag("1"));
  REQUIRE(inspection.ok());
  const auto text = readable(*inspection);
  INFO(text);
  CHECK(text.find("title: app") != std::string::npos);
  CHECK(text.find("\nlinux/arm64\n  digest:     sha256:") != std::string::npos);
  CHECK(text.find("\nattestation of " + request.legs[0].manifest.digest.to_string()) != std::string::npos);
  CHECK(text.find("unknown/unknown") == std::string::npos);
  const auto json = to_json(*inspection);
  CHECK(json["schema"] == 1);
  REQUIRE(json["manifests"].size() == 4);
  CHECK(json["manifests"][0]["platform"]["architecture"] == "amd64");
  CHECK(json["manifests"][0]["layers"][0]["digest"] == oci::digest_of("files of linux/amd64").to_string());
  CHECK(json["manifests"][2]["attests"] == request.legs[0].manifest.digest.to_string());
}
