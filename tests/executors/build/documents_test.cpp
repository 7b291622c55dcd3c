#include <nlohmann/json.hpp>

#include "executors/base/json.h"
#include "executors/build/annotations.h"
#include "executors/build/cache_format.h"
#include "executors/build/provenance.h"
#include "tests/support/catch.h"

using namespace drydock;
using namespace drydock::build;

namespace {

const Platform k_amd64{"linux", "amd64", "", ""}, k_arm64{"linux", "arm64", "", ""};

}  // namespace

TEST_CASE("annotations as buildx reads them") {
  using Place = AnnotationPlace;
  struct Case {
    const char* text;
    std::vector<Place> places;
    const char* platform;  // "" for all
    const char* key;
    const char* value;
  };
  const Case cases[] = {
      {"a=b", {Place::manifest}, "", "a", "b"},
      {"a=b=c", {Place::manifest}, "", "a", "b=c"},
      {"a=", {Place::manifest}, "", "a", ""},
      {"index:a=b", {Place::index}, "", "a", "b"},
      {"manifest,index:a=b", {Place::manifest, Place::index}, "", "a", "b"},
      {"manifest[linux/arm64]:a=b", {Place::manifest}, "linux/arm64", "a", "b"},
      {"manifest-descriptor[linux/amd64]:a=b", {Place::manifest_descriptor}, "linux/amd64", "a", "b"},
      {"index-descriptor:a=b", {Place::index_descriptor}, "", "a", "b"},
      {"org.example:key=v", {Place::manifest}, "", "org.example:key", "v"},
      {"a=https://x/y", {Place::manifest}, "", "a", "https://x/y"},
      {"index:a:b=c", {Place::index}, "", "a:b", "c"},
  };
  for (const auto& item : cases) {
    CAPTURE(item.text);
    const auto parsed = parse_annotations({item.text});
    REQUIRE(parsed.ok());
    REQUIRE(parsed->size() == item.places.size());
    for (std::size_t i = 0; i < item.places.size(); ++i) {
      const auto& annotation = (*parsed)[i];
      CHECK(annotation.place == item.places[i]);
      CHECK((annotation.platform ? annotation.platform->to_string() : "") == item.platform);
      CHECK(annotation.key == item.key);
      CHECK(annotation.value == item.value);
    }
  }
  for (const auto* wrong : {"", "a", "=b", "index:a", "index:=b", "manifest[nonsense/x/y/z/a]:a=b"}) {
    CAPTURE(wrong);
    const auto parsed = parse_annotations({wrong});
    REQUIRE_FALSE(parsed.ok());
    CHECK(parsed.error().code == ErrorCode::usage);
  }
}

TEST_CASE("annotations go to their place and platform, the last one of a key wins") {
  const auto all = parse_annotations(
      {"a=1", "manifest[linux/arm64]:a=2", "index:i=3", "manifest-descriptor:d=4", "b=5", "b=6"});
  REQUIRE(all.ok());
  using Map = std::map<std::string, std::string>;
  CHECK(annotations_for(*all, AnnotationPlace::manifest, k_amd64) == Map{{"a", "1"}, {"b", "6"}});
  CHECK(annotations_for(*all, AnnotationPlace::manifest, k_arm64) == Map{{"a", "2"}, {"b", "6"}});
  CHECK(annotations_for(*all, AnnotationPlace::index, {}) == Map{{"i", "3"}});
  CHECK(annotations_for(*all, AnnotationPlace::manifest_descriptor, k_arm64) == Map{{"d", "4"}});
  CHECK(annotations_for(*all, AnnotationPlace::index_descriptor, {}).empty());
}

TEST_CASE("provenance: the modes") {
  const std::pair<const char*, ProvenanceMode> known[] = {
      {"", ProvenanceMode::none},
      {"false", ProvenanceMode::none},
      {"disabled=true", ProvenanceMode::none},
      {"true", ProvenanceMode::min},
      {"min", ProvenanceMode::min},
      {"mode=min", ProvenanceMode::min},
      {"max", ProvenanceMode::max},
      {"mode=max", ProvenanceMode::max},
      {"mode=max,builder-id=x", ProvenanceMode::max},
      {"mode=min,inline-only=true", ProvenanceMode::min},
  };
  for (const auto& [text, mode] : known) {
    CAPTURE(text);
    const auto parsed = parse_provenance(text);
    REQUIRE(parsed.ok());
    CHECK(*parsed == mode);
  }
  for (const auto* wrong : {"maximal", "mode=all", "mode=max,what=1"}) {
    CAPTURE(wrong);
    const auto parsed = parse_provenance(wrong);
    REQUIRE_FALSE(parsed.ok());
    CHECK(parsed.error().code == ErrorCode::usage);
  }
}

TEST_CASE("provenance: the statement") {
  BuildRequest request;
  request.target = "web";
  request.build_args = {{"TOKEN", "build-arg-value"}};
  request.labels = {{"l", "label-value"}};
  request.secrets = {{"s", "secret-value"}};
  ProvenanceFacts facts;
  facts.request = &request;
  facts.dockerfile_name = "Dockerfile";
  facts.dockerfile_text = "FROM scratch\n";
  facts.platform = k_arm64;
  facts.image = oci::digest_of("image");
  facts.image_names = {"registry.example/app:1"};
  oci::Descriptor base;
  base.digest = oci::digest_of("base");
  facts.materials["docker.io/library/node:22@" + base.digest.to_string() + " linux/arm64"] = base;

  const auto min = provenance_statement(facts, ProvenanceMode::min);
  const auto expected = Json::parse(R"({
    "_type": "https://in-toto.io/Statement/v0.1",
    "predicateType": "https://slsa.dev/provenance/v0.2",
    "subject": [{"name": "NAME", "digest": {"sha256": "IMAGE"}}],
    "predicate": {
      "builder": {"id": "https://drydock.dev/build/v1"},
      "buildType": "https://mobyproject.org/buildkit@v1",
      "materials": [{"uri": "URI", "digest": {"sha256": "BASE"}}],
      "invocation": {
        "configSource": {"entryPoint": "Dockerfile"},
        "parameters": {"frontend": "dockerfile.v0", "args": {"target": "web"}},
        "environment": {"platform": "linux/arm64"}},
      "metadata": {"completeness": {"parameters": false, "environment": true, "materials": false}, "reproducible": false}
    }})");
  auto wanted = expected;
  const auto url = [](const std::string& name, const oci::Digest& digest) {
    return "pkg:docker/" + name + "?digest=" + digest.to_string() + "&platform=linux%2Farm64";
  };
  wanted["subject"][0] = {{"name", url("registry.example/app:1", facts.image)},
                          {"digest", {{"sha256", facts.image.hex()}}}};
  wanted["predicate"]["materials"][0] = {{"uri", url("docker.io/library/node:22", base.digest)},
                                         {"digest", {{"sha256", base.digest.hex()}}}};
  CHECK(Json::parse(min) == wanted);
  // Equal inputs, equal bytes: no times, no ids of the run.
  CHECK(min == provenance_statement(facts, ProvenanceMode::min));

  const auto max = provenance_statement(facts, ProvenanceMode::max);
  CHECK(Json::parse(max)["predicate"]["invocation"]["parameters"]["args"]["build-arg:TOKEN"] ==
        "build-arg-value");
  CHECK(min.find("build-arg-value") == std::string::npos);
  CHECK(min.find("label-value") == std::string::npos);
  CHECK(max.find("secret-value") == std::string::npos);
  CHECK(max.find("startedOn") == std::string::npos);

  facts.image_names.clear();
  const auto unnamed = Json::parse(provenance_statement(facts, ProvenanceMode::min));
  REQUIRE(unnamed["subject"].size() == 1);
  CHECK(unnamed["subject"][0]["digest"]["sha256"] == std::string(facts.image.hex()));
}

TEST_CASE("names of cache tags") {
  struct Case {
    const char* tag;
    const char* target;
    Platform platform;
    const char* name;
  };
  const Case cases[] = {
      {"buildcache", "", k_arm64, "buildcache.linux-arm64"},
      {"buildcache", "web", k_amd64, "buildcache.web.linux-amd64"},
      {"c", "", {"linux", "arm", "v7", ""}, "c.linux-arm-v7"},
      {"c", "a/b:c d", k_amd64, "c.a-b-c-d.linux-amd64"},
  };
  for (const auto& item : cases) CHECK(cache_tag(item.tag, item.target, item.platform) == item.name);

  const std::string long_tag(120, 't');
  const auto one = cache_tag(long_tag, "", k_amd64), two = cache_tag(long_tag, "", k_arm64);
  CHECK(one.size() <= 128);
  CHECK(two.size() <= 128);
  CHECK(one != two);
  CHECK(one == cache_tag(long_tag, "", k_amd64));
  CHECK(cache_tag(std::string(114, 't'), "", k_amd64) == std::string(114, 't') + ".linux-amd64");
  const auto hostile = cache_tag("c", std::string(400, '\xc3') + "/..\n", k_amd64);
  CHECK(hostile.size() <= 128);
  CHECK(hostile.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
        std::string::npos);
}

TEST_CASE("cache configs survive writing and reading") {
  CacheEntry layer;
  layer.key = oci::digest_of("k1");
  layer.result.description = "RUN make";
  layer.result.diff_id = oci::digest_of("diff");
  layer.result.blob = oci::BlobInfo{};
  layer.result.blob->media_type = oci::media_type::k_layer_gzip;
  layer.result.blob->digest = oci::digest_of("blob");
  layer.result.blob->size = 12345678901;
  layer.result.created = oci::TimePoint(std::chrono::seconds(1700000000));
  CacheEntry empty;
  empty.key = oci::digest_of("k2");
  empty.result.empty = true;
  CacheEntry alias;
  alias.key = oci::digest_of("k3");
  alias.result.leads_to = oci::digest_of("k1");
  const auto text = cache_config({layer, empty, alias}).dump();
  const auto read = read_cache_config(text);
  REQUIRE(read.ok());
  REQUIRE(read->size() == 3);
  CHECK((*read)[0].key == layer.key);
  CHECK((*read)[0].result.description == "RUN make");
  CHECK((*read)[0].result.diff_id == layer.result.diff_id);
  CHECK((*read)[0].result.blob->digest == layer.result.blob->digest);
  CHECK((*read)[0].result.blob->media_type == layer.result.blob->media_type);
  CHECK((*read)[0].result.blob->size == 12345678901);
  CHECK((*read)[0].result.created == layer.result.created);
  CHECK((*read)[1].result.empty);
  CHECK_FALSE((*read)[1].result.blob);
  CHECK((*read)[2].result.leads_to == layer.key);
}

TEST_CASE("cache configs that are none are refused, not guessed") {
  const std::pair<const char*, ErrorCode> cases[] = {
      {"", ErrorCode::invalid_input},
      {"[]", ErrorCode::invalid_input},
      {"{}", ErrorCode::invalid_input},
      {R"({"schema":2,"results":[]})", ErrorCode::unsupported},
      {R"({"schema":1})", ErrorCode::invalid_input},
      {R"({"schema":1,"results":{}})", ErrorCode::invalid_input},
      {R"({"schema":1,"results":[1]})", ErrorCode::invalid_input},
      {R"({"schema":1,"results":[{}]})", ErrorCode::invalid_input},
      {R"({"schema":1,"results":[{"key":"sha256:zz"}]})", ErrorCode::invalid_input},
      {R"({"schema":"1","results":[]})", ErrorCode::invalid_input},
  };
  for (const auto& [text, code] : cases) {
    CAPTURE(text);
    const auto read = read_cache_config(text);
    REQUIRE_FALSE(read.ok());
    CHECK(read.error().code == code);
  }
  const auto key = oci::digest_of("k").to_string();
  for (const auto* field :
       {R"("blob":{})", R"("blob":7)", R"("diff_id":"x")", R"("leads_to":"x")", R"("created":"yesterday")",
        R"("blob":{"mediaType":"t","digest":"x","size":1})"}) {
    CAPTURE(field);
    CHECK_FALSE(
        read_cache_config("{\"schema\":1,\"results\":[{\"key\":\"" + key + "\"," + field + "}]}").ok());
  }
}
