#include "executors/oci/credentials.h"

#include "executors/base/fs.h"
#include "tests/support/catch.h"

#include <sys/stat.h>
#include <cstdlib>

using namespace drydock;
using namespace drydock::oci;

namespace {

/// An environment of its own: nothing of the real user's is read.
struct Place {
  TempDir directory = TempDir::create().value();
  std::string given = directory.path() + "/given";
  std::string home = directory.path() + "/home/.docker";
  std::string old_home = std::getenv("HOME") ? std::getenv("HOME") : "";
  std::string old_path = std::getenv("PATH");

  Place() {
    REQUIRE(make_directories(given).ok());
    REQUIRE(make_directories(home).ok());
    ::setenv("HOME", (directory.path() + "/home").c_str(), 1);
    ::unsetenv("DOCKER_CONFIG");
  }
  ~Place() {
    ::setenv("HOME", old_home.c_str(), 1);
    ::setenv("PATH", old_path.c_str(), 1);
  }
  void write(const std::string& where, const std::string& text) {
    REQUIRE(write_file_atomic(where + "/config.json", text).ok());
  }
  /// A credential helper that keeps one entry in a file.
  void helper(const std::string& name) {
    const auto bin = directory.path() + "/bin";
    REQUIRE(make_directories(bin).ok());
    const auto file = directory.path() + "/kept";
    REQUIRE(
        write_file_atomic(bin + "/docker-credential-" + name,
                          "#!/bin/sh\ncase $1 in\nstore) cat >" + file + ";;\nerase) rm -f " + file +
                              ";;\nget) test -f " + file + " && cat " + file +
                              " || { echo 'credentials not found in native keychain'; exit 1; };;\nesac\n",
                          0755)
            .ok());
    ::setenv("PATH", (bin + ":" + old_path).c_str(), 1);
  }
};

}  // namespace

TEST_CASE("credentials are found by every spelling of a registry") {
  Place place;
  place.write(place.given, R"({"auths":{
    "https://index.docker.io/v1/": {"auth":"aHViOmEgYjpj"},
    "https://ghcr.io/v2/": {"username":"u","password":"p"},
    "localhost:5000": {"auth":"bDpw"},
    "tokens.io": {"auth":"eDo=","identitytoken":"idt"},
    "empty.io": {}}})");
  const CredentialStore store(place.given);
  CHECK(*store.find("docker.io") == Credentials{"hub", "a b:c", ""});
  CHECK(*store.find("ghcr.io") == Credentials{"u", "p", ""});
  CHECK(*store.find("localhost:5000") == Credentials{"l", "p", ""});
  CHECK(store.find("tokens.io")->identity_token == "idt");
  CHECK(store.find("empty.io")->empty());
  CHECK(store.find("localhost:5001")->empty());
}

TEST_CASE("the given directory goes before the user's, which goes before nothing") {
  Place place;
  place.write(place.home, R"({"auths":{"a.io":{"auth":"aG9tZTpw"},"b.io":{"auth":"aG9tZTpw"}}})");
  place.write(place.given, R"({"auths":{"a.io":{"auth":"Z2l2ZW46cA=="}}})");
  const CredentialStore store(place.given);
  CHECK(store.find("a.io")->username == "given");
  CHECK(store.find("b.io")->username == "home");
  CHECK(store.find("c.io")->empty());
}

TEST_CASE("login and logout keep the rest of the file, mode 0600") {
  Place place;
  place.write(place.given, R"({"auths":{"other.io":{"auth":"eDp5"}},"HttpHeaders":{"X":"y"}})");
  CredentialStore store(place.given);
  REQUIRE(store.login("docker.io", {"me", "pass:word", ""}).ok());
  REQUIRE(store.login("host:5000", {"", "", "token"}).ok());
  CHECK(*store.find("docker.io") == Credentials{"me", "pass:word", ""});
  CHECK(store.find("host:5000")->identity_token == "token");
  const auto json = *parse_json(*read_file(place.given + "/config.json"), "config");
  CHECK(json["auths"]["https://index.docker.io/v1/"]["auth"] == "bWU6cGFzczp3b3Jk");
  CHECK(json["HttpHeaders"]["X"] == "y");
  struct stat info {};
  REQUIRE(::stat((place.given + "/config.json").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  REQUIRE(store.logout("docker.io").ok());
  REQUIRE(store.logout("never.io").ok());
  CHECK(store.find("docker.io")->empty());
  CHECK(store.find("other.io")->username == "x");
}

TEST_CASE("credential helpers are asked, told and made to forget") {
  Place place;
  place.helper("test");
  place.write(place.given, R"({"credHelpers":{"helped.io":"test"},"auths":{"file.io":{"auth":"eDp5"}}})");
  CredentialStore store(place.given);
  CHECK(store.find("helped.io")->empty());
  REQUIRE(store.login("helped.io", {"me", "secret", ""}).ok());
  CHECK(*store.find("helped.io") == Credentials{"me", "secret", ""});
  CHECK(read_file(place.given + "/config.json")->find("secret") == std::string::npos);
  REQUIRE(store.login("helped.io", {"", "", "idt"}).ok());
  CHECK(store.find("helped.io")->identity_token == "idt");
  REQUIRE(store.logout("helped.io").ok());
  CHECK(store.find("helped.io")->empty());
  CHECK(store.find("file.io")->username == "x");
}

TEST_CASE("a missing helper is no reason to fail, a broken file is") {
  Place place;
  place.write(place.given, R"({"credsStore":"not-installed","auths":{"a.io":{"auth":"eDp5"}}})");
  CHECK(CredentialStore(place.given).find("a.io")->username == "x");
  CHECK(CredentialStore(place.given).find("b.io")->empty());
  place.write(place.given, "{");
  const auto broken = CredentialStore(place.given).find("a.io");
  REQUIRE_FALSE(broken.ok());
  CHECK(broken.error().message.find(place.given + "/config.json is not valid JSON") == 0);
}
