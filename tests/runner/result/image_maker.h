#pragma once
// Small images pushed by digest to a real registry, for the tests of this room.

#include "executors/oci/registry.h"
#include "runner/result/merge.h"
#include "tests/support/catch.h"
#include "tests/support/registry_fixture.h"

namespace drydock::test {

#define NEEDS_REGISTRY()                               \
  if (!drydock::test::RealRegistry::available()) {     \
    WARN("skipped: docker-registry is not installed"); \
    return;                                            \
  }

inline oci::RegistryOptions quick_options() {
  oci::RegistryOptions options;
  options.retry = {3, std::chrono::milliseconds(1), std::chrono::milliseconds(5)};
  options.credentials_directory = "/nonexistent";
  return options;
}

struct MadeImage {
  oci::Manifest manifest;
  oci::ImageConfig config;
  oci::Descriptor descriptor;
};

/// An image whose config says `claimed`, its layer the text given.
inline MadeImage make_image(oci::Registry& registry, const oci::Reference& repository,
                            const std::string& claimed, const std::string& layer) {
  MadeImage made;
  made.config.platform = *parse_platform(claimed);
  made.config.diff_ids = {oci::digest_of(layer)};
  const auto config = oci::serialize(made.config);
  REQUIRE(registry.push_blob(repository, config).ok());
  REQUIRE(registry.push_blob(repository, layer).ok());
  made.manifest.config = oci::describe(oci::media_type::k_config, config);
  made.manifest.layers = {oci::describe(oci::media_type::k_layer, layer)};
  const auto text = oci::serialize(made.manifest);
  made.descriptor = oci::describe(oci::media_type::k_manifest, text);
  REQUIRE(
      registry
          .push_manifest(repository.with_digest(made.descriptor.digest), oci::media_type::k_manifest, text)
          .ok());
  made.descriptor.platform = made.config.platform;
  return made;
}

inline oci::Descriptor make_attestation(oci::Registry& registry, const oci::Reference& repository,
                                        const oci::Descriptor& of) {
  auto made = make_image(registry, repository, "unknown/unknown", "statement about " + of.digest.to_string());
  made.descriptor.annotations = {{oci::k_reference_type, oci::k_attestation_type},
                                 {oci::k_reference_digest, of.digest.to_string()}};
  return made.descriptor;
}

inline runner::FinishedLeg make_leg(oci::Registry& registry, const oci::Reference& repository,
                                    const std::string& platform) {
  runner::FinishedLeg leg;
  leg.platform = *parse_platform(platform);
  leg.manifest = make_image(registry, repository, platform, "files of " + platform).descriptor;
  leg.attestation = make_attestation(registry, repository, leg.manifest);
  return leg;
}

/// Removes a manifest from the registry, as a clean-up of untagged images does.
inline void delete_manifest(const RealRegistry& server, const std::string& repository,
                            const oci::Digest& digest) {
  HttpRequest request;
  request.method = "DELETE";
  request.url = server.url() + "/v2/" + repository + "/manifests/" + digest.to_string();
  REQUIRE(make_curl_client()->perform(request)->status == 202);
}

struct Scene {
  RealRegistry server;
  std::shared_ptr<oci::Registry> registry =
      std::make_shared<oci::Registry>(make_curl_client(), quick_options());
  oci::Reference repository = *oci::parse_reference(server.domain() + "/team/app");

  runner::MergeRequest two_platforms() {
    runner::MergeRequest request;
    request.repository = repository;
    request.required = {*parse_platform("linux/amd64"), *parse_platform("linux/arm64")};
    request.legs = {make_leg(*registry, repository, "linux/amd64"),
                    make_leg(*registry, repository, "linux/arm64")};
    request.tags = {"1", "latest"};
    return request;
  }
  oci::Index index(const std::string& tag) {
    const auto fetched = registry->get_manifest(repository.with_tag(tag));
    REQUIRE(fetched.ok());
    return *oci::parse_index(fetched->text, tag);
  }
  bool has_tag(const std::string& tag) { return registry->resolve(repository.with_tag(tag)).ok(); }
};

}  // namespace drydock::test
