#include "runner/result/create.h"

#include "runner/result/verify.h"
#include "tests/runner/result/image_maker.h"

using namespace drydock;
using namespace drydock::runner;
using namespace drydock::test;

namespace {

/// One leg with its attestation, tagged: an index of one platform, as a matrix job pushes it.
oci::Reference publish_one(Scene& scene, const oci::Reference& repository, const std::string& platform,
                           const std::string& tag) {
  MergeRequest request;
  request.repository = repository;
  request.legs = {make_leg(*scene.registry, repository, platform)};
  request.required = {request.legs[0].platform};
  request.tags = {tag};
  REQUIRE(merge(*scene.registry, request).ok());
  return repository.with_tag(tag);
}

}  // namespace

TEST_CASE("single-platform indexes are flattened into one") {
  NEEDS_REGISTRY()
  Scene scene;
  CreateRequest request;
  request.sources = {publish_one(scene, scene.repository, "linux/amd64", "amd64"),
                     publish_one(scene, scene.repository, "linux/arm64", "arm64")};
  request.targets = {scene.repository.with_tag("both"), scene.repository.with_tag("latest")};
  request.annotations = {{"title", "app"}};
  const auto dry = [&] {
    auto copy = request;
    copy.dry_run = DryRun::yes;
    return create(*scene.registry, copy);
  }();
  REQUIRE(dry.ok());
  CHECK_FALSE(scene.has_tag("both"));
  CHECK(dry->moved.empty());

  const auto created = create(*scene.registry, request);
  if (!created.ok()) FAIL(created.error().to_string());
  CHECK(created->text == dry->text);
  CHECK(created->moved.size() == 2);
  const auto index = scene.index("latest");
  REQUIRE(index.manifests.size() == 4);
  CHECK_FALSE(oci::is_attestation(index.manifests[1]));
  CHECK(oci::is_attestation(index.manifests[2]));
  CHECK(index.annotations.at("title") == "app");
  const auto verified =
      verify(*scene.registry, request.targets[0], *parse_platforms("linux/amd64,linux/arm64"));
  INFO(readable(*verified));
  CHECK(verified->ok());
}

TEST_CASE("sources are copied from other repositories and registries") {
  NEEDS_REGISTRY()
  Scene scene;
  RealRegistry elsewhere;
  const auto sibling = *oci::parse_reference(scene.server.domain() + "/team/sibling");
  const auto foreign = *oci::parse_reference(elsewhere.domain() + "/other/app");
  CreateRequest request;
  request.sources = {publish_one(scene, sibling, "linux/amd64", "1"),
                     publish_one(scene, foreign, "linux/arm64", "1")};
  request.targets = {scene.repository.with_tag("both")};
  const auto before = scene.registry->counters();
  const auto created = create(*scene.registry, request);
  if (!created.ok()) FAIL(created.error().to_string());
  CHECK(scene.registry->counters().blobs_mounted - before.blobs_mounted >= 3);
  CHECK(scene.registry->counters().blobs_sent - before.blobs_sent >= 3);
  CHECK(verify(*scene.registry, request.targets[0], *parse_platforms("linux/amd64,linux/arm64"))->ok());
}

TEST_CASE("appending adds platforms and replaces those that come anew") {
  NEEDS_REGISTRY()
  Scene scene;
  auto first = scene.two_platforms();
  first.index_annotations = {{"kept", "yes"}, {"gone", "soon"}};
  REQUIRE(merge(*scene.registry, first).ok());
  const auto fresh = make_image(*scene.registry, scene.repository, "linux/arm64", "a newer arm64");
  CreateRequest request;
  request.append = Append::yes;
  request.targets = {scene.repository.with_tag("latest")};
  request.sources = {publish_one(scene, scene.repository, "linux/s390x", "s390x"),
                     scene.repository.with_digest(fresh.descriptor.digest)};
  request.annotations = {{"gone", ""}};
  const auto created = create(*scene.registry, request);
  if (!created.ok()) FAIL(created.error().to_string());
  CHECK(created->replaced == std::vector<std::string>{"linux/arm64"});
  const auto index = scene.index("latest");
  CHECK(oci::platforms_text(index) == "linux/amd64, linux/s390x, linux/arm64");
  CHECK(oci::choose_platform(index, *parse_platform("linux/arm64"), "x")->digest == fresh.descriptor.digest);
  CHECK(index.manifests.size() == 5);  // and the attestations of amd64 and s390x
  CHECK(index.annotations == oci::Annotations{{"kept", "yes"}});
  CHECK(verify(*scene.registry, request.targets[0], {})->ok());
}

TEST_CASE("annotations go to the index and its entries") {
  NEEDS_REGISTRY()
  Scene scene;
  REQUIRE(merge(*scene.registry, scene.two_platforms()).ok());
  AnnotateRequest request;
  request.reference = scene.repository.with_tag("1");
  request.index = {{"title", "app"}};
  request.platforms = {{*parse_platform("linux/arm64"), {{"note", "emulated"}}}};
  const auto annotated = annotate(*scene.registry, request);
  if (!annotated.ok()) FAIL(annotated.error().to_string());
  const auto index = scene.index("1");
  CHECK(index.annotations.at("title") == "app");
  CHECK(index.manifests[0].annotations.empty());
  CHECK(index.manifests[1].annotations.at("note") == "emulated");
  CHECK(scene.index("latest").annotations.empty());
  request.platforms = {{*parse_platform("linux/riscv64"), {{"a", "b"}}}};
  CHECK(annotate(*scene.registry, request).error().code == ErrorCode::not_found);
}

TEST_CASE("requests that make no sense are refused by name") {
  NEEDS_REGISTRY()
  Scene scene;
  const auto source = publish_one(scene, scene.repository, "linux/amd64", "a");
  const auto digest = scene.repository.with_digest(oci::digest_of("x"));
  const auto code = [&](const CreateRequest& request) {
    return create(*scene.registry, request).error().code;
  };
  CHECK(code({{source}, {}}) == ErrorCode::usage);
  CHECK(code({{}, {source}}) == ErrorCode::usage);
  CHECK(code({{digest}, {source}}) == ErrorCode::usage);
  CHECK(code({{source}, {scene.repository.with_tag("none")}}) == ErrorCode::not_found);
  CHECK(code({{scene.repository.with_tag("none")}, {source}, Append::yes}) == ErrorCode::not_found);
  const auto leg = make_leg(*scene.registry, scene.repository, "linux/arm64");
  REQUIRE(scene.registry
              ->push_manifest(
                  scene.repository.with_tag("single"), oci::media_type::k_manifest,
                  scene.registry->get_manifest(scene.repository.with_digest(leg.manifest.digest))->text)
              .ok());
  const auto single = annotate(*scene.registry, {scene.repository.with_tag("single"), {{"a", "b"}}, {}});
  CHECK(single.error().code == ErrorCode::unsupported);
  CHECK(annotate(*scene.registry, {digest, {}, {}}).error().code == ErrorCode::usage);
}
