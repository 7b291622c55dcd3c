#include "executors/oci/reference.h"

#include "tests/support/catch.h"

using namespace drydock;
using namespace drydock::oci;

namespace {
const std::string k_digest = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
}

TEST_CASE("references are completed and shortened") {
  struct Row {
    std::string text, full, familiar;
  };
  const std::vector<Row> table = {
      {"node", "docker.io/library/node", "node"},
      {"node:22-slim", "docker.io/library/node:22-slim", "node:22-slim"},
      {"library/node", "docker.io/library/node", "node"},
      {"docker.io/node", "docker.io/library/node", "node"},
      {"index.docker.io/node:1", "docker.io/library/node:1", "node:1"},
      {"docker.io/library/a/b", "docker.io/library/a/b", "library/a/b"},
      {"user/app", "docker.io/user/app", "user/app"},
      {"ghcr.io/user/app:1.0", "ghcr.io/user/app:1.0", "ghcr.io/user/app:1.0"},
      {"localhost/app", "localhost/app", "localhost/app"},
      {"localhost:5000/app:x", "localhost:5000/app:x", "localhost:5000/app:x"},
      {"registry:5000/a/b/c", "registry:5000/a/b/c", "registry:5000/a/b/c"},
      {"[::1]:5000/app", "[::1]:5000/app", "[::1]:5000/app"},
      {"HOST/app", "HOST/app", "HOST/app"},
      {"a/b__c.d-e---f", "docker.io/a/b__c.d-e---f", "a/b__c.d-e---f"},
      {"app@" + k_digest, "docker.io/library/app@" + k_digest, "app@" + k_digest},
      {"h.io/app:1@" + k_digest, "h.io/app:1@" + k_digest, "h.io/app:1@" + k_digest},
  };
  for (const auto& row : table) {
    INFO(row.text);
    const auto reference = parse_reference(row.text);
    REQUIRE(reference.ok());
    CHECK(reference->to_string() == row.full);
    CHECK(reference->familiar() == row.familiar);
    CHECK(*parse_reference(reference->to_string()) == *reference);
    CHECK(*parse_reference(reference->familiar()) == *reference);
  }
}

TEST_CASE("what to ask a registry for") {
  const auto plain = *parse_reference("node");
  CHECK(plain.tag.empty());
  CHECK(plain.tag_or_digest() == "latest");
  CHECK(plain.with_default_tag().tag == "latest");
  const auto both = *parse_reference("node:22@" + k_digest);
  CHECK(both.tag_or_digest() == k_digest);
  CHECK(both.with_default_tag() == both);
  CHECK(both.with_tag("x").to_string() == "docker.io/library/node:x");
  CHECK(plain.with_digest(both.digest).familiar() == "node@" + k_digest);
}

TEST_CASE("malformed references say which part is wrong") {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"", "empty"},
      {"Node", "lower case"},
      {"docker.io/User/app", "lower case"},
      {"a//b", "a part of the name is empty"},
      {"a/", "a part of the name is empty"},
      {"app:", "not a valid tag"},
      {"app:-x", "not a valid tag"},
      {"app:" + std::string(129, 'x'), "not a valid tag"},
      {"a_-b", "not a valid part"},
      {"-a", "not a valid part"},
      {"app@sha256:12", "not a digest"},
      {"app@", "not a digest"},
      {"bad_host.io/app", "not a valid registry"},
      {"host:port/app", "not a valid registry"},
      {"host.io/", "the repository's name is missing"},
      {std::string(64, 'a'), "image's id"},
      {"h.io/" + std::string(260, 'a'), "255"},
      {"a b", "not a valid part"},
      {"https://h.io/app", "not a valid"},
  };
  for (const auto& [text, expected] : table) {
    INFO(text);
    const auto reference = parse_reference(text);
    REQUIRE_FALSE(reference.ok());
    CHECK(reference.error().code == ErrorCode::invalid_input);
    INFO(reference.error().message);
    CHECK(reference.error().message.find(expected) != std::string::npos);
  }
}
