#include "executors/oci/registry_auth.h"

#include "executors/base/fs.h"
#include "executors/oci/registry.h"
#include "tests/support/catch.h"
#include "tests/support/http_server.h"

using namespace drydock;
using namespace drydock::oci;
using namespace std::chrono_literals;
using test::HttpServer;
using test::ServedRequest;
using test::ServedResponse;

namespace {

/// A token service and a registry in one: takes the last token it gave, for as many requests as `good_for`.
struct TokenRegistry {
  std::vector<ServedRequest> token_requests;
  std::mutex mutex;
  int given = 0, uses = 0, good_for = 1000;
  std::string password = "right";
  bool anonymous = true;
  HttpServer server{[this](const ServedRequest& request) { return answer(request); }};

  std::string domain() const { return "127.0.0.1:" + std::to_string(server.port()); }

  ServedResponse answer(const ServedRequest& request) {
    std::lock_guard lock(mutex);
    if (request.target.starts_with("/token")) return token(request);
    const auto authorization = request.headers.find("authorization");
    if (authorization == request.headers.end() ||
        authorization->second != "Bearer t" + std::to_string(given) || ++uses > good_for) {
      return {401,
              {{"WWW-Authenticate",
                "Bearer realm=\"" + server.url() + "/token\",service=\"reg,istry\",scope=\"x\""}},
              "",
              {},
              {}};
    }
    if (request.method == "HEAD") return {404, {}, "", {}, {}};
    if (request.method == "POST") return {202, {{"Location", "/upload?state=1"}}, "", {}, {}};
    if (request.method == "PUT") return {201, {}, "", {}, {}};
    return {200, {}, "{}", {}, {}};
  }

  ServedResponse token(const ServedRequest& request) {
    token_requests.push_back(request);
    const auto authorization = request.headers.find("authorization");
    const bool named = authorization != request.headers.end();
    if (named && authorization->second != basic_header({"me", password, ""})) return {401, {}, "", {}, {}};
    if (!named && !anonymous && request.method == "GET") return {401, {}, "", {}, {}};
    uses = 0;
    return {200, {}, "{\"token\":\"t" + std::to_string(++given) + "\",\"expires_in\":300}", {}, {}};
  }
};

RegistryOptions options_in(const TempDir& directory) {
  RegistryOptions options;
  options.retry = {3, 1ms, 2ms};
  options.credentials_directory = directory.path();
  return options;
}

}  // namespace

TEST_CASE("challenges are read") {
  const auto bearer = parse_challenge(
      R"(Bearer realm="https://auth.io/token?a=b",service="reg,\"x\"", scope=plain , error="e")");
  REQUIRE(bearer);
  CHECK(bearer->scheme == "bearer");
  CHECK(bearer->parameters.at("realm") == "https://auth.io/token?a=b");
  CHECK(bearer->parameters.at("service") == "reg,\"x\"");
  CHECK(bearer->parameters.at("scope") == "plain");
  CHECK(bearer->parameters.at("error") == "e");
  CHECK(parse_challenge("Basic realm=\"x\"")->scheme == "basic");
  CHECK(parse_challenge("Negotiate")->parameters.empty());
  CHECK_FALSE(parse_challenge(""));
  CHECK(parse_challenge("Bearer realm=\"unterminated")->parameters.at("realm") == "unterminated");
  CHECK(basic_header({"user", "pass", ""}) == "Basic dXNlcjpwYXNz");
}

TEST_CASE("tokens are fetched once for each scope, and anonymously when nothing is known") {
  TokenRegistry remote;
  const auto directory = TempDir::create();
  Registry registry(make_curl_client(), options_in(*directory));
  const auto a = *parse_reference(remote.domain() + "/team/a"),
             b = *parse_reference(remote.domain() + "/team/b");
  CHECK_FALSE(*registry.has_blob(a, digest_of("x")));
  CHECK_FALSE(*registry.has_blob(a, digest_of("y")));
  REQUIRE(remote.token_requests.size() == 1);
  const auto& target = remote.token_requests[0].target;
  CHECK(target.find("service=reg%2Cistry") != std::string::npos);
  CHECK(target.find("scope=repository%3Ateam%2Fa%3Apull%2Cpush") != std::string::npos);
  CHECK(target.find("account=") == std::string::npos);
  CHECK_FALSE(*registry.has_blob(b, digest_of("x")));
  CHECK(remote.token_requests.size() == 2);
}

TEST_CASE("a token that runs out in the middle of a push is renewed") {
  TokenRegistry remote;
  remote.good_for = 2;  // HEAD and POST; the PUT is refused
  const auto directory = TempDir::create();
  REQUIRE(CredentialStore(directory->path()).login(remote.domain(), {"me", "right", ""}).ok());
  Registry registry(make_curl_client(), options_in(*directory));
  const auto reference = *parse_reference(remote.domain() + "/team/a");
  REQUIRE(registry.push_blob(reference, "content").ok());
  CHECK(remote.given == 2);
  CHECK(remote.token_requests[0].target.find("account=me") != std::string::npos);
  CHECK(registry.counters().blobs_sent == 1);
  CHECK(registry.counters().retries == 0);
}

TEST_CASE("a token service that refuses is told apart") {
  TokenRegistry remote;
  remote.anonymous = false;
  const auto directory = TempDir::create();
  const auto reference = *parse_reference(remote.domain() + "/team/a");
  Registry anonymous(make_curl_client(), options_in(*directory));
  const auto nobody = anonymous.resolve(reference);
  REQUIRE_FALSE(nobody.ok());
  CHECK(nobody.error().code == ErrorCode::registry_auth);
  CHECK(nobody.error().message.find("no anonymous token") != std::string::npos);

  const auto wrong = anonymous.verify_login(remote.domain(), "me", "wrong");
  REQUIRE_FALSE(wrong.ok());
  CHECK(wrong.error().message == remote.domain() + " refused the password for user me");
  CHECK(anonymous.verify_login(remote.domain(), "me", "right").ok());
}

TEST_CASE("an identity token is exchanged by OAuth") {
  TokenRegistry remote;
  remote.anonymous = false;
  const auto directory = TempDir::create();
  REQUIRE(CredentialStore(directory->path()).login(remote.domain(), {"", "", "id/token"}).ok());
  Registry registry(make_curl_client(), options_in(*directory));
  CHECK_FALSE(*registry.has_blob(*parse_reference(remote.domain() + "/team/a"), digest_of("x")));
  REQUIRE(remote.token_requests.size() == 1);
  CHECK(remote.token_requests[0].method == "POST");
  CHECK(remote.token_requests[0].body.find("grant_type=refresh_token") != std::string::npos);
  CHECK(remote.token_requests[0].body.find("refresh_token=id%2Ftoken") != std::string::npos);
}

TEST_CASE("an upload elsewhere gets no password") {
  std::string seen = "none";
  HttpServer elsewhere([&](const ServedRequest& request) {
    seen = request.headers.count("authorization") ? request.headers.at("authorization") : "none";
    return ServedResponse{201, {}, "", {}, {}};
  });
  HttpServer server([&](const ServedRequest& request) -> ServedResponse {
    if (!request.headers.count("authorization"))
      return {401, {{"WWW-Authenticate", "Basic realm=x"}}, "", {}, {}};
    if (request.method == "HEAD") return {404, {}, "", {}, {}};
    return {202, {{"Location", elsewhere.url() + "/up"}}, "", {}, {}};
  });
  const auto directory = TempDir::create();
  const auto domain = "127.0.0.1:" + std::to_string(server.port());
  REQUIRE(CredentialStore(directory->path()).login(domain, {"me", "secret", ""}).ok());
  Registry registry(make_curl_client(), options_in(*directory));
  REQUIRE(registry.push_blob(*parse_reference(domain + "/a"), "x").ok());
  CHECK(seen == "none");
}

TEST_CASE("refusals carry the registry's own words") {
  struct Row {
    int status;
    std::string body, expected;
    ErrorCode code;
  };
  const std::vector<Row> rows = {
      {400, R"({"errors":[{"code":"NAME_INVALID","message":"bad name"}]})", "NAME_INVALID: bad name",
       ErrorCode::registry_refused},
      {403, R"({"errors":[{"code":"DENIED","message":"not yours"}]})", "DENIED: not yours",
       ErrorCode::registry_auth},
      {405, "<html>long page</html>", "HTTP status 405)", ErrorCode::registry_refused},
      {413, "too large", "too large", ErrorCode::registry_refused},
      {503, "", "HTTP status 503", ErrorCode::network},
  };
  for (const auto& row : rows) {
    INFO(row.status);
    HttpServer server([&](const ServedRequest&) { return ServedResponse{row.status, {}, row.body, {}, {}}; });
    const auto directory = TempDir::create();
    Registry registry(make_curl_client(), options_in(*directory));
    const auto reference = *parse_reference("127.0.0.1:" + std::to_string(server.port()) + "/a:1");
    const auto answer = registry.get_manifest(reference);
    REQUIRE_FALSE(answer.ok());
    CHECK(answer.error().code == row.code);
    INFO(answer.error().message);
    CHECK(answer.error().message.find(row.expected) != std::string::npos);
  }
}
