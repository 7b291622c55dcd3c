#include "runner/result/merge.h"

#include "tests/runner/result/image_maker.h"
#include "tests/support/scripted_http.h"

using namespace drydock;
using namespace drydock::runner;
using namespace drydock::test;

TEST_CASE("legs become one index under its tags, attestations beside them") {
  NEEDS_REGISTRY()
  Scene scene;
  auto request = scene.two_platforms();
  request.index_annotations = {{"org.opencontainers.image.title", "app"}};
  const auto merged = merge(*scene.registry, request);
  if (!merged.ok()) FAIL(merged.error().to_string());
  CHECK(merged->moved ==
        std::vector<std::string>{scene.repository.name() + ":1", scene.repository.name() + ":latest"});
  const auto index = scene.index("latest");
  REQUIRE(index.manifests.size() == 4);
  CHECK(oci::platforms_text(index) == "linux/amd64, linux/arm64");
  CHECK(oci::is_attestation(index.manifests[2]));
  CHECK(index.manifests[3].annotations.at(oci::k_reference_digest) == index.manifests[1].digest.to_string());
  CHECK(index.manifests[3].platform->to_string() == "unknown/unknown");
  CHECK(index.annotations.at("org.opencontainers.image.title") == "app");
  CHECK(scene.registry->resolve(scene.repository.with_tag("1"))->digest == merged->image.digest);
  // Again: the same image, nothing sent but the tags.
  CHECK(merge(*scene.registry, request)->image == merged->image);
}

TEST_CASE("a single leg without attestation is published as it is") {
  NEEDS_REGISTRY()
  Scene scene;
  MergeRequest request;
  request.repository = scene.repository;
  request.legs = {make_leg(*scene.registry, scene.repository, "linux/arm64")};
  request.legs[0].attestation.reset();
  request.required = {request.legs[0].platform};
  request.tags = {"one"};
  const auto merged = merge(*scene.registry, request);
  REQUIRE(merged.ok());
  CHECK(merged->image.digest == request.legs[0].manifest.digest);
  CHECK(scene.registry->resolve(scene.repository.with_tag("one"))->media_type == oci::media_type::k_manifest);
}

TEST_CASE("what is missing or wrong publishes nothing, and the old tag answers as before") {
  NEEDS_REGISTRY()
  Scene scene;
  const auto good = scene.two_platforms();
  REQUIRE(merge(*scene.registry, good).ok());
  const auto before = scene.registry->resolve(scene.repository.with_tag("latest"))->digest;

  auto request = good;
  std::string expected;
  SECTION("a platform has no result") {
    request.legs.pop_back();
    expected = "no result for linux/arm64; finished: linux/amd64";
  }
  SECTION("nothing was built at all") {
    request.legs.clear();
    request.required.clear();
    expected = "no result for any platform";
  }
  SECTION("an image is of another architecture than it was asked for") {
    request.legs[1].manifest =
        make_image(*scene.registry, scene.repository, "linux/amd64", "wrong one").descriptor;
    request.legs[1].attestation.reset();
    expected = "the image for linux/arm64 says it is for linux/amd64";
  }
  SECTION("a variant is not taken for another") {
    request.legs[1].platform = *parse_platform("linux/arm/v7");
    request.required[1] = request.legs[1].platform;
    request.legs[1].manifest =
        make_image(*scene.registry, scene.repository, "linux/arm/v6", "six").descriptor;
    expected = "the image for linux/arm/v7 says it is for linux/arm/v6";
  }
  SECTION("a manifest is gone") {
    delete_manifest(scene.server, "team/app", request.legs[0].manifest.digest);
    expected = "was not found";
  }
  SECTION("an attestation is gone") {
    delete_manifest(scene.server, "team/app", request.legs[0].attestation->digest);
    expected = "reading the attestation of linux/amd64";
  }
  SECTION("an attestation is another image's") {
    std::swap(request.legs[0].attestation, request.legs[1].attestation);
    expected = "refers to another image";
  }
  SECTION("a config counts other layers than the manifest") {
    auto made = make_image(*scene.registry, scene.repository, "linux/arm64", "layer");
    made.manifest.layers.clear();
    const auto text = oci::serialize(made.manifest);
    request.legs[1].manifest = oci::describe(oci::media_type::k_manifest, text);
    REQUIRE(scene.registry
                ->push_manifest(scene.repository.with_digest(request.legs[1].manifest.digest),
                                oci::media_type::k_manifest, text)
                .ok());
    expected = "has 0 layers, its config names 1";
  }
  request.tags = {"latest", "new"};
  const auto merged = merge(*scene.registry, request);
  REQUIRE_FALSE(merged.ok());
  INFO(merged.error().to_string());
  CHECK(merged.error().to_string().find(expected) != std::string::npos);
  CHECK_FALSE(scene.has_tag("new"));
  CHECK(scene.registry->resolve(scene.repository.with_tag("latest"))->digest == before);
}

TEST_CASE("a blob that the registry lost is found before a tag moves") {
  NEEDS_REGISTRY()
  Scene scene;
  auto request = scene.two_platforms();
  const auto hex = std::string(oci::digest_of("files of linux/arm64").hex());
  REQUIRE(
      remove_tree(scene.server.storage() + "/docker/registry/v2/blobs/sha256/" + hex.substr(0, 2) + "/" + hex)
          .ok());
  const auto merged = merge(*scene.registry, request);
  REQUIRE_FALSE(merged.ok());
  CHECK(merged.error().to_string().find("of linux/arm64 is not in the registry") != std::string::npos);
  CHECK_FALSE(scene.has_tag("1"));
}

TEST_CASE("tags move in order, after the index; the error says how far it came") {
  NEEDS_REGISTRY()
  Scene scene;
  auto request = scene.two_platforms();
  request.tags = {"a", "b", "c"};
  const auto http = std::make_shared<ScriptedHttp>(make_curl_client());
  for (int i = 1; i <= 3; ++i) http->at("PUT", "/manifests/b", i, answers(503));
  oci::Registry registry(http, quick_options());
  const auto merged = merge(registry, request);
  REQUIRE_FALSE(merged.ok());
  CHECK(merged.error().code == ErrorCode::network);
  CHECK(merged.error().to_string().find("1 of 3 tags were moved before it") != std::string::npos);
  CHECK(scene.has_tag("a"));
  CHECK_FALSE(scene.has_tag("b"));
  CHECK_FALSE(scene.has_tag("c"));
  std::vector<std::string> puts;
  for (const auto& sent : http->seen()) {
    if (sent.method == "PUT") puts.push_back(sent.url.substr(sent.url.rfind('/') + 1));
  }
  REQUIRE(puts.size() == 5);
  CHECK(puts[0].starts_with("sha256:"));
  CHECK(puts[1] == "a");
  CHECK(puts[2] == "b");
  // The next run only moves what is left.
  CHECK(merge(*scene.registry, request)->moved.size() == 3);
}

TEST_CASE("a tag that somebody else moved in between is noticed") {
  NEEDS_REGISTRY()
  Scene scene;
  auto request = scene.two_platforms();
  const auto http = std::make_shared<ScriptedHttp>(make_curl_client());
  http->at("GET", "/manifests/latest", 1, answers(200, {}, R"({"schemaVersion":2,"manifests":[]})"));
  oci::Registry registry(http, quick_options());
  const auto merged = merge(registry, request);
  REQUIRE_FALSE(merged.ok());
  CHECK(merged.error().code == ErrorCode::corrupted);
  CHECK(merged.error().mend.find("somebody else") != std::string::npos);
}
