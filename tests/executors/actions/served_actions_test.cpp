// The native forms of upload-artifact, download-artifact and cache against the services of a run.

#include <sys/stat.h>

#include <filesystem>

#include "executors/actions/artifact_client.h"
#include "executors/base/process.h"
#include "runner/services/run_services.h"
#include "tests/executors/actions/support.h"

using namespace drydock;
using namespace drydock::actions;
using namespace drydock::actions::test;
namespace fs = std::filesystem;

namespace {

void write_in(const std::string& path, const std::string& text) {
  fs::create_directories(fs::path(path).parent_path());
  REQUIRE(write_file_atomic(path, text).ok());
}

/// One run with its services; jobs with workspaces of their own.
class Served {
 public:
  explicit Served(runner::ServiceLimits limits = {}) : place_(temporary()) {
    auto started = runner::RunServices::start({.store_root = place_.path() + "/store", .run = "100", .resumed = "", .limits = limits});
    REQUIRE(started.ok());
    services_ = std::move(*started);
  }

  std::string workspace(const std::string& job) const { return place_.path() + "/" + job + "/work"; }

  Setting setting(const std::string& job, const std::string& uses, step::NoCaseMap<std::string> inputs,
                  const std::string& ref = "refs/heads/main") {
    Setting setting;
    setting.uses = uses;
    setting.inputs = std::move(inputs);
    setting.github = {{"server_url", "https://github.com"}, {"repository", "o/r"}, {"run_id", "100"}, {"ref", ref},
                      {"event", {{"repository", {{"default_branch", "main"}}}}}};
    runner::JobFacts facts{.run = "100", .key = job, .workflow = "w", .github = OrderedJson(setting.github), .permissions = {}, .environment = ""};
    setting.environment = services_->environment_for(facts);
    setting.environment.insert({{"GITHUB_REF", ref}, {"HOME", place_.path() + "/" + job + "/home"}, {"PATH", current_environment()["PATH"]}});
    setting.places.workspace = workspace(job);
    setting.places.temp = place_.path() + "/" + job + "/temp";
    fs::create_directories(setting.places.workspace);
    fs::create_directories(setting.places.temp);
    return setting;
  }

  Done upload(const std::string& job, step::NoCaseMap<std::string> inputs) {
    return run(*make_upload_artifact(), setting(job, "actions/upload-artifact@v4", std::move(inputs)));
  }
  Done download(const std::string& job, step::NoCaseMap<std::string> inputs, const std::string& version = "v5") {
    return run(*make_download_artifact(), setting(job, "actions/download-artifact@" + version, std::move(inputs)));
  }
  Done merge(const std::string& job, step::NoCaseMap<std::string> inputs) {
    return run(*make_merge_artifacts(), setting(job, "actions/upload-artifact/merge@v4", std::move(inputs)));
  }
  std::string text(const std::string& job, const std::string& path) const { return text_of(workspace(job) + "/" + path); }

 private:
  TempDir place_;
  std::unique_ptr<runner::RunServices> services_;
};

}  // namespace

TEST_CASE("an artifact from one job to another") {
  Served served;
  write_in(served.workspace("build") + "/dist/app.js", "app");
  write_in(served.workspace("build") + "/dist/lib/x.js", "x");
  write_in(served.workspace("build") + "/dist/.secret", "hidden");
  const auto up = served.upload("build", {{"name", "box"}, {"path", "dist"}});
  INFO(up.log << up.messages << up.error());
  REQUIRE(up.status.ok());
  CHECK(up.output("artifact-id") == "1");
  CHECK(up.output("artifact-url") == "https://github.com/o/r/actions/runs/100/artifacts/1");
  CHECK(up.output("artifact-digest").size() == 64);
  CHECK(up.said("With the provided path, there will be 2 files uploaded"));
  CHECK(up.said("Artifact box has been successfully uploaded! Final size is "));

  const auto down = served.download("test", {{"name", "box"}, {"path", "got"}});
  INFO(down.log << down.messages << down.error());
  REQUIRE(down.status.ok());
  CHECK(served.text("test", "got/app.js") == "app");
  CHECK(served.text("test", "got/lib/x.js") == "x");
  CHECK_FALSE(exists(served.workspace("test") + "/got/.secret"));
  CHECK(down.output("download-path") == served.workspace("test") + "/got");
  CHECK(down.said("SHA256 digest of downloaded artifact is " + up.output("artifact-digest")));
  CHECK(down.messages.empty());
  CHECK(fs::is_empty(served.workspace("test") + "/../temp"));
}

TEST_CASE("uploading: names, nothing found, overwriting, one file as it is") {
  Served served;
  write_in(served.workspace("a") + "/f", "one");
  REQUIRE(served.upload("a", {{"name", "box"}, {"path", "f"}}).status.ok());
  const auto again = served.upload("a", {{"name", "box"}, {"path", "f"}});
  CHECK(again.error() == "Failed to CreateArtifact: Received non-retryable error: Failed request: (409) Conflict: an artifact with this "
                         "name already exists on the workflow run");
  write_in(served.workspace("a") + "/f", "two");
  const auto over = served.upload("a", {{"name", "box"}, {"path", "f"}, {"overwrite", "true"}});
  REQUIRE(over.status.ok());
  CHECK(over.output("artifact-id") == "2");
  REQUIRE(served.download("b", {{"name", "box"}}).status.ok());
  CHECK(served.text("b", "f") == "two");

  CHECK(served.upload("a", {{"name", "a/b"}, {"path", "f"}}).error().find("The artifact name is not valid") == 0);
  CHECK(served.upload("a", {{"name", "x"}, {"path", ""}}).error().find("Input required and not supplied: path") == 0);
  const auto warned = served.upload("a", {{"path", "none"}});
  CHECK(warned.status.ok());
  CHECK(warned.messages == "warning: No files were found with the provided path: none. No artifacts will be uploaded.\n");
  CHECK_FALSE(served.upload("a", {{"path", "none"}, {"if-no-files-found", "error"}}).status.ok());
  CHECK(served.upload("a", {{"path", "none"}, {"if-no-files-found", "ignore"}}).messages.empty());
  CHECK_FALSE(served.upload("a", {{"path", "f"}, {"if-no-files-found", "cry"}}).status.ok());
  CHECK_FALSE(served.upload("a", {{"path", "f"}, {"compression-level", "10"}}).status.ok());
  CHECK_FALSE(served.upload("a", {{"path", "f"}, {"retention-days", "x"}}).status.ok());
  CHECK_FALSE(served.upload("a", {{"path", "../f"}}).status.ok());

  write_in(served.workspace("a") + "/report.txt", "plain");
  const auto raw = served.upload("a", {{"path", "report.txt"}, {"archive", "false"}});
  REQUIRE(raw.status.ok());
  REQUIRE(served.download("b", {{"name", "report.txt"}, {"path", "raw"}}, "v8").status.ok());
  CHECK(served.text("b", "raw/report.txt") == "plain");
  CHECK_FALSE(served.upload("a", {{"path", "report.txt\nf"}, {"archive", "false"}}).status.ok());
}

TEST_CASE("which artifacts, and where to") {
  Served served;
  for (const auto* name : {"build-linux", "build-mac", "docs"}) {
    write_in(served.workspace(name) + "/" + name + ".txt", name);
    REQUIRE(served.upload(name, {{"name", name}, {"path", "*.txt"}}).status.ok());
  }
  struct Row {
    const char* version;
    step::NoCaseMap<std::string> inputs;
    std::vector<std::string> files;
  };
  const Row rows[] = {
      {"v5", {}, {"build-linux/build-linux.txt", "build-mac/build-mac.txt", "docs/docs.txt"}},
      {"v5", {{"merge-multiple", "true"}}, {"build-linux.txt", "build-mac.txt", "docs.txt"}},
      {"v5", {{"pattern", "build-*"}}, {"build-linux/build-linux.txt", "build-mac/build-mac.txt"}},
      {"v5", {{"pattern", "{docs,none}"}}, {"docs.txt"}},
      {"v4", {{"pattern", "docs"}}, {"docs/docs.txt"}},
      {"v5", {{"artifact-ids", "3"}}, {"docs.txt"}},
      {"v4", {{"artifact-ids", "3"}}, {"docs/docs.txt"}},
      {"v5", {{"artifact-ids", " 1, 2 "}}, {"build-linux/build-linux.txt", "build-mac/build-mac.txt"}},
      {"v5", {{"name", "docs"}}, {"docs.txt"}},
      {"v5", {{"pattern", "nothing"}}, {}},
  };
  int number = 0;
  for (const auto& row : rows) {
    const auto job = "job" + std::to_string(++number);
    CAPTURE(number);
    const auto done = served.download(job, row.inputs, row.version);
    INFO(done.log << done.error());
    REQUIRE(done.status.ok());
    std::vector<std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(served.workspace(job))) {
      if (!entry.is_directory()) files.push_back(fs::relative(entry.path(), served.workspace(job)).string());
    }
    std::sort(files.begin(), files.end());
    CHECK(files == row.files);
  }
  CHECK(served.download("x", {{"name", "none"}}).error().find("Unable to download artifact(s): Artifact not found for name: none") == 0);
  CHECK_FALSE(served.download("x", {{"name", "docs"}, {"artifact-ids", "1"}}).status.ok());
  CHECK_FALSE(served.download("x", {{"artifact-ids", "x"}}).status.ok());
  CHECK_FALSE(served.download("x", {{"artifact-ids", "99"}}).status.ok());
  CHECK(served.download("x", {{"artifact-ids", "1,99"}}).said("Could not find the following artifact IDs: 99"));
  CHECK(served.download("x", {{"github-token", "t"}, {"run-id", "7"}, {"repository", "o/r"}}).status.error().code == ErrorCode::unsupported);
  CHECK(served.download("y", {{"github-token", "t"}, {"run-id", "100"}, {"repository", "o/r"}, {"name", "docs"}}).status.ok());
}

TEST_CASE("merging artifacts") {
  Served served;
  for (const auto* name : {"part-a", "part-b"}) {
    write_in(served.workspace(name) + "/" + name, name);
    REQUIRE(served.upload(name, {{"name", name}, {"path", name}}).status.ok());
  }
  const auto merged = served.merge("m", {{"name", "all"}, {"pattern", "part-*"}, {"delete-merged", "true"}});
  INFO(merged.log << merged.error());
  REQUIRE(merged.status.ok());
  CHECK(merged.said("The 2 artifact(s) have been successfully merged!"));
  REQUIRE(served.download("d", {}).status.ok());
  CHECK(served.text("d", "part-a") == "part-a");
  CHECK(served.text("d", "part-b") == "part-b");
  const auto apart = served.merge("m", {{"name", "apart"}, {"pattern", "all"}, {"separate-directories", "true"}});
  REQUIRE(apart.status.ok());
  REQUIRE(served.download("e", {{"name", "apart"}}).status.ok());
  CHECK(served.text("e", "all/part-a") == "part-a");
  CHECK_FALSE(served.merge("m", {{"pattern", "none"}}).status.ok());
}

TEST_CASE("a wrong digest: an error since v8, a warning before, or as the input says") {
  Served served;
  write_in(served.workspace("a") + "/f", "one");
  auto setting = served.setting("a", "actions/upload-artifact@v4", {});
  // An upload whose digest is not that of its bytes.
  {
    Bus bus(std::make_shared<Masker>());
    step::ActionContext context({.job = "j", .step = "1", .uses = "x", .inputs = {}, .environment = setting.environment,
                                 .github = setting.github, .state = {}, .places = setting.places, .runner = {}, .bus = &bus});
    auto client = ResultsClient::of(context);
    REQUIRE(client.ok());
    FileTask task;
    task.directory = setting.places.workspace;
    task.patterns = "f";
    task.archive = setting.places.temp + "/z";
    const auto packed = perform(task);
    const Json ids{{"workflow_run_backend_id", client->ids().run}, {"workflow_job_run_backend_id", client->ids().job}, {"name", "bad"}};
    const auto created = client->call("ArtifactService", "CreateArtifact", ids);
    REQUIRE(client->upload((*created)["signed_upload_url"], task.archive, packed->size, "application/zip").ok());
    auto finalize = ids;
    finalize["hash"] = "sha256:" + std::string(64, '0');
    REQUIRE(client->call("ArtifactService", "FinalizeArtifact", finalize).ok());
  }
  const auto strict = served.download("b", {{"name", "bad"}}, "v8");
  CHECK(strict.error().find("Unable to download artifact(s): Digest validation failed for artifact(s): bad") == 0);
  CHECK(served.download("b", {{"name", "bad"}}, "v5").messages ==
        "warning: Artifact 'bad' digest validation failed. Please verify the integrity of the artifact.\n");
  CHECK(served.download("b", {{"name", "bad"}, {"digest-mismatch", "ignore"}}, "v8").messages.empty());
  CHECK_FALSE(served.download("b", {{"name", "bad"}, {"digest-mismatch", "cry"}}, "v8").status.ok());
}

TEST_CASE("without the services, an error says what is missing") {
  Setting setting{.uses = "actions/upload-artifact@v4", .inputs = {{"path", "x"}}};
  CHECK(run(*make_upload_artifact(), setting).error().find("Unable to get the ACTIONS_RUNTIME_TOKEN env variable") == 0);
  CHECK_FALSE(make_upload_artifact()->serves("v3").ok());
  CHECK_FALSE(make_download_artifact()->serves("v3").ok());
  CHECK(make_cache()->serves("v4").ok());
}

namespace {

struct CacheJob {
  Served& served;
  std::string job, ref = "refs/heads/main";

  Done main(step::NoCaseMap<std::string> inputs) { return run(*make_cache(), served.setting(job, "actions/cache@v4", std::move(inputs), ref)); }
  Done post(step::NoCaseMap<std::string> inputs, const Done& main) {
    auto setting = served.setting(job, "actions/cache@v4", std::move(inputs), ref);
    setting.state = main.effects.state;
    return run(*make_cache(), setting, Phase::post);
  }
  Done restore(step::NoCaseMap<std::string> inputs) {
    return run(*make_restore_cache(), served.setting(job, "actions/cache/restore@v4", std::move(inputs), ref));
  }
  Done save(step::NoCaseMap<std::string> inputs) {
    return run(*make_save_cache(), served.setting(job, "actions/cache/save@v4", std::move(inputs), ref));
  }
};

}  // namespace

TEST_CASE("a cache: a miss and a save, then a hit and none") {
  Served served;
  const step::NoCaseMap<std::string> inputs{{"path", "deps\n~/.npm"}, {"key", "npm-1"}, {"restore-keys", "npm-"}};
  CacheJob first{served, "first"};
  const auto miss = first.main(inputs);
  CHECK(miss.status.ok());
  CHECK(miss.output("cache-hit") == "(none)");
  CHECK(miss.said("Cache not found for input keys: npm-1, npm-"));
  write_in(served.workspace("first") + "/deps/a", "dep");
  write_in(served.workspace("first") + "/../home/.npm/b", "npm");
  const auto saved = first.post(inputs, miss);
  INFO(saved.log << saved.messages);
  CHECK(saved.said("Cache saved with key: npm-1"));

  CacheJob second{served, "second"};
  const auto hit = second.main(inputs);
  INFO(hit.log << hit.messages);
  CHECK(hit.output("cache-hit") == "true");
  CHECK(hit.said("Cache restored from key: npm-1"));
  CHECK(served.text("second", "deps/a") == "dep");
  CHECK(second.post(inputs, hit).said("Cache hit occurred on the primary key npm-1, not saving cache."));

  CacheJob third{served, "third", "refs/heads/topic"};
  auto other = inputs;
  other["key"] = "npm-2";
  const auto near = third.main(other);
  CHECK(near.output("cache-hit") == "false");
  CHECK(near.said("Cache hit for restore-key: npm-1"));
  CHECK(third.post(other, near).said("Cache saved with key: npm-2"));
  CHECK(first.main(other).output("cache-hit") == "false");
  CHECK(third.main(other).output("cache-hit") == "true");
}

TEST_CASE("restore and save alone; looking only; failing on a miss; wrong keys") {
  Served served;
  CacheJob job{served, "job"};
  write_in(served.workspace("job") + "/deps/a", "dep");
  CHECK(job.save({{"path", "deps"}, {"key", "k"}}).said("Cache saved with key: k"));
  const auto again = job.save({{"path", "deps"}, {"key", "k"}});
  CHECK(again.status.ok());
  CHECK(again.said("Failed to save: Unable to reserve cache with key k, another job may be creating this cache."));
  CHECK(again.said("warning: Cache save failed."));
  CHECK(job.save({{"path", "none"}, {"key", "n"}}).said("[warning]Path Validation Error: Path(s) specified"));

  CacheJob other{served, "other"};
  const auto looked = other.restore({{"path", "deps"}, {"key", "k"}, {"lookup-only", "true"}});
  CHECK(looked.output("cache-hit") == "true");
  CHECK(looked.output("cache-primary-key") == "k");
  CHECK(looked.output("cache-matched-key") == "k");
  CHECK_FALSE(exists(served.workspace("other") + "/deps"));
  CHECK(other.restore({{"path", "other"}, {"key", "k"}}).output("cache-hit") == "(none)");
  CHECK(other.restore({{"path", "deps"}, {"key", "K"}}).output("cache-hit") == "(none)");
  CHECK(other.restore({{"path", "deps"}, {"key", "k"}}).status.ok());
  CHECK(served.text("other", "deps/a") == "dep");
  CHECK(other.restore({{"path", "deps"}, {"key", "x"}, {"fail-on-cache-miss", "true"}}).error() ==
        "Failed to restore cache entry. Exiting as fail-on-cache-miss is set. Input key: x");
  CHECK(other.restore({{"path", "deps"}, {"key", "a,b"}}).error() == "Key Validation Error: a,b cannot contain commas.");
  CHECK_FALSE(other.restore({{"path", "deps"}, {"key", std::string(513, 'k')}}).status.ok());
  CHECK_FALSE(other.restore({{"path", "deps"}, {"key", "k"}, {"restore-keys", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10"}}).status.ok());
  CHECK_FALSE(other.restore({{"path", ""}, {"key", "k"}}).status.ok());
}

TEST_CASE("a cache beyond the quota is told and fails nothing") {
  Served served({.cache_bytes = 100});
  CacheJob job{served, "job"};
  std::string noise;
  for (unsigned i = 0, x = 1; i < 5000; ++i) noise += static_cast<char>((x = x * 1664525 + 1013904223) >> 24);
  write_in(served.workspace("job") + "/big", noise);
  const auto done = job.save({{"path", "big"}, {"key", "k"}});
  CHECK(done.status.ok());
  CHECK(done.said("Failed to save: uploading: the server answered 413"));
}

TEST_CASE("tokens of the results service") {
  CHECK_FALSE(backend_ids("").ok());
  CHECK_FALSE(backend_ids("a.b.c").ok());
  // {"scp":"Actions.Example Actions.Results:ce7f54c7:ca395085"}
  const auto ids = backend_ids("x.eyJzY3AiOiJBY3Rpb25zLkV4YW1wbGUgQWN0aW9ucy5SZXN1bHRzOmNlN2Y1NGM3OmNhMzk1MDg1In0.y");
  REQUIRE(ids.ok());
  CHECK(ids->run == "ce7f54c7");
  CHECK(ids->job == "ca395085");
}
