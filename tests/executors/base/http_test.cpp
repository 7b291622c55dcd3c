#include "executors/base/http.h"

#include "executors/base/fs.h"
#include "tests/support/catch.h"
#include "tests/support/http_server.h"

using namespace drydock;
using namespace std::chrono_literals;
using test::HttpServer;
using test::ServedRequest;
using test::ServedResponse;

namespace {

HttpRequest get(const std::string& url) {
  HttpRequest request;
  request.url = url;
  return request;
}

/// Answers from a list, the last one again and again.
class Scripted : public HttpClient {
 public:
  std::vector<Result<HttpResponse>> answers;
  int calls = 0;
  Result<HttpResponse> perform(const HttpRequest&, std::stop_token) override {
    const auto index = std::min<std::size_t>(static_cast<std::size_t>(calls++), answers.size() - 1);
    return answers[index];
  }
};

HttpResponse status(int code) {
  HttpResponse response;
  response.status = code;
  return response;
}

}  // namespace

TEST_CASE("methods, headers and bodies arrive") {
  HttpServer server([](const ServedRequest& request) {
    ServedResponse response;
    response.headers = {{"X-Method", request.method}};
    response.body = request.target + "|" + request.body + "|" +
                    (request.headers.count("x-one") ? request.headers.at("x-one") : "");
    return response;
  });
  const auto client = make_curl_client("tester/1");
  for (const auto* method : {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"}) {
    INFO(method);
    auto request = get(server.url() + "/a?b=c");
    request.method = method;
    request.headers = {{"X-One", "1"}};
    if (std::string(method).find('P') == 0) request.body = "body";
    const auto response = client->perform(request);
    REQUIRE(response.ok());
    CHECK(response->status == 200);
    CHECK(response->header("x-method") == method);
    CHECK_FALSE(response->header("x-none"));
    const std::string body = request.body.empty() ? "" : "body";
    CHECK(response->body == (std::string(method) == "HEAD" ? "" : "/a?b=c|" + body + "|1"));
  }
  CHECK(server.connections() == 1);
}

TEST_CASE("an empty POST says so, and a part of a file is streamed") {
  HttpServer server([](const ServedRequest& request) {
    ServedResponse response;
    response.body =
        (request.headers.count("content-length") ? request.headers.at("content-length") : "none") + ":" +
        request.body;
    return response;
  });
  const auto client = make_curl_client();
  auto request = get(server.url());
  request.method = "POST";
  CHECK(client->perform(request)->body == "0:");

  auto directory = TempDir::create();
  const auto file = directory->path() + "/f";
  REQUIRE(write_file_atomic(file, "0123456789").ok());
  request.method = "PATCH";
  request.body_file = file;
  request.body_offset = 3;
  request.body_length = 4;
  CHECK(client->perform(request)->body == "4:3456");
  request.body_length = {};
  CHECK(client->perform(request)->body == "7:3456789");
  request.body_length = 100;
  CHECK(client->perform(request).error().code == ErrorCode::corrupted);
  request.body_file = "/no/such/file";
  CHECK(client->perform(request).error().code == ErrorCode::not_found);
}

TEST_CASE("a body is streamed for good statuses only, and may be refused") {
  HttpServer server([](const ServedRequest& request) {
    ServedResponse response;
    response.status = request.target == "/bad" ? 404 : 200;
    response.body = std::string(100'000, 'x');
    return response;
  });
  const auto client = make_curl_client();
  std::size_t taken = 0;
  auto request = get(server.url() + "/good");
  request.on_body = [&](std::string_view piece) { return (taken += piece.size()) > 0; };
  auto response = client->perform(request);
  CHECK(taken == 100'000);
  CHECK(response->body.empty());
  request.url = server.url() + "/bad";
  response = client->perform(request);
  CHECK(taken == 100'000);
  CHECK(response->body.size() == 100'000);
  request.url = server.url() + "/good";
  request.on_body = [](std::string_view) { return false; };
  CHECK(client->perform(request).error().code == ErrorCode::cancelled);
  request.on_body = {};
  request.max_body = 1000;
  CHECK(client->perform(request).error().message.find("larger than 1000") != std::string::npos);
}

TEST_CASE("redirects are followed, credentials stay with their host") {
  std::string seen = "none";
  HttpServer other([&](const ServedRequest& request) {
    seen = request.headers.count("authorization") ? request.headers.at("authorization") : "none";
    return ServedResponse{200, {}, "there", {}, {}};
  });
  HttpServer server([&](const ServedRequest& request) {
    if (request.target == "/same") return ServedResponse{307, {{"Location", "/end"}}, "", {}, {}};
    if (request.target == "/end") return ServedResponse{200, {}, request.headers.at("authorization"), {}, {}};
    return ServedResponse{307, {{"Location", other.url() + "/x"}}, "", {}, {}};
  });
  const auto client = make_curl_client();
  auto request = get(server.url() + "/same");
  request.headers = {{"Authorization", "Basic secret"}};
  CHECK(client->perform(request)->body == "Basic secret");
  request.url = server.url() + "/other";
  const auto response = client->perform(request);
  CHECK(response->body == "there");
  CHECK(response->effective_url == other.url() + "/x");
  CHECK(seen == "none");
  request.follow_redirects = false;
  CHECK(client->perform(request)->status == 307);
}

TEST_CASE("transport failures are network errors that name the place, without the query") {
  HttpServer server([](const ServedRequest& request) {
    ServedResponse response;
    response.body = std::string(2048, 'x');
    if (request.target.starts_with("/cut")) response.close_after = 512;
    if (request.target.starts_with("/slow")) response.delay = 2s;
    return response;
  });
  const auto client = make_curl_client();
  auto response = client->perform(get(server.url() + "/cut?token=secret"));
  REQUIRE_FALSE(response.ok());
  CHECK(response.error().code == ErrorCode::network);
  CHECK(response.error().message.find("/cut") != std::string::npos);
  CHECK(response.error().message.find("secret") == std::string::npos);

  response = client->perform(get("http://127.0.0.1:1/x"));
  REQUIRE_FALSE(response.ok());
  CHECK(response.error().code == ErrorCode::network);
  CHECK(response.error().message.find("cannot connect to http://127.0.0.1:1/x") == 0);

  CHECK(client->perform(get("file:///etc/passwd")).error().code == ErrorCode::usage);
  auto split = get(server.url());
  split.headers = {{"X", "a\r\nEvil: b"}};
  CHECK(client->perform(split).error().code == ErrorCode::usage);

  auto stalled = get(server.url() + "/slow");
  stalled.stall_timeout = 1s;
  response = client->perform(stalled);
  REQUIRE_FALSE(response.ok());
  CHECK(response.error().code == ErrorCode::network);

  std::stop_source source;
  std::thread stopper([&] {
    std::this_thread::sleep_for(100ms);
    source.request_stop();
  });
  const auto started = std::chrono::steady_clock::now();
  response = client->perform(get(server.url() + "/slow"), source.get_token());
  stopper.join();
  REQUIRE_FALSE(response.ok());
  CHECK(response.error().code == ErrorCode::cancelled);
  CHECK(std::chrono::steady_clock::now() - started < 1900ms);
}

TEST_CASE("an extra CA file that cannot be read is an error of the environment") {
  const auto client = make_curl_client(CurlOptions{"x", "/no/such/ca.pem"});
  CHECK(client->perform(get("http://127.0.0.1:1/")).error().code == ErrorCode::environment);
}

TEST_CASE("one client serves many threads") {
  HttpServer server([](const ServedRequest& request) {
    return ServedResponse{200, {}, request.target, {}, {}};
  });
  const auto client = make_curl_client();
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 25; ++i) {
        const auto target = "/" + std::to_string(t) + "/" + std::to_string(i);
        const auto response = client->perform(get(server.url() + target));
        if (response.ok() && response->body == target) ++right;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(right == 100);
  CHECK(server.connections() <= 4);
}

TEST_CASE("transient answers are retried, others are not") {
  const RetryPolicy quick{4, 1ms, 2ms};
  const auto network = make_error(ErrorCode::network, "reset");
  struct Row {
    std::vector<Result<HttpResponse>> answers;
    int calls;
    int status;
  };
  const std::vector<Row> rows = {
      {{status(200)}, 1, 200},
      {{status(502), network, status(201)}, 3, 201},
      {{status(404)}, 1, 404},
      {{status(401)}, 1, 401},
      {{status(503)}, 4, 503},
      {{network}, 4, 0},
      {{make_error(ErrorCode::environment, "certificate")}, 1, 0},
  };
  for (const auto& row : rows) {
    Scripted client;
    client.answers = row.answers;
    int heard = 0;
    const auto response = retrying(client, {}, quick, {}, [&](int, const std::string&) { ++heard; });
    CHECK(client.calls == row.calls);
    CHECK(heard == row.calls - 1);
    CHECK((response.ok() ? response->status : 0) == row.status);
  }
}

TEST_CASE("Retry-After is honoured, and waiting ends at a stop request") {
  Scripted client;
  auto busy = status(429);
  busy.headers.emplace("retry-after", "1");
  client.answers = {busy, status(200)};
  auto started = std::chrono::steady_clock::now();
  CHECK(retrying(client, {}, {3, 1ms, 2ms})->status == 200);
  CHECK(std::chrono::steady_clock::now() - started >= 900ms);

  busy.headers.clear();
  busy.headers.emplace("retry-after", "30");
  Scripted patient;
  patient.answers = {busy};
  std::stop_source source;
  std::thread stopper([&] {
    std::this_thread::sleep_for(50ms);
    source.request_stop();
  });
  started = std::chrono::steady_clock::now();
  CHECK(retrying(patient, {}, {3, 1ms, 2ms}, source.get_token()).error().code == ErrorCode::cancelled);
  CHECK(std::chrono::steady_clock::now() - started < 5s);
  stopper.join();
}
