#include "executors/build/build_context.h"

#include "executors/base/masker.h"
#include "tests/executors/build/support.h"

using namespace drydock;
using namespace drydock::build;
using namespace drydock::build::test;
namespace fs = std::filesystem;

namespace {

/// An opened context with what it needs around it.
struct Opened {
  explicit Opened(const Bench& bench, BuildRequest the_request)
      : request(std::move(the_request)), options(bench.options) {
    bus.listen([this](const Event& event) { messages += event.text + "\n"; });
    engine = std::make_unique<Engine>(request, options, bus, stop);
    REQUIRE(engine->open().ok());
    context.emplace(BuildContext::open(*engine));
  }
  BuildContext& operator*() {
    if (!context->ok()) FAIL(context->error().to_string());
    return ***context;
  }

  BuildRequest request;
  EngineOptions options;
  Bus bus{std::make_shared<Masker>()};
  std::stop_source stop;
  std::string messages;
  std::unique_ptr<Engine> engine;
  std::optional<Result<std::unique_ptr<BuildContext>>> context;
};

std::vector<std::string> paths(BuildContext& context) {
  auto tree = context.tree();
  REQUIRE(tree.ok());
  auto entries = (*tree)->walk("");
  REQUIRE(entries.ok());
  std::vector<std::string> names;
  for (const auto& entry : *entries) {
    if (!entry.path.empty()) names.push_back(entry.path);
  }
  return names;
}

using Names = std::vector<std::string>;

void git(const fs::path& repository, std::vector<std::string> arguments) {
  std::vector<std::string> argv{"git",
                                "-C",
                                repository.string(),
                                "-c",
                                "user.name=t",
                                "-c",
                                "user.email=t@example",
                                "-c",
                                "init.defaultBranch=main"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  output_of(argv);
}

}  // namespace

TEST_CASE("context sources taken apart") {
  using Kind = ContextPlace::Kind;
  struct Case {
    const char* source;
    Kind kind;
    const char *location, *revision, *subdirectory;
  };
  const Case cases[] = {
      {"", Kind::directory, ".", "", ""},
      {".", Kind::directory, ".", "", ""},
      {"dir#x", Kind::directory, "dir#x", "", ""},
      {"/a/b", Kind::directory, "/a/b", "", ""},
      {"local-git:/r#abc", Kind::local_git, "/r", "abc", ""},
      {"local-git:/r#abc:sub/dir", Kind::local_git, "/r", "abc", "sub/dir"},
      {"local-git:/r#abc:../../etc", Kind::local_git, "/r", "abc", "etc"},
      {"https://h/r.git", Kind::remote_git, "https://h/r.git", "", ""},
      {"https://h/r.git#v1:docker", Kind::remote_git, "https://h/r.git", "v1", "docker"},
      {"https://h/r.git#:docker", Kind::remote_git, "https://h/r.git", "", "docker"},
      {"git@h:o/r.git#main", Kind::remote_git, "git@h:o/r.git", "main", ""},
  };
  for (const auto& item : cases) {
    CAPTURE(item.source);
    const auto place = parse_context_source(item.source);
    CHECK(place.kind == item.kind);
    CHECK(place.location == item.location);
    CHECK(place.revision == item.revision);
    CHECK(place.subdirectory == item.subdirectory);
  }
}

TEST_CASE("where the Dockerfile is looked for") {
  Bench bench;
  bench.dockerfile("FROM scratch\n");
  bench.file("docker/app.Dockerfile", "FROM app\n");
  write(bench.scratch() / "beside.Dockerfile", "FROM beside\n");
  struct Case {
    std::string dockerfile, name, text;
  };
  const Case cases[] = {
      {"", "Dockerfile", "FROM scratch\n"},
      {"docker/app.Dockerfile", "docker/app.Dockerfile", "FROM app\n"},
      {(bench.scratch() / "beside.Dockerfile").string(), (bench.scratch() / "beside.Dockerfile").string(),
       "FROM beside\n"},
      {(bench.context() / "Dockerfile").string(), "Dockerfile", "FROM scratch\n"},
  };
  for (const auto& item : cases) {
    CAPTURE(item.dockerfile);
    auto request = bench.request;
    request.dockerfile = item.dockerfile;
    Opened opened(bench, request);
    CHECK((*opened).dockerfile().name == item.name);
    CHECK((*opened).dockerfile().text == item.text);
  }
  auto request = bench.request;
  request.dockerfile = "none/such";
  Opened missing(bench, request);
  REQUIRE_FALSE(missing.context->ok());
  CHECK(missing.context->error().message.find("none/such") != std::string::npos);
  CHECK_FALSE(missing.context->error().mend.empty());

  request.dockerfile_inline = "FROM inline\n";
  Opened inlined(bench, request);
  CHECK((*inlined).dockerfile().text == "FROM inline\n");
}

TEST_CASE("contexts that are none") {
  Bench bench;
  bench.dockerfile("FROM scratch\n");
  auto request = bench.request;
  request.context.source = (bench.scratch() / "nowhere").string();
  Opened missing(bench, request);
  REQUIRE_FALSE(missing.context->ok());
  CHECK(missing.context->error().code == ErrorCode::not_found);
  request.context.source = (bench.context() / "Dockerfile").string();
  Opened file(bench, request);
  REQUIRE_FALSE(file.context->ok());
  CHECK(file.context->error().code == ErrorCode::invalid_input);
}

TEST_CASE(".dockerignore, and the one of the Dockerfile's own name") {
  Bench bench;
  bench.dockerfile("FROM scratch\n");
  bench.file("docker/app.Dockerfile", "FROM app\n");
  bench.file(".dockerignore", "*\n!a\n");
  bench.file("docker/app.Dockerfile.dockerignore", "*\n!b\n");
  bench.file("a", "");
  bench.file("b", "");
  {
    Opened opened(bench, bench.request);
    CHECK(paths(*opened) == Names{"a"});
    CHECK((*opened).ignores("b"));
    CHECK_FALSE((*opened).ignores("a"));
    // The Dockerfile is read although it is left out.
    CHECK((*opened).dockerfile().text == "FROM scratch\n");
  }
  auto request = bench.request;
  request.dockerfile = "docker/app.Dockerfile";
  Opened opened(bench, request);
  CHECK(paths(*opened) == Names{"b"});
}

TEST_CASE("a wrong .dockerignore pattern warns with its place") {
  Bench bench;
  bench.dockerfile("FROM scratch\n");
  bench.file(".dockerignore", "ok\n[wrong\n");
  bench.file("ok", "");
  Opened opened(bench, bench.request);
  CHECK(paths(*opened) == Names{".dockerignore", "Dockerfile"});
  CHECK(opened.messages.find("[wrong") != std::string::npos);
}

TEST_CASE("named contexts") {
  Bench bench;
  bench.dockerfile("FROM scratch\n");
  write(bench.scratch() / "other/x", "");
  write(bench.scratch() / "other/y", "");
  write(bench.scratch() / "other/.dockerignore", "y\n");
  auto request = bench.request;
  request.named_contexts = {{"Other", (bench.scratch() / "other").string()}};
  Opened opened(bench, request);
  auto tree = (*opened).named("other");
  REQUIRE(tree.ok());
  CHECK((*tree)->match("x").ok());
  CHECK_FALSE((*tree)->match("y").ok());
  const auto missing = (*opened).named("none");
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().code == ErrorCode::not_found);
}

TEST_CASE("a commit of a local repository, with the commit's times") {
  Bench bench;
  const auto repository = bench.scratch().make("repository");
  git(repository, {"init", "-q"});
  write(repository / "Dockerfile", "FROM first\n");
  write(repository / "sub/Dockerfile", "FROM sub\n");
  write(repository / "sub/run.sh", "x", 0755);
  fs::create_symlink("run.sh", repository / "sub/link");
  git(repository, {"add", "-A"});
  output_of({"env", "GIT_COMMITTER_DATE=1500000000 +0000", "GIT_AUTHOR_DATE=1400000000 +0000", "git", "-C",
             repository.string(), "-c", "user.name=t", "-c", "user.email=t@example", "commit", "-qm", "one"});
  auto commit = output_of({"git", "-C", repository.string(), "rev-parse", "HEAD"});
  commit.pop_back();
  write(repository / "Dockerfile", "FROM uncommitted\n");
  write(repository / "untracked", "x");

  auto request = bench.request;
  request.context.source = "local-git:" + repository.string() + "#" + commit;
  {
    Opened opened(bench, request);
    CHECK((*opened).dockerfile().text == "FROM first\n");
    CHECK(paths(*opened) == Names{"Dockerfile", "sub", "sub/Dockerfile", "sub/link", "sub/run.sh"});
    for (const auto* path : {"Dockerfile", "sub", "sub/link", "sub/run.sh"}) {
      CAPTURE(path);
      CHECK(mtime(fs::path((*opened).root()) / path) == 1500000000);
    }
  }
  request.context.source += ":sub";
  {
    Opened opened(bench, request);
    CHECK((*opened).dockerfile().text == "FROM sub\n");
    CHECK(paths(*opened) == Names{"Dockerfile", "link", "run.sh"});
    CHECK((fs::status(fs::path((*opened).root()) / "run.sh").permissions() & fs::perms::owner_exec) !=
          fs::perms::none);
  }
  request.context.source = "local-git:" + repository.string() + "#" + std::string(40, '0');
  Opened unknown(bench, request);
  REQUIRE_FALSE(unknown.context->ok());
  CHECK(unknown.context->error().code == ErrorCode::not_found);
  request.context.source = "local-git:" + repository.string() + "#" + commit + ":none";
  Opened nowhere(bench, request);
  REQUIRE_FALSE(nowhere.context->ok());
  CHECK(nowhere.context->error().code == ErrorCode::not_found);
  request.context.source = "local-git:" + repository.string() + "#" + commit + ":Dockerfile";
  Opened file(bench, request);
  CHECK_FALSE(file.context->ok());
}
