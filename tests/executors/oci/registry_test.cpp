#include "executors/oci/registry.h"

#include "executors/oci/registry_auth.h"
#include "tests/support/catch.h"
#include "tests/support/registry_fixture.h"
#include "tests/support/scripted_http.h"

#include <thread>

using namespace drydock;
using namespace drydock::oci;
using namespace drydock::test;
using namespace std::chrono_literals;

namespace {

#define NEEDS_REGISTRY(access)                                     \
  if (!RealRegistry::available(access)) {                          \
    WARN("skipped: docker-registry or htpasswd is not installed"); \
    return;                                                        \
  }

RegistryOptions quick(const std::string& credentials = "/nonexistent") {
  RegistryOptions options;
  options.retry = {4, 1ms, 5ms};
  options.credentials_directory = credentials;
  options.monolithic_limit = 4096;
  options.chunk_size = 3000;
  return options;
}

Reference app(const RealRegistry& server, const std::string& rest = "team/app:1") {
  return *parse_reference(server.domain() + "/" + rest);
}

std::string content(std::size_t size, char seed) {
  std::string text(size, seed);
  for (std::size_t i = 0; i < size; i += 7) text[i] = static_cast<char>('a' + i * 31 % 26);
  return text;
}

/// Config and one layer pushed, and the manifest of both.
std::string push_parts(Registry& registry, const Reference& reference, const std::string& layer) {
  const std::string config =
      R"({"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}})";
  REQUIRE(registry.push_blob(reference, config).ok());
  REQUIRE(registry.push_blob(reference, layer).ok());
  Manifest manifest;
  manifest.config = describe(media_type::k_config, config);
  manifest.layers = {describe(media_type::k_layer, layer)};
  return serialize(manifest);
}

std::string download(Registry& registry, const Reference& from, const BlobId& blob,
                     Status* status = nullptr) {
  std::string text;
  auto answer = registry.get_blob(from, blob, [&](std::string_view piece) -> Status {
    text += piece;
    return {};
  });
  if (status) {
    *status = answer;
  } else if (!answer.ok()) {
    FAIL(answer.error().to_string());
  }
  return text;
}

struct Scene {
  RealRegistry server;
  std::shared_ptr<ScriptedHttp> http = std::make_shared<ScriptedHttp>(make_curl_client());
  Registry registry{http, quick()};
  Reference image = app(server);
};

}  // namespace

TEST_CASE("an image goes to a registry and comes back") {
  NEEDS_REGISTRY(RegistryAccess::anonymous)
  Scene scene;
  const auto layer = content(1000, 'l');
  const auto text = push_parts(scene.registry, scene.image, layer);
  REQUIRE(scene.registry.push_manifest(scene.image, media_type::k_manifest, text, {}, ReadBack::yes).ok());

  const auto resolved = scene.registry.resolve(scene.image);
  REQUIRE(resolved.ok());
  CHECK(*resolved == describe(media_type::k_manifest, text));
  CHECK(scene.registry.get_manifest(scene.image)->text == text);
  const auto by_digest = scene.registry.get_manifest(scene.image.with_digest(resolved->digest));
  CHECK(by_digest->answered_by == scene.server.url());
  CHECK(by_digest->descriptor == *resolved);
  CHECK(download(scene.registry, scene.image, {digest_of(layer), layer.size()}) == layer);
  CHECK(*scene.registry.has_blob(scene.image, digest_of(layer)));
  CHECK_FALSE(*scene.registry.has_blob(scene.image, digest_of("none")));

  CHECK(scene.registry.resolve(scene.image.with_tag("none")).error().code == ErrorCode::not_found);
  CHECK(scene.registry.get_manifest(scene.image.with_digest(digest_of("x"))).error().code ==
        ErrorCode::not_found);
  Status status;
  (void)download(scene.registry, scene.image, {digest_of("none"), 4}, &status);
  CHECK(status.error().code == ErrorCode::not_found);
}

TEST_CASE("blobs that are there are not sent, others are mounted") {
  NEEDS_REGISTRY(RegistryAccess::anonymous)
  Scene scene;
  const auto layer = content(500, 'm');
  REQUIRE(scene.registry.push_blob(scene.image, layer).ok());
  REQUIRE(scene.registry.push_blob(scene.image, layer).ok());
  const auto other = app(scene.server, "team/other");
  CHECK(*scene.registry.mount_blob(other, digest_of(layer), "team/app"));
  CHECK(*scene.registry.has_blob(other, digest_of(layer)));
  CHECK_FALSE(*scene.registry.mount_blob(other, digest_of("none"), "team/app"));
  const auto counters = scene.registry.counters();
  CHECK(counters.blobs_sent == 1);
  CHECK(counters.blobs_skipped == 2);
  CHECK(counters.blobs_mounted == 1);
  CHECK(counters.bytes_sent == 500);
  CHECK(counters.retries == 0);
}

TEST_CASE("large blobs go in chunks, and go on where they stood") {
  NEEDS_REGISTRY(RegistryAccess::anonymous)
  Scene scene;
  const auto directory = TempDir::create();
  const auto path = directory->path() + "/blob";
  const auto layer = content(20'000, 'c');
  REQUIRE(write_file_atomic(path, layer).ok());
  const BlobId blob{digest_of(layer), layer.size()};
  std::uint64_t reported = 0;
  const auto progress = [&](std::uint64_t done, std::uint64_t total) {
    CHECK(total == 20'000);
    reported = std::max(reported, done);
  };
  SECTION("nothing goes wrong") {
    REQUIRE(scene.registry.push_blob_file(scene.image, blob, path, progress).ok());
    CHECK(scene.http->count("PATCH") == 7);
    CHECK(reported == 20'000);
  }
  SECTION("the third chunk times out before it arrives") {
    scene.http->at("PATCH", "", 3, times_out());
    REQUIRE(scene.registry.push_blob_file(scene.image, blob, path).ok());
    CHECK(scene.http->count("PATCH") == 8);
    CHECK(scene.registry.counters().retries == 1);
  }
  SECTION("the answer to the third chunk is lost") {
    // docker-registry 2.8 keeps the offset in the location it answers with, and drops an upload that is
    // further.
    scene.http->at("PATCH", "", 3, loses_answer(scene.http->real()));
    REQUIRE(scene.registry.push_blob_file(scene.image, blob, path).ok());
    CHECK(scene.http->count("POST") == 2);
  }
  SECTION("only a part of the second chunk arrives: the rest goes on from there") {
    std::string location;
    scene.http->at("PATCH", "", 2, [&](const HttpRequest& request) -> std::optional<Result<HttpResponse>> {
      auto part = request;
      part.body_length = 1000;
      part.headers = {{"Content-Type", "application/octet-stream"}, {"Content-Range", "3000-3999"}};
      location = *scene.http->real().perform(part)->header("location");
      return Result<HttpResponse>(make_error(ErrorCode::network, "connection reset"));
    });
    scene.http->at("GET", "/uploads/", 1, [&](const HttpRequest&) -> std::optional<Result<HttpResponse>> {
      HttpResponse response;
      response.status = 204;
      response.headers = {{"range", "0-3999"}, {"location", location}};
      return Result<HttpResponse>(response);
    });
    REQUIRE(scene.registry.push_blob_file(scene.image, blob, path).ok());
    CHECK(scene.http->count("POST") == 1);
    CHECK(scene.http->count("PATCH") == 8);
  }
  SECTION("a proxy answers 502 to a chunk") {
    scene.http->at("PATCH", "", 2, answers(502));
    REQUIRE(scene.registry.push_blob_file(scene.image, blob, path).ok());
  }
  SECTION("the registry forgets the upload: the blob begins anew") {
    scene.http->at("PATCH", "", 4, answers(503));
    scene.http->at("GET", "/uploads/", 1, answers(404));
    REQUIRE(scene.registry.push_blob_file(scene.image, blob, path).ok());
    CHECK(scene.http->count("POST") == 2);
  }
  SECTION("the answer to the last request is lost: the blob is found to be there") {
    scene.http->at("PUT", "", 1, loses_answer(scene.http->real()));
    REQUIRE(scene.registry.push_blob_file(scene.image, blob, path).ok());
    CHECK(scene.http->count("POST") == 1);
  }
  SECTION("it never works") {
    for (int i = 1; i <= 40; ++i) scene.http->at("PATCH", "", i, times_out());
    const auto status = scene.registry.push_blob_file(scene.image, blob, path);
    REQUIRE_FALSE(status.ok());
    CHECK(status.error().code == ErrorCode::network);
    return;
  }
  CHECK(download(scene.registry, scene.image, blob) == layer);
  CHECK(scene.registry.counters().blobs_sent == 1);
}

TEST_CASE("small blobs and manifests survive transient faults") {
  NEEDS_REGISTRY(RegistryAccess::anonymous)
  Scene scene;
  scene.http->at("POST", "", 1, answers(502));
  scene.http->at("PUT", "/blobs/", 1, times_out());
  scene.http->at("PUT", "/manifests/", 1, answers(429, {{"retry-after", "0"}}));
  scene.http->at("PUT", "/manifests/", 2, times_out());
  const auto text = push_parts(scene.registry, scene.image, content(100, 's'));
  REQUIRE(scene.registry.push_manifest(scene.image, media_type::k_manifest, text).ok());
  CHECK(scene.registry.counters().retries == 4);
  CHECK(scene.registry.counters().manifests_sent == 1);
}

TEST_CASE("a registry that mixes up two uploads of the same content is asked again") {
  NEEDS_REGISTRY(RegistryAccess::anonymous)
  Scene scene;
  const std::string refusal = R"({"errors":[{"code":"DIGEST_INVALID","message":"provided digest did not match uploaded content"}]})";
  scene.http->at("PUT", "/blobs/", 1, answers(400, {}, refusal));
  scene.http->at("PUT", "/manifests/", 1, answers(400, {}, refusal));
  const auto text = push_parts(scene.registry, scene.image, content(100, 's'));
  REQUIRE(scene.registry.push_manifest(scene.image, media_type::k_manifest, text).ok());
  CHECK(scene.registry.counters().retries == 2);
}

TEST_CASE("a manifest that changes on the way is found out") {
  NEEDS_REGISTRY(RegistryAccess::anonymous)
  Scene scene;
  const auto text = push_parts(scene.registry, scene.image, content(100, 's'));
  scene.http->at("PUT", "/manifests/", 1,
                 answers(201, {{"docker-content-digest", digest_of("x").to_string()}}));
  CHECK(scene.registry.push_manifest(scene.image, media_type::k_manifest, text).error().code ==
        ErrorCode::corrupted);
  scene.http->at("GET", "/manifests/", 1, answers(200, {}, text + " "));
  CHECK(scene.registry.push_manifest(scene.image, media_type::k_manifest, text, {}, ReadBack::yes)
            .error()
            .code == ErrorCode::corrupted);
  CHECK(scene.registry.push_manifest(scene.image.with_digest(digest_of("x")), media_type::k_manifest, text)
            .error()
            .code == ErrorCode::internal);
  scene.http->at("GET", "/manifests/", 1, answers(200, {}, "{}"));
  CHECK(scene.registry.get_manifest(scene.image.with_digest(digest_of(text))).error().code ==
        ErrorCode::corrupted);
}

TEST_CASE("a broken download goes on where it stood") {
  NEEDS_REGISTRY(RegistryAccess::anonymous)
  Scene scene;
  const auto layer = content(4000, 'd');
  REQUIRE(scene.registry.push_blob(scene.image, layer).ok());
  const BlobId blob{digest_of(layer), layer.size()};
  const std::string part = "/blobs/" + blob.digest.to_string();
  SECTION("by a range") {
    scene.http->at("GET", part, 1, closes_after(scene.http->real(), 512));
    CHECK(download(scene.registry, scene.image, blob) == layer);
    const auto seen = scene.http->seen();
    const auto& headers = seen.back().headers;
    CHECK(std::find(headers.begin(), headers.end(),
                    std::make_pair(std::string("Range"), std::string("bytes=512-"))) != headers.end());
  }
  SECTION("also when the server ignores the range") {
    scene.http->at("GET", part, 1, closes_after(scene.http->real(), 512));
    scene.http->at("GET", part, 2, [&](const HttpRequest& request) -> std::optional<Result<HttpResponse>> {
      HttpResponse whole;
      whole.status = 200;
      request.on_headers(whole);
      request.on_body(layer.substr(0, 300));
      request.on_body(layer.substr(300));
      return Result<HttpResponse>(whole);
    });
    CHECK(download(scene.registry, scene.image, blob) == layer);
  }
  SECTION("wrong content is refused") {
    Status status;
    scene.http->at("GET", part, 1, [&](const HttpRequest& request) -> std::optional<Result<HttpResponse>> {
      HttpResponse whole;
      whole.status = 200;
      request.on_body(std::string(4000, 'x'));
      return Result<HttpResponse>(whole);
    });
    (void)download(scene.registry, scene.image, blob, &status);
    CHECK(status.error().code == ErrorCode::corrupted);
  }
  SECTION("more than was promised is refused") {
    Status status;
    (void)download(scene.registry, scene.image, {blob.digest, 3999}, &status);
    CHECK(status.error().code == ErrorCode::corrupted);
  }
  SECTION("the sink's own error comes through, without retries") {
    const auto status = scene.registry.get_blob(
        scene.image, blob, [](std::string_view) -> Status { return make_error(ErrorCode::io, "disk full"); });
    CHECK(status.error().message == "disk full");
    CHECK(scene.registry.counters().retries == 0);
  }
}

TEST_CASE("passwords are asked for and judged") {
  NEEDS_REGISTRY(RegistryAccess::password)
  RealRegistry server(RegistryAccess::password);
  const auto directory = TempDir::create();
  Registry anonymous(make_curl_client(), quick());
  const auto image = app(server);
  const auto refused = anonymous.resolve(image);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::registry_auth);
  CHECK(refused.error().message.find("wants a login") != std::string::npos);
  CHECK(anonymous.ping(server.domain()).error().code == ErrorCode::registry_auth);

  CHECK(anonymous.verify_login(server.domain(), RealRegistry::k_user, RealRegistry::k_password).ok());
  const auto wrong = anonymous.verify_login(server.domain(), RealRegistry::k_user, "wrong");
  REQUIRE_FALSE(wrong.ok());
  CHECK(wrong.error().code == ErrorCode::registry_auth);
  CHECK(wrong.error().message == server.domain() + " refused the password for user tester");
  CHECK(anonymous.verify_login(server.domain(), "tester", "").error().mend.find("is the secret defined") !=
        std::string::npos);
  // Trying a password changes nothing for the others.
  CHECK(anonymous.resolve(image).error().code == ErrorCode::registry_auth);

  CredentialStore store(directory->path());
  REQUIRE(store.login(server.domain(), {RealRegistry::k_user, RealRegistry::k_password, ""}).ok());
  Registry known(make_curl_client(), quick(directory->path()));
  const auto text = push_parts(known, image, content(100, 'p'));
  CHECK(known.push_manifest(image, media_type::k_manifest, text, {}, ReadBack::yes).ok());
  CHECK(known.ping(server.domain()).ok());

  REQUIRE(store.login(server.domain(), {RealRegistry::k_user, "wrong", ""}).ok());
  Registry mistaken(make_curl_client(), quick(directory->path()));
  const auto answer = mistaken.push_blob(image, "x");
  REQUIRE_FALSE(answer.ok());
  CHECK(answer.error().code == ErrorCode::registry_auth);
  CHECK(answer.error().message.find("refused the password for user tester") != std::string::npos);
}

TEST_CASE("a registry that is down is called so") {
  Registry registry(make_curl_client(), quick());
  const auto login = registry.verify_login("127.0.0.1:1", "u", "p");
  REQUIRE_FALSE(login.ok());
  CHECK(login.error().code == ErrorCode::network);
  CHECK(login.error().message.find("127.0.0.1:1 is down: cannot connect") == 0);
  const auto reference = *parse_reference("127.0.0.1:1/app");
  CHECK(registry.resolve(reference).error().message.find("127.0.0.1:1 is down") == 0);
  CHECK(registry.push_blob(reference, "x").error().message.find("127.0.0.1:1 is down") == 0);
}

TEST_CASE("pulls go through mirrors, and fall back") {
  NEEDS_REGISTRY(RegistryAccess::anonymous)
  RealRegistry mirror, origin;
  Registry direct(make_curl_client(), quick());
  const auto mirrored = app(mirror, "library/base:1");
  const auto text = push_parts(direct, mirrored, content(100, 'b'));
  REQUIRE(direct.push_manifest(mirrored, media_type::k_manifest, text).ok());
  const auto only_there = app(origin, "library/other:1");
  const auto other = push_parts(direct, only_there, content(120, 'o'));
  REQUIRE(direct.push_manifest(only_there, media_type::k_manifest, other).ok());

  std::vector<std::string> answered;
  auto options = quick();
  options.mirrors = {{"docker.io", {mirror.url() + "/"}}, {origin.domain(), {mirror.domain()}}};
  options.on_answered = [&](const Reference&, const std::string& base) { answered.push_back(base); };
  const auto http = std::make_shared<ScriptedHttp>(make_curl_client());
  for (int i = 1; i < 20; ++i) http->at("HEAD", "registry-1.docker.io", i, times_out());
  Registry registry(http, options);
  CHECK(registry.get_manifest(*parse_reference("base:1"))->text == text);
  CHECK(registry.get_manifest(app(origin, "library/other:1"))->text == other);
  CHECK(answered == std::vector<std::string>{mirror.url(), origin.url()});
  CHECK(download(registry, only_there, {digest_of(content(120, 'o')), 120}) == content(120, 'o'));
  CHECK(*registry.can_pull_blob(*parse_reference("base"), digest_of(content(100, 'b'))));
  CHECK(*registry.can_pull_blob(only_there, digest_of(content(120, 'o'))));

  const auto nowhere = registry.resolve(*parse_reference("missing:1"));
  REQUIRE_FALSE(nowhere.ok());
  CHECK(nowhere.error().code == ErrorCode::network);
  INFO(nowhere.error().to_string());
  CHECK_FALSE(nowhere.error().message.empty());
  CHECK(nowhere.error().to_string().find("was not found in the mirror " + mirror.url()) != std::string::npos);
}

TEST_CASE("many threads use one client") {
  NEEDS_REGISTRY(RegistryAccess::password)
  RealRegistry server(RegistryAccess::password);
  const auto directory = TempDir::create();
  REQUIRE(CredentialStore(directory->path())
              .login(server.domain(), {RealRegistry::k_user, RealRegistry::k_password, ""})
              .ok());
  Registry registry(make_curl_client(), quick(directory->path()));
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const auto image = app(server, "team/t" + std::to_string(t));
      const auto layer = content(9000 + static_cast<std::size_t>(t), 't');
      if (!registry.push_blob(image, layer).ok()) return;
      std::string text;
      const auto got =
          registry.get_blob(image, {digest_of(layer), layer.size()}, [&](std::string_view piece) -> Status {
            text += piece;
            return {};
          });
      if (got.ok() && text == layer) ++right;
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(right == 4);
}
