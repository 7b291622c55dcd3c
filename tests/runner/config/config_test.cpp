#include "runner/config/config.h"

#include <cstdlib>

#include "executors/base/fs.h"
#include "tests/support/catch.h"

using namespace drydock;
using namespace drydock::runner;

namespace {

/// Sets a variable for its life.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    if (const auto* old = std::getenv(name)) old_ = old;
    ::setenv(name, value.c_str(), 1);
  }
  ~Variable() {
    if (old_) {
      ::setenv(name_, old_->c_str(), 1);
    } else {
      ::unsetenv(name_);
    }
  }

 private:
  const char* name_;
  std::optional<std::string> old_;
};

}  // namespace

TEST_CASE("a user's file, whole") {
  Config config;
  const auto read = read_config(
      "registries:\n"
      "  docker.io:\n"
      "    mirrors: [http://localhost:5000, https://m.example]\n"
      "  localhost:5000: {plain-http: true}\n"
      "build:\n"
      "  host-trust: true\n"
      "  host-registration: yes\n"
      "  parallel: 3\n"
      "store:\n"
      "  path: /var/drydock\n"
      "run:\n"
      "  isolation: host\n"
      "  node: /opt/node/bin/node\n"
      "actions:\n"
      "  server: https://forge.example/\n",
      "u.yaml", ConfigTrust::user, config);
  if (!read.ok()) FAIL(read.error().to_string());
  CHECK(config.node == "/opt/node/bin/node");
  CHECK(config.actions_server == "https://forge.example");
  CHECK(config.actions_api.empty());
  CHECK(config.registries.at("docker.io").mirrors ==
        std::vector<std::string>{"http://localhost:5000", "https://m.example"});
  CHECK_FALSE(config.registries.at("docker.io").plain_http);
  CHECK(config.registries.at("localhost:5000").plain_http);
  CHECK(config.host_trust);
  CHECK(config.host_registration);
  CHECK(config.parallel == 3);
  CHECK(config.store == "/var/drydock");
  CHECK(config.isolation == "host");
  CHECK(config.files == std::vector<std::string>{"u.yaml"});
}

TEST_CASE("where actions come from and what runs them is for the user to say") {
  Config config;
  for (const auto* text : {"actions: {server: ftp://x}", "actions: {api: [1]}", "actions: {mirror: x}"}) {
    CAPTURE(text);
    CHECK_FALSE(read_config(text, "u.yaml", ConfigTrust::user, config).ok());
  }
  for (const auto* text : {"actions: {server: https://x}", "run: {node: ./evil}"}) {
    CAPTURE(text);
    CHECK_FALSE(read_config(text, "drydock.yaml", ConfigTrust::repository, config).ok());
  }
}

TEST_CASE("limits of artifacts and caches") {
  Config config;
  CHECK(config.services.cache_bytes == 10ULL << 30);
  const auto read = read_config(
      "services:\n"
      "  cache: {max-size: 20GiB, unused-days: 3}\n"
      "  artifacts: {max-size: 500MB, retention-days: 14}\n",
      "u.yaml", ConfigTrust::user, config);
  if (!read.ok()) FAIL(read.error().to_string());
  CHECK(config.services.cache_bytes == 20ULL << 30);
  CHECK(config.services.cache_unused_days == 3);
  CHECK(config.services.artifact_bytes == 500'000'000);
  CHECK(config.services.artifact_days == 14);
  for (const auto* wrong : {"max-size: much", "max-size: 5 GB", "max-size: -1", "max-size: 99999999TiB", "max-size: [1]",
                            "unused-days: 0", "unused-days: x", "keep: 1"}) {
    CAPTURE(wrong);
    CHECK_FALSE(read_config("services: {cache: {" + std::string(wrong) + "}}", "u.yaml", ConfigTrust::user, config).ok());
  }
  CHECK_FALSE(read_config("services: {cache: {max-size: 1GiB}}", "drydock.yaml", ConfigTrust::repository, config).ok());
}

TEST_CASE("empty files and sections say nothing") {
  for (const auto* text : {"", "# only a comment\n", "build:\n", "registries: {}\n", "---\n"}) {
    CAPTURE(text);
    Config config;
    const auto read = read_config(text, "f", ConfigTrust::user, config);
    if (!read.ok()) FAIL(read.error().to_string());
    CHECK(config.parallel == 0);
  }
}

TEST_CASE("what is wrong is told with its place") {
  struct Case {
    const char* text;
    const char* place;
    const char* part;
  };
  const Case cases[] = {
      {"nonsense: 1\n", "f.yaml:1:1: ", "unknown key \"nonsense\""},
      {"build:\n  paralel: 1\n", "f.yaml:2:3: ", "unknown key \"build.paralel\""},
      {"build:\n  parallel: many\n", "f.yaml:2:13: ", "whole number"},
      {"build:\n  parallel: -1\n", "f.yaml:2:13: ", "whole number"},
      {"build:\n  host-trust: perhaps\n", "f.yaml:2:15: ", "true or false"},
      {"build: 1\n", "f.yaml:1:8: ", "must be a mapping"},
      {"- a\n", "f.yaml:1:1: ", "must be a mapping"},
      {"store:\n  path: [a]\n", "f.yaml:2:9: ", "expected a text"},
      {"run:\n  isolation: {}\n", "f.yaml:2:14: ", "expected a text"},
      {"registries: []\n", "f.yaml:1:13: ", "must be a mapping"},
      {"registries:\n  docker.io:\n    mirrors: http://x\n", "f.yaml:3:14: ", "list"},
      {"registries:\n  docker.io:\n    mirrors: [localhost]\n", "f.yaml:3:15: ", "no address"},
      {"registries:\n  docker.io:\n    insecure: true\n", "f.yaml:3:5: ", "unknown key"},
      {"a: [\n", "f.yaml:", ""},
      {"build:\n  parallel: 1\n  parallel: 2\n", "f.yaml:3:3: ", "twice"},
  };
  for (const auto& item : cases) {
    CAPTURE(item.text);
    Config config;
    const auto read = read_config(item.text, "f.yaml", ConfigTrust::user, config);
    REQUIRE_FALSE(read.ok());
    CAPTURE(read.error().message);
    CHECK(read.error().code == ErrorCode::invalid_input);
    CHECK(read.error().message.starts_with(item.place));
    CHECK(read.error().message.find(item.part) != std::string::npos);
  }
}

TEST_CASE("a repository cannot set what could weaken anything") {
  struct Case {
    const char* text;
    const char* place;
    const char* key;
  };
  const Case cases[] = {
      {"registries:\n  docker.io: {plain-http: true}\n", "drydock.yaml:1:1: ", "\"registries\""},
      {"build:\n  parallel: 2\n  host-trust: true\n", "drydock.yaml:3:3: ", "\"build.host-trust\""},
      {"build: {host-registration: true}\n", "drydock.yaml:1:9: ", "\"build.host-registration\""},
      {"store: {path: /x}\n", "drydock.yaml:1:1: ", "\"store\""},
      {"run: {isolation: host}\n", "drydock.yaml:1:1: ", "\"run\""},
  };
  for (const auto& item : cases) {
    CAPTURE(item.text);
    Config config;
    const auto read = read_config(item.text, "drydock.yaml", ConfigTrust::repository, config);
    REQUIRE_FALSE(read.ok());
    CAPTURE(read.error().message);
    CHECK(read.error().message.starts_with(item.place));
    CHECK(read.error().message.find(item.key) != std::string::npos);
    CHECK(read.error().message.find("cannot be set by a repository") != std::string::npos);
    CHECK_FALSE(read.error().mend.empty());
    CHECK_FALSE(config.host_trust);
    CHECK(config.registries.empty());
  }
  Config config;
  REQUIRE(read_config("build: {parallel: 2}\n", "drydock.yaml", ConfigTrust::repository, config).ok());
  CHECK(config.parallel == 2);
}

TEST_CASE("which files are read, and in what order") {
  auto scratch = TempDir::create("/tmp", "drydock-test-config-");
  REQUIRE(scratch.ok());
  const auto home = scratch->path() + "/home", repository = scratch->path() + "/repository";
  REQUIRE(make_directories(home + "/.config/drydock").ok());
  REQUIRE(make_directories(scratch->path() + "/xdg/drydock").ok());
  REQUIRE(make_directories(repository).ok());
  REQUIRE(
      write_file_atomic(home + "/.config/drydock/drydock.yaml", "build: {parallel: 1, host-trust: true}\n")
          .ok());
  REQUIRE(write_file_atomic(scratch->path() + "/xdg/drydock/drydock.yaml", "build: {parallel: 2}\n").ok());
  REQUIRE(write_file_atomic(scratch->path() + "/named.yaml", "build: {parallel: 3}\n").ok());
  const Variable at_home("HOME", home), none("DRYDOCK_CONFIG", ""), no_xdg("XDG_CONFIG_HOME", "");
  auto config = load_config(repository);
  REQUIRE(config.ok());
  CHECK(config->parallel == 1);
  {
    const Variable xdg("XDG_CONFIG_HOME", scratch->path() + "/xdg");
    config = load_config("");
    REQUIRE(config.ok());
    CHECK(config->parallel == 2);
    const Variable named("DRYDOCK_CONFIG", scratch->path() + "/named.yaml");
    config = load_config("");
    REQUIRE(config.ok());
    CHECK(config->parallel == 3);
    const Variable missing("DRYDOCK_CONFIG", scratch->path() + "/missing.yaml");
    config = load_config("");
    REQUIRE_FALSE(config.ok());
    CHECK(config.error().message.find("missing.yaml") != std::string::npos);
  }
  REQUIRE(write_file_atomic(repository + "/drydock.yaml", "build: {parallel: 7}\n").ok());
  config = load_config(repository);
  REQUIRE(config.ok());
  CHECK(config->parallel == 7);
  CHECK(config->host_trust);
  CHECK(config->files.size() == 2);
  REQUIRE(write_file_atomic(repository + "/drydock.yaml", "build: {host-trust: false}\n").ok());
  CHECK_FALSE(load_config(repository).ok());
}
