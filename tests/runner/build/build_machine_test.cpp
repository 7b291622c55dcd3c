#include "runner/build/build_machine.h"

#include "executors/base/masker.h"
#include "tests/executors/build/support.h"
#include "tests/support/registry_fixture.h"

using namespace drydock;
using namespace drydock::runner;
using build::test::output_of;
using drydock::test::RealRegistry;

namespace {

/// A build of two files through the machine, pushed to a registry.
struct Scene {
  const RealRegistry registry;
  build::test::Bench bench;
  std::vector<Event> events;

  Scene() {
    bench.dockerfile("FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /arch\n");
    bench.file("amd64", "amd64");
    bench.file("386", "386");
    bench.request.platforms = {{"linux", "amd64", "", ""}, {"linux", "386", "", ""}};
    bench.request.tags = {registry.domain() + "/app:1"};
    bench.request.push = true;
    bench.options.plain_http = {registry.domain()};
  }

  Result<build::BuildResult> run() {
    events.clear();
    Bus bus(std::make_shared<Masker>());
    bus.listen([this](const Event& event) { events.push_back(event); });
    BuildMachine machine(bench.options);
    auto result = machine.build(bench.request, bus, {});
    CHECK(machine.finished().size() == (result.ok() ? 1U : 0U));
    return result;
  }
  build::BuildResult built() {
    auto result = run();
    if (!result.ok()) FAIL(result.error().to_string());
    return std::move(*result);
  }
  std::string tags() const { return output_of({"curl", "-s", registry.url() + "/v2/app/tags/list"}); }
};

// Both platforms of the scene are native to amd64, so that its builds stay in this process.
#define NEEDS_REGISTRY()                                                                                    \
  if (!build::test::is_root()) return build::test::skipped("overlays of the machine need root");            \
  if (host_platform().architecture != "amd64") return build::test::skipped("linux/386 is not native here"); \
  if (!RealRegistry::available()) return build::test::skipped("docker-registry is not installed")

}  // namespace

TEST_CASE("settings become the engine's options") {
  Config config;
  config.registries["docker.io"].mirrors = {"http://m:1"};
  config.registries["r:5000"].plain_http = true;
  config.host_trust = true;
  config.host_registration = true;
  config.parallel = 4;
  config.store = "/s";
  const auto options = engine_options(config);
  CHECK(options.store_root == "/s");
  CHECK(options.mirrors == std::map<std::string, std::vector<std::string>>{{"docker.io", {"http://m:1"}}});
  CHECK(options.plain_http == std::vector<std::string>{"r:5000"});
  CHECK(options.host_trust == build::HostTrust::visible);
  CHECK(options.host_registration == sandbox::HostRegistration::allowed);
  CHECK(options.parallel_runs == 4);
  const auto plain = engine_options({});
  CHECK(plain.host_trust == build::HostTrust::hidden);
  CHECK(plain.host_registration == sandbox::HostRegistration::forbidden);
}

TEST_CASE("native platforms need no namespace for root, everything needs one for others") {
  const auto setting = choose_setting({host_platform()}, {});
  CHECK((setting == build::EngineSetting::machine) == build::test::is_root());
}

TEST_CASE("one index over all platforms, the tag last") {
  NEEDS_REGISTRY();
  Scene scene;
  scene.bench.request.tags.push_back(scene.registry.domain() + "/app:2");
  scene.bench.request.annotations = {"index:a=b"};
  const auto result = scene.built();
  CHECK(result.legs.size() == 2);
  CHECK(result.media_type == oci::media_type::k_index);
  CHECK(result.published.size() == 2);
  for (const auto* tag : {"1", "2"}) {
    const auto text = output_of({"skopeo", "inspect", "--raw", "--tls-verify=false",
                                 "docker://" + scene.registry.domain() + "/app:" + tag});
    CHECK(oci::digest_of(text).to_string() == result.digest);
    const auto index = Json::parse(text);
    CHECK(index["manifests"].size() == 2);
    CHECK(index["annotations"]["a"] == "b");
  }
  const auto& last = scene.events.back();
  CHECK(last.kind == EventKind::published);
  CHECK(last.digest == result.digest);
}

TEST_CASE("a leg that fails publishes nothing; the old tag still answers") {
  NEEDS_REGISTRY();
  Scene scene;
  const auto first = scene.built();
  std::filesystem::remove(scene.bench.context() / "386");
  scene.bench.file("amd64", "new");
  const auto failed = scene.run();
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().code == ErrorCode::not_found);
  const auto text = output_of(
      {"skopeo", "inspect", "--raw", "--tls-verify=false", "docker://" + scene.registry.domain() + "/app:1"});
  CHECK(oci::digest_of(text).to_string() == first.digest);
}

TEST_CASE("names of an image output are tags too") {
  NEEDS_REGISTRY();
  Scene scene;
  scene.bench.request.tags.clear();
  scene.bench.request.push = false;
  const auto domain = scene.registry.domain();
  scene.bench.request.outputs = {
      {"image", {{"name", domain + "/app:x," + domain + "/more:y"}, {"push", "true"}}}};
  const auto result = scene.built();
  CHECK(result.published.size() == 2);
  CHECK(scene.tags().find("\"x\"") != std::string::npos);
}

TEST_CASE("push-by-digest moves no tag") {
  NEEDS_REGISTRY();
  Scene scene;
  scene.bench.request.tags.clear();
  scene.bench.request.push = false;
  scene.bench.request.platforms.pop_back();
  scene.bench.request.outputs = {
      {"image", {{"name", scene.registry.domain() + "/app"}, {"push", "true"}, {"push-by-digest", "true"}}}};
  const auto result = scene.built();
  CHECK(result.published.empty());
  CHECK(result.digest == result.legs.at(0).manifest_digest);
  CHECK(scene.tags().find("\"latest\"") == std::string::npos);
  output_of({"skopeo", "inspect", "--raw", "--tls-verify=false",
             "docker://" + scene.registry.domain() + "/app@" + result.digest});
}

TEST_CASE("what is not pushed has digests and is published nowhere") {
  NEEDS_REGISTRY();
  Scene scene;
  scene.bench.request.push = false;
  scene.bench.request.platforms.pop_back();
  const auto result = scene.built();
  CHECK(result.published.empty());
  CHECK(result.image_id == result.legs.at(0).config_digest);
  CHECK(scene.tags().find("\"1\"") == std::string::npos);
}
