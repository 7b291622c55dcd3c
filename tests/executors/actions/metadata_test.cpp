#include "executors/actions/metadata_core.h"
#include "executors/actions/text.h"
#include "tests/executors/actions/support.h"

using namespace drydock;
using namespace drydock::actions;

namespace {

constexpr const char* k_sha = "860c1904a1ce19322e91ac35af1ab07466440c37";

metadata::Happening event(const std::string& name, const std::string& ref) {
  return {.event_name = name, .ref = ref, .sha = k_sha,
          .payload = {{"repository", {{"default_branch", "main"}}}, {"base_ref", "refs/heads/dev"},
                      {"pull_request", {{"base", {{"ref", "trunk"}}}}}},
          .now = 1709211909042, .commit_date = 1700000000000};
}

std::string tags_of(const std::string& name, const std::string& ref, std::vector<std::string> tags,
                    std::vector<std::string> flavor = {}, std::vector<std::string> images = {"Org/App"}) {
  const metadata::RepositoryFacts repository{.name = "app", .default_branch = "main"};
  const auto found = metadata::compute({.images = images, .tags = tags, .flavor = flavor}, event(name, ref), repository);
  return found ? join(found->tags, " ") : "! " + found.error().message;
}

}  // namespace

TEST_CASE("tags of the types") {
  struct Row {
    const char *event, *ref;
    std::vector<std::string> tags;
    const char* expected;
  };
  const Row rows[] = {
      {"push", "refs/heads/main", {}, "org/app:main"},
      {"push", "refs/heads/feat/x#1", {}, "org/app:feat-x-1"},
      {"push", "refs/tags/v1.2.3", {}, "org/app:v1.2.3 org/app:latest"},
      {"pull_request", "refs/pull/7/merge", {}, "org/app:pr-7"},
      {"schedule", "refs/heads/main", {}, "org/app:nightly org/app:main"},
      {"schedule", "refs/heads/main", {"type=schedule,pattern={{date 'YYYYMMDD'}}"}, "org/app:20240229"},
      {"push", "refs/tags/v1.2.3", {"type=semver,pattern={{version}}", "type=semver,pattern={{major}}.{{minor}}"},
       "org/app:1.2.3 org/app:1.2 org/app:latest"},
      {"push", "refs/tags/v1.2.3-rc.1", {"type=semver,pattern={{major}}", "type=semver,pattern={{raw}}"},
       "org/app:1.2.3-rc.1 org/app:v1.2.3-rc.1"},
      {"push", "refs/tags/p/v2.0.0", {"type=semver,pattern={{version}},match=v(.*)"}, "org/app:2.0.0 org/app:latest"},
      {"push", "refs/heads/main", {"type=semver,pattern={{version}},value=v3.4.5"}, "org/app:3.4.5 org/app:latest"},
      {"push", "refs/tags/nope", {"type=semver,pattern={{version}}"}, ""},
      {"push", "refs/tags/1.0rc2", {"type=pep440,pattern={{version}}"}, "org/app:1.0rc2"},
      {"push", "refs/tags/1.2.3", {"type=pep440,pattern={{major}}.{{minor}}"}, "org/app:1.2 org/app:latest"},
      {"push", "refs/tags/v8.5-b", {"type=match,pattern=v(\\d.\\d),group=1"}, "org/app:8.5 org/app:latest"},
      {"push", "refs/tags/V8", {"type=match,pattern=/v\\d/i"}, "org/app:V8 org/app:latest"},
      {"push", "refs/heads/main", {"type=edge"}, "org/app:edge"},
      {"push", "refs/heads/dev", {"type=edge,branch=dev"}, "org/app:edge"},
      {"push", "refs/heads/dev", {"type=edge"}, ""},
      {"push", "refs/heads/main", {"type=sha"}, "org/app:sha-860c190"},
      {"push", "refs/heads/main", {"type=sha,format=long,prefix="}, "org/app:860c1904a1ce19322e91ac35af1ab07466440c37"},
      {"push", "refs/heads/main", {"type=raw,value=latest"}, "org/app:latest"},
      {"push", "refs/heads/main", {"type=raw,value=a,enable={{is_default_branch}}", "type=raw,value=b,enable={{is_not_default_branch}}"},
       "org/app:a"},
      {"push", "refs/heads/main", {"type=raw,value=a", "type=sha,priority=300", "b"}, "org/app:sha-860c190 org/app:a org/app:b"},
      {"push", "refs/heads/main", {"type=raw,value={{branch}}-{{sha}},suffix=-{{date 'YY'}}"}, "org/app:main-860c190-24"},
      {"push", "refs/tags/v1", {"type=raw,value=x-{{base_ref}}-{{tag}}"}, "org/app:x-dev-v1"},
      {"pull_request", "refs/pull/1/merge", {"type=raw,value={{base_ref}}"}, "org/app:trunk"},
      {"push", "refs/heads/main", {"type=raw,value={{commit_date 'YYYY-MM-DD'}}"}, "org/app:2023-11-14"},
      {"push", "refs/heads/main", {"type=nosuch"}, "! Unknown tag type attribute: nosuch"},
      {"push", "refs/heads/main", {"type=semver"}, "! Missing pattern attribute for type=semver"},
      {"push", "refs/heads/main", {"type=raw,value=a,enable=maybe"}, "! Invalid value for enable attribute: maybe"},
      {"push", "refs/heads/main", {"type=ref,event=x"}, "! Invalid event for type=ref,event=x"},
      {"push", "refs/heads/main", {"type=raw,value={{date 'YY' zone='x'}}"}, "! Unknown zone attribute"},
  };
  for (const auto& row : rows) {
    INFO(row.event << " " << row.ref << " " << join(row.tags, " / "));
    CHECK(tags_of(row.event, row.ref, row.tags) == row.expected);
  }
}

TEST_CASE("flavors and images") {
  const std::vector<std::string> raw{"type=raw,value=a"};
  CHECK(tags_of("push", "refs/heads/main", raw, {"latest=true"}) == "org/app:a org/app:latest");
  CHECK(tags_of("push", "refs/tags/v1", {"type=ref,event=tag"}, {"latest=false"}) == "org/app:v1");
  CHECK(tags_of("push", "refs/heads/main", raw, {"latest=true", "prefix=p-,onlatest=true", "suffix=-s"}) == "org/app:p-a-s org/app:p-latest");
  CHECK(tags_of("push", "refs/heads/main", {"type=raw,value=a,prefix="}, {"prefix=p-"}) == "org/app:a");
  CHECK(tags_of("push", "refs/heads/main", raw, {"latest=x"}) == "! Invalid latest flavor entry: latest=x");
  CHECK(tags_of("push", "refs/heads/main", raw, {"colour=red"}) == "! Unknown flavor entry: colour=red");
  CHECK(tags_of("push", "refs/heads/main", raw, {}, {"one,two"}) == "one:a two:a");
  CHECK(tags_of("push", "refs/heads/main", raw, {}, {"name=one,enable=false", "name=two"}) == "two:a");
  CHECK(tags_of("push", "refs/heads/main", raw, {}, {}) == "a");
  CHECK(tags_of("push", "refs/heads/main", raw, {}, {"enable=true"}) == "! Image name attribute empty: enable=true");
}

TEST_CASE("labels, annotations, JSON and bake files") {
  metadata::Inputs inputs{.images = {"a/b"}, .labels = {"maintainer={{sha}}", "org.opencontainers.image.title=Mine", "novalue", "Zed=a=b"},
                          .annotation_levels = {"manifest", "index"}};
  const metadata::RepositoryFacts repository{"b", "Text", "https://h/a/b", "MIT", "main"};
  const auto found = metadata::compute(inputs, event("push", "refs/heads/main"), repository);
  REQUIRE(found.ok());
  CHECK(join(found->labels, "\n") ==
        "maintainer=860c190\norg.opencontainers.image.created=2024-02-29T13:05:09.042Z\norg.opencontainers.image.description=Text\n"
        "org.opencontainers.image.licenses=MIT\norg.opencontainers.image.revision=860c1904a1ce19322e91ac35af1ab07466440c37\n"
        "org.opencontainers.image.source=https://h/a/b\norg.opencontainers.image.title=Mine\norg.opencontainers.image.url=https://h/a/b\n"
        "org.opencontainers.image.version=main\nZed=a=b");
  CHECK(found->annotations.size() == 16);
  CHECK(found->annotations.back() == "index:org.opencontainers.image.version=main");
  CHECK(found->json["labels"]["Zed"] == "a=b");
  CHECK(found->bake_tags.dump() ==
        R"({"target":{"docker-metadata-action":{"tags":["a/b:main"],"args":{"DOCKER_META_IMAGES":"a/b","DOCKER_META_VERSION":"main"}}}})");
}

TEST_CASE("the metadata action reads its inputs and sets its outputs") {
  const auto temp = test::temporary();
  ActionServices services;
  services.now = [] { return Time(std::chrono::milliseconds(1709211909042)); };
  test::Setting setting{.uses = "docker/metadata-action@v5",
                        .inputs = {{"images", "a/b"}, {"tags", "type=ref,event=branch # the branch\n# none\ntype=sha"}, {"sep-tags", " "}},
                        .github = {{"event_name", "push"}, {"ref", "refs/heads/main"}, {"sha", k_sha}, {"repository", "o/b"},
                                   {"server_url", "https://h"}, {"event", nlohmann::json::object()}}};
  setting.places.temp = temp.path();
  const auto done = test::run(*make_metadata(services), setting);
  INFO(done.error());
  REQUIRE(done.status.ok());
  CHECK(done.output("tags") == "a/b:main a/b:sha-860c190");
  CHECK(done.output("version") == "main");
  CHECK(test::text_of(done.output("bake-file-tags")).find("\"a/b:sha-860c190\"") != std::string::npos);
  CHECK(done.output("labels").find("org.opencontainers.image.source=https://h/o/b") != std::string::npos);
  const auto& variables = done.effects.environment;
  CHECK(std::count(variables.begin(), variables.end(), std::pair<std::string, std::string>("DOCKER_METADATA_OUTPUT_VERSION", "main")) == 1);
  setting.environment["DOCKER_METADATA_SET_OUTPUT_ENV"] = "false";
  CHECK(test::run(*make_metadata(services), setting).effects.environment.empty());
  setting.inputs["context"] = "cloud";
  CHECK(test::run(*make_metadata(services), setting).error().find("Invalid context source: cloud") != std::string::npos);
}
