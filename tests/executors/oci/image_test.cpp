#include "executors/oci/image.h"

#include "tests/support/catch.h"

using namespace drydock;
using namespace drydock::oci;

namespace {

Descriptor entry(const std::string& platform, const std::string& content) {
  auto descriptor = describe(media_type::k_manifest, content);
  descriptor.platform = *parse_platform(platform);
  return descriptor;
}

Descriptor attestation(const Descriptor& of) {
  auto descriptor = describe(media_type::k_manifest, "attestation");
  descriptor.platform = Platform{"unknown", "unknown", "", ""};
  descriptor.annotations = {{k_reference_type, k_attestation_type},
                            {k_reference_digest, of.digest.to_string()}};
  return descriptor;
}

const std::string k_manifest_text = R"({
  "schemaVersion": 2,
  "mediaType": "application/vnd.oci.image.manifest.v1+json",
  "config": {
    "mediaType": "application/vnd.oci.image.config.v1+json",
    "digest": "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    "size": 3
  },
  "layers": [
    {
      "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
      "digest": "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "size": 0,
      "annotations": {
        "a": "1",
        "b": "2"
      }
    }
  ],
  "annotations": {
    "org.opencontainers.image.title": "app"
  }
})";

const std::string k_config_text =
    R"({"architecture":"arm64","author":"me","config":{"User":"node","ExposedPorts":{"8080/tcp":{}},)"
    R"("Env":["PATH=/bin","A=1"],"Entrypoint":["docker-entrypoint.sh"],"Cmd":["node","server.js"],)"
    R"("Volumes":{"/data":{}},"WorkingDir":"/app","Labels":{"a":"1","b":"2"},"StopSignal":"SIGQUIT","ArgsEscaped":true,)"
    R"("Healthcheck":{"Test":["CMD","node","health.js"],"Interval":30000000000,"Timeout":3000000000,"Retries":3},)"
    R"("OnBuild":["RUN x"],"Shell":["/bin/sh","-c"],"Vendor":{"x":[1,2]}},"created":"2024-05-01T12:30:00.123456789Z",)"
    R"("history":[{"created":"2024-05-01T12:30:00Z","created_by":"RUN x","comment":"c"},)"
    R"({"created_by":"CMD","empty_layer":true}],"moby.buildkit.cache.v0":"abc","os":"linux",)"
    R"("rootfs":{"type":"layers","diff_ids":["sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"]},)"
    R"("variant":"v8"})";

}  // namespace

TEST_CASE("manifests survive reading and writing byte for byte") {
  const auto manifest = parse_manifest(k_manifest_text, "m");
  REQUIRE(manifest.ok());
  CHECK(manifest->layers.size() == 1);
  CHECK(manifest->layers[0].annotations.at("b") == "2");
  CHECK(serialize(*manifest) == k_manifest_text);
}

TEST_CASE("configs survive reading and writing byte for byte, unknown keys too") {
  const auto config = parse_image_config(k_config_text, "c");
  REQUIRE(config.ok());
  CHECK(config->platform.to_string() == "linux/arm64/v8");
  CHECK(config->config.exposed_ports.count("8080/tcp") == 1);
  CHECK(config->config.healthcheck->interval == 30'000'000'000);
  CHECK(config->config.extra.contains("Vendor"));
  CHECK(config->extra["moby.buildkit.cache.v0"] == "abc");
  CHECK(config->history.size() == 2);
  CHECK(config->history[1].empty_layer);
  CHECK(serialize(*config) == k_config_text);
}

TEST_CASE("configs of Docker with null fields are read") {
  const auto config = parse_image_config(
      R"({"architecture":"amd64","os":"linux","config":{"ExposedPorts":null,"Volumes":null,"Labels":null,"Entrypoint":null,)"
      R"("Cmd":["sh"],"Healthcheck":null},"rootfs":{"type":"layers","diff_ids":null},"history":null})",
      "c");
  REQUIRE(config.ok());
  CHECK(config->config.cmd == std::vector<std::string>{"sh"});
  CHECK_FALSE(config->config.healthcheck);
  CHECK(config->diff_ids.empty());
}

TEST_CASE("indexes keep platforms, variants and attestations") {
  Index index;
  index.manifests = {entry("linux/amd64", "a"), entry("linux/arm/v7", "b")};
  index.manifests.push_back(attestation(index.manifests[0]));
  index.annotations = {{"k", "v"}};
  const auto text = serialize(index);
  const auto back = parse_index(text, "i");
  REQUIRE(back.ok());
  CHECK(back->manifests == index.manifests);
  CHECK(serialize(*back) == text);
  CHECK(*detect_media_type(text, "i") == media_type::k_index);
  CHECK(platforms_text(*back) == "linux/amd64, linux/arm/v7");
}

TEST_CASE("malformed documents are refused") {
  const auto d =
      std::string(R"({"mediaType":"m","digest":"sha256:)") + std::string(64, 'a') + R"(","size":1})";
  struct Row {
    std::string text;
    ErrorCode code;
  };
  const std::vector<Row> rows = {
      {"[]", ErrorCode::invalid_input},
      {"{", ErrorCode::invalid_input},
      {R"({"schemaVersion":1,"name":"x"})", ErrorCode::unsupported},
      {R"({"schemaVersion":2})", ErrorCode::invalid_input},
      {R"({"schemaVersion":2,"manifests":[]})", ErrorCode::invalid_input},
      {R"({"schemaVersion":2,"manifests":[],"layers":[]})", ErrorCode::invalid_input},
      {R"({"schemaVersion":2,"layers":[]})", ErrorCode::invalid_input},
      {R"({"schemaVersion":2,"config":)" + d + R"(,"layers":{}})", ErrorCode::invalid_input},
      {R"({"schemaVersion":2,"config":)" + d + R"(,"layers":[{"mediaType":"m","digest":"x","size":1}]})",
       ErrorCode::invalid_input},
      {R"({"schemaVersion":2,"config":)" + d + R"(,"annotations":{"a":1}})", ErrorCode::invalid_input},
      {R"({"schemaVersion":2,"config":{"mediaType":"m","digest":"sha256:)" + std::string(64, 'a') +
           R"(","size":-1}})",
       ErrorCode::invalid_input},
  };
  for (const auto& row : rows) {
    INFO(row.text);
    const auto manifest = parse_manifest(row.text, "m");
    REQUIRE_FALSE(manifest.ok());
    CHECK(manifest.error().code == row.code);
  }
  CHECK_FALSE(parse_image_config(R"({"config":{"Env":"x"}})", "c").ok());
  CHECK_FALSE(parse_image_config(R"({"config":{"Labels":{"a":1}}})", "c").ok());
  CHECK_FALSE(parse_image_config(R"({"rootfs":{"diff_ids":["x"]}})", "c").ok());
  CHECK_FALSE(parse_image_config(R"({"history":[1]})", "c").ok());
}

TEST_CASE("a platform is chosen, attestations never") {
  Index index;
  index.manifests = {entry("linux/arm/v6", "6"), entry("linux/arm/v7", "7"), entry("linux/arm64", "64")};
  index.manifests.push_back(attestation(index.manifests[0]));
  const auto chosen = [&](const std::string& wanted) {
    auto result = choose_platform(index, *parse_platform(wanted), "app:1");
    return result.ok() ? result->platform->to_string() : result.error().message;
  };
  CHECK(chosen("linux/arm/v7") == "linux/arm/v7");
  CHECK(chosen("linux/arm/v6") == "linux/arm/v6");
  CHECK(chosen("linux/arm64") == "linux/arm64");
  CHECK(chosen("linux/amd64") ==
        "no matching manifest for linux/amd64 in app:1: present are linux/arm/v6, linux/arm/v7, linux/arm64");
  CHECK(chosen("unknown/unknown").find("no matching manifest") == 0);
}
