#include "executors/build/build_service.h"

#include <nlohmann/json.hpp>

#include "executors/build/build_engine.h"
#include "tests/support/catch.h"

using namespace drydock;
using namespace drydock::build;

namespace {

BuildRequest full_request() {
  BuildRequest r;
  r.context.source = "/src";
  r.dockerfile = "docker/Dockerfile";
  r.dockerfile_inline = "FROM scratch\n";
  r.named_contexts = {{"n", "/n"}};
  r.target = "t";
  r.platforms = {{"linux", "amd64", "", ""}, {"linux", "arm", "v7", ""}};
  r.build_args = {{"A", "1"}};
  r.labels = {{"l", "2"}};
  r.annotations = {"index:a=b"};
  r.tags = {"x/y:1", "x/y:2"};
  r.cache_from = {{"registry", {{"ref", "x/y:c"}}}};
  r.cache_to = {{"registry", {{"ref", "x/y:c"}, {"mode", "max"}}}};
  r.outputs = {{"oci", {{"dest", "o.tar"}}}};
  r.push = r.load = r.no_cache = r.pull = r.check_only = true;
  r.no_cache_filters = {"f"};
  r.secrets = {{"id", std::string("va\xffl\0ue\n", 8)}};
  r.ssh = {"default"};
  r.network = "host";
  r.add_hosts = {"h:1.2.3.4"};
  r.allow = {"network.host"};
  r.ulimits = {"nofile=1:2"};
  r.shm_size = "64m";
  r.provenance = "mode=max";
  r.sbom = "false";
  r.docker_config_dir = "/d";
  r.job = "j";
  r.step = "3";
  return r;
}

}  // namespace

TEST_CASE("a build request survives JSON, whole") {
  auto request = full_request();
  request.secrets[0].value = "value\n";
  const auto json = to_json(request);
  const auto back = build_request_from_json(nlohmann::json::parse(json.dump()));
  REQUIRE(back.ok());
  CHECK(to_json(*back) == json);
  CHECK(back->platforms == request.platforms);
  CHECK(back->dockerfile_inline == request.dockerfile_inline);
  CHECK(back->secrets.at(0).value == "value\n");
  CHECK(back->cache_to.at(0).attributes.at("mode") == "max");
  CHECK(back->check_only);
  // Nothing is lost between the struct and its JSON: an empty one differs in every key but the schema.
  const auto empty = to_json(BuildRequest{});
  for (const auto& [key, value] : json.items()) {
    if (key != "schema" && empty.contains(key)) {
      CAPTURE(key);
      CHECK(value != empty[key]);
    }
  }
}

TEST_CASE("build requests that are none are refused") {
  const auto good = to_json(full_request());
  CHECK_FALSE(build_request_from_json(nlohmann::json::object()).ok());
  CHECK_FALSE(build_request_from_json(nlohmann::json::array()).ok());
  auto newer = good;
  newer["schema"] = 99;
  const auto refused = build_request_from_json(newer);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::unsupported);
  for (const auto& [key, value] : good.items()) {
    CAPTURE(key);
    auto wrong = good;
    wrong[key] = {{"not", "this"}};
    // An object is a map's right form, with the wrong content.
    if (key == "named_contexts" || key == "build_args" || key == "labels") wrong[key] = 7;
    CHECK_FALSE(build_request_from_json(wrong).ok());
  }
}

TEST_CASE("a build result survives JSON") {
  BuildResult result;
  result.digest = "sha256:d";
  result.image_id = "sha256:i";
  result.media_type = "m";
  result.size = 77;
  result.published = {"x/y:1"};
  LegResult leg;
  leg.platform = {"linux", "arm64", "", ""};
  leg.manifest_digest = "sha256:m";
  leg.config_digest = "sha256:c";
  leg.manifest_size = 5;
  leg.execution = Execution::emulated;
  leg.steps_run = 3;
  leg.steps_cached = 4;
  result.legs = {leg};
  const auto json = to_json(result);
  const auto back = build_result_from_json(json);
  REQUIRE(back.ok());
  CHECK(to_json(*back) == json);
  CHECK(back->legs.at(0).execution == Execution::emulated);
  CHECK(back->legs.at(0).steps_cached == 4);
  auto newer = json;
  newer["schema"] = 9;
  CHECK_FALSE(build_result_from_json(newer).ok());

  const auto metadata = result.metadata();
  CHECK(metadata["containerimage.digest"] == "sha256:d");
  CHECK(metadata["containerimage.config.digest"] == "sha256:c");
  CHECK(metadata["containerimage.descriptor"]["size"] == 77);
  CHECK(metadata["image.name"] == "x/y:1");
}

TEST_CASE("an engine's result survives JSON") {
  EngineResult result;
  EngineLeg leg;
  leg.result.platform = {"linux", "arm64", "", ""};
  leg.manifest.media_type = oci::media_type::k_manifest;
  leg.manifest.digest = oci::digest_of("m");
  leg.manifest.size = 3;
  leg.manifest.platform = leg.result.platform;
  leg.manifest.annotations = {{"a", "b"}};
  leg.attestation = leg.manifest;
  leg.attestation->digest = oci::digest_of("a");
  result.legs = {leg};
  result.repositories = {"x/y"};
  result.files = {"o.tar"};
  const auto back = engine_result_from_json(to_json(result));
  REQUIRE(back.ok());
  REQUIRE(back->legs.size() == 1);
  CHECK(back->legs[0].manifest == leg.manifest);
  REQUIRE(back->legs[0].attestation);
  CHECK(*back->legs[0].attestation == *leg.attestation);
  CHECK(back->repositories == result.repositories);
  CHECK(back->files == result.files);
  CHECK_FALSE(engine_result_from_json(nlohmann::json::object()).ok());
}

TEST_CASE("cache specs") {
  using Map = std::map<std::string, std::string>;
  struct Case {
    const char* text;
    const char* type;
    Map attributes;
  };
  const Case cases[] = {
      {"x/y:cache", "registry", {{"ref", "x/y:cache"}}},
      {"type=registry,ref=x/y:c,mode=max", "registry", {{"ref", "x/y:c"}, {"mode", "max"}}},
      {"ref=x/y,type=registry", "registry", {{"ref", "x/y"}}},
      {"type=local,\"dest=a,b\"", "local", {{"dest", "a,b"}}},
      {"type=local,\"dest=a\"\"b\"", "local", {{"dest", "a\"b"}}},
      {"type=gha,scope=a=b", "gha", {{"scope", "a=b"}}},
      {"type=inline", "inline", {}},
  };
  for (const auto& item : cases) {
    CAPTURE(item.text);
    const auto spec = parse_cache_spec(item.text);
    REQUIRE(spec.ok());
    CHECK(spec->type == item.type);
    CHECK(spec->attributes == item.attributes);
  }
  for (const auto* wrong : {"ref=x/y", "type=registry,ref", "type=,ref=x", "type=local,\"dest=x"}) {
    CAPTURE(wrong);
    const auto spec = parse_cache_spec(wrong);
    REQUIRE_FALSE(spec.ok());
    CHECK(spec.error().code == ErrorCode::usage);
  }
}

TEST_CASE("output specs") {
  using Map = std::map<std::string, std::string>;
  struct Case {
    const char* text;
    const char* type;
    Map attributes;
  };
  const Case cases[] = {
      {"out", "local", {{"dest", "out"}}},
      {"-", "tar", {{"dest", "-"}}},
      {"type=oci,dest=x.tar", "oci", {{"dest", "x.tar"}}},
      {"type=registry", "image", {{"push", "true"}}},
      {"type=image,name=a/b,push-by-digest=true,push=true",
       "image",
       {{"name", "a/b"}, {"push-by-digest", "true"}, {"push", "true"}}},
      {"type=image,\"name=a/b,c/d\"", "image", {{"name", "a/b,c/d"}}},
  };
  for (const auto& item : cases) {
    CAPTURE(item.text);
    const auto spec = parse_output_spec(item.text);
    REQUIRE(spec.ok());
    CHECK(spec->type == item.type);
    CHECK(spec->attributes == item.attributes);
  }
  for (const auto* wrong : {"dest=x", "type=oci,x"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_output_spec(wrong).ok());
  }
}

TEST_CASE("what is pushed, and where to") {
  BuildRequest request;
  CHECK_FALSE(wants_push(request));
  request.outputs = {{"image", {{"name", "r.example/a/b"}}}};
  CHECK_FALSE(wants_push(request));
  request.outputs[0].attributes["push"] = "true";
  CHECK(wants_push(request));
  request.tags = {"r.example/a/b:1", "r.example/a/b:2", "r.example/c@" + oci::digest_of("x").to_string()};
  auto targets = push_targets(request);
  REQUIRE(targets.ok());
  REQUIRE(targets->size() == 2);
  CHECK((*targets)[0].name() == "r.example/a/b");
  CHECK((*targets)[1].name() == "r.example/c");

  // One attribute may hold several names.
  request.tags.clear();
  request.outputs[0].attributes["name"] = "r.example/a,r.example/b:2";
  targets = push_targets(request);
  REQUIRE(targets.ok());
  REQUIRE(targets->size() == 2);
  CHECK((*targets)[1].name() == "r.example/b");

  request.outputs.clear();
  request.push = true;
  targets = push_targets(request);
  REQUIRE_FALSE(targets.ok());
  CHECK(targets.error().code == ErrorCode::usage);
  request.tags = {"r.example/UPPER"};
  CHECK_FALSE(push_targets(request).ok());
}
