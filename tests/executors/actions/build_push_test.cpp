#include <nlohmann/json.hpp>

#include "executors/build/build_service.h"
#include "tests/executors/actions/support.h"

using namespace drydock;
using namespace drydock::actions;

namespace {

class FakeBuilder : public build::BuildService {
 public:
  Result<build::BuildResult> build(const build::BuildRequest& request, Bus&, std::stop_token) override {
    asked = request;
    if (request.target == "broken") return make_error(ErrorCode::failed, "RUN failed");
    build::BuildResult result;
    result.digest = "sha256:d";
    result.image_id = "sha256:i";
    result.published = request.tags;
    return result;
  }
  build::BuildRequest asked;
};

struct Bench {
  FakeBuilder builder;
  test::Setting setting;

  explicit Bench(step::NoCaseMap<std::string> inputs = {}) {
    setting = {.uses = "docker/build-push-action@v5", .inputs = std::move(inputs),
               .github = {{"sha", "abc"}, {"server_url", "https://h"}, {"repository", "o/r"}, {"event", nlohmann::json::object()}},
               .environment = {{"GITHUB_RUN_ID", "9"}, {"FROM_ENV", "e"}}};
    setting.places = {.workspace = "/w", .docker_config = "/config", .source = "/src"};
    setting.builder = &builder;
  }
  test::Done run() { return test::run(*make_build_push({}), setting); }
};

}  // namespace

TEST_CASE("every input arrives in the request") {
  Bench bench({{"context", "."}, {"file", "docker/app.Dockerfile"}, {"platforms", "linux/amd64,linux/arm64"}, {"push", "true"},
               {"tags", "r/a:1\nr/a:2,r/a:3"}, {"labels", "k=v\nurl=a=b"}, {"build-args", "A=1,2\nFROM_ENV\nUNSET"},
               {"cache-from", "type=registry,ref=r/a:c\nr/b:c"}, {"cache-to", "type=registry,ref=r/a:c,mode=max"},
               {"outputs", "type=local,dest=out"}, {"annotations", "index:x=y"}, {"no-cache", "true"}, {"pull", "true"},
               {"no-cache-filters", "a,b"}, {"secrets", "one=1\nempty="}, {"secret-envs", "two=FROM_ENV"}, {"target", "app"},
               {"network", "host"}, {"shm-size", "2g"}, {"ulimit", "nofile=1:2"}, {"add-hosts", "d=10.0.0.1"}, {"allow", "network.host"},
               {"build-contexts", "lib=../lib\nbase=docker-image://node:22"}, {"provenance", "mode=min"}});
  const auto done = bench.run();
  INFO(done.error());
  REQUIRE(done.status.ok());
  const auto json = build::to_json(bench.builder.asked);
  const nlohmann::json expected{
      {"context", "/w"}, {"dockerfile", "/w/docker/app.Dockerfile"}, {"platforms", {"linux/amd64", "linux/arm64"}}, {"push", true},
      {"tags", {"r/a:1", "r/a:2", "r/a:3"}}, {"labels", {{"k", "v"}, {"url", "a=b"}}}, {"build_args", {{"A", "1,2"}, {"FROM_ENV", "e"}}},
      {"annotations", {"index:x=y"}}, {"no_cache", true}, {"pull", true}, {"no_cache_filters", {"a", "b"}}, {"target", "app"},
      {"network", "host"}, {"shm_size", "2g"}, {"ulimits", {"nofile=1:2"}}, {"add_hosts", {"d:10.0.0.1"}}, {"allow", {"network.host"}},
      {"named_contexts", {{"lib", "/lib"}, {"base", "docker-image://node:22"}}}, {"load", false}, {"docker_config_dir", "/config"},
      {"job", "job"}, {"step", "1"}, {"check_only", false},
      {"provenance", "mode=min,builder-id=https://h/o/r/actions/runs/9/attempts/1"}};
  for (const auto& [key, value] : expected.items()) {
    INFO(key);
    CHECK(json.at(key) == value);
  }
  CHECK(bench.builder.asked.cache_from.at(1).attributes.at("ref") == "r/b:c");
  CHECK(bench.builder.asked.cache_to.at(0).attributes.at("mode") == "max");
  CHECK(bench.builder.asked.outputs.at(0).attributes.at("dest") == "/w/out");
  REQUIRE(bench.builder.asked.secrets.size() == 2);
  CHECK(bench.builder.asked.secrets[1].value == "e");
  CHECK(done.said("'empty' is not a valid secret"));
  CHECK(done.output("digest") == "sha256:d");
  CHECK(done.output("imageid") == "(none)");  // a directory was made
  CHECK(nlohmann::json::parse(done.output("metadata"))["containerimage.digest"] == "sha256:d");
}

TEST_CASE("without a context the commit is built") {
  const std::pair<const char*, const char*> rows[] = {{"", "local-git:/src#abc"},
                                                      {"{{defaultContext}}:sub", "local-git:/src#abc:sub"},
                                                      {"sub/./dir", "/w/sub/dir"},
                                                      {"https://h/x.git#main", "https://h/x.git#main"}};
  for (const auto& [given, source] : rows) {
    Bench bench({{"context", given}, {"file", "D"}});
    REQUIRE(bench.run().status.ok());
    CHECK(bench.builder.asked.context.source == source);
    CHECK(bench.builder.asked.dockerfile == (std::string(source).starts_with("/") ? "/w/D" : "D"));
  }
}

TEST_CASE("provenance by input, attests and repository") {
  struct Row {
    step::NoCaseMap<std::string> inputs;
    bool is_private;
    const char* expected;
  };
  const std::string id = ",builder-id=https://h/o/r/actions/runs/9/attempts/1";
  const Row rows[] = {{{}, false, "mode=max+"},
                      {{}, true, "mode=min,inline-only=true+"},
                      {{{"provenance", "false"}}, false, "false"},
                      {{{"provenance", "true"}}, false, "mode=max+"},
                      {{{"provenance", "mode=min,builder-id=x"}}, false, "mode=min,builder-id=x"},
                      {{{"attests", "type=provenance,mode=min"}}, false, "mode=min+"},
                      {{{"attests", "type=provenance,disabled=true"}}, false, "false"},
                      {{{"load", "true"}}, false, ""},
                      {{{"outputs", "type=docker,dest=x.tar"}}, false, ""}};
  for (const auto& row : rows) {
    Bench bench(row.inputs);
    bench.setting.github["event"] = {{"repository", {{"private", row.is_private}}}};
    REQUIRE(bench.run().status.ok());
    std::string expected = row.expected;
    if (expected.ends_with('+')) expected = expected.substr(0, expected.size() - 1) + id;
    CHECK(bench.builder.asked.provenance == expected);
  }
}

TEST_CASE("what cannot be built is refused with the input's name") {
  struct Row {
    step::NoCaseMap<std::string> inputs;
    ErrorCode code;
    const char* text;
  };
  const Row rows[] = {{{{"cgroup-parent", "x"}}, ErrorCode::unsupported, "input 'cgroup-parent'"},
                      {{{"ssh", "default"}}, ErrorCode::unsupported, "input 'ssh'"},
                      {{{"sbom", "true"}}, ErrorCode::unsupported, "input 'sbom'"},
                      {{{"attests", "type=sbom"}}, ErrorCode::unsupported, "input 'attests'"},
                      {{{"call", "outline"}}, ErrorCode::unsupported, "input 'call'"},
                      {{{"platforms", "linux/vax?"}}, ErrorCode::usage, "input 'platforms'"},
                      {{{"push", "yes"}}, ErrorCode::usage, "'push'"},
                      {{{"push", "true"}}, ErrorCode::usage, "input 'tags' is empty"},
                      {{{"target", "broken"}}, ErrorCode::failed, "RUN failed"}};
  for (const auto& row : rows) {
    Bench bench(row.inputs);
    const auto done = bench.run();
    INFO(done.error());
    REQUIRE(!done.status.ok());
    CHECK(done.status.error().code == row.code);
    CHECK(done.error().find(row.text) != std::string::npos);
  }
  Bench none;
  none.setting.builder = nullptr;
  CHECK(none.run().status.error().code == ErrorCode::environment);
}
