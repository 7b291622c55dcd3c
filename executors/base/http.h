#pragma once
// HTTP over libcurl with pooled connections. Thread-safe. No policy: redirects are followed, credentials
// are not sent to another host, proxies and the CA bundle come from the environment; retries are the caller's
// through `retrying`.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "executors/base/result.h"

namespace drydock {

struct HttpResponse;

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;                          // sent when not empty …
  std::optional<std::string> body_file;      // … or this file, streamed
  std::uint64_t body_offset = 0;             // from here
  std::optional<std::uint64_t> body_length;  // this many bytes, to the end when empty
  // Takes the response body as it comes instead of HttpResponse::body, for statuses below 300;
  // returning false aborts.
  std::function<bool(std::string_view)> on_body;
  // Before the first on_body: the status and headers of the answer that the body belongs to.
  std::function<void(const HttpResponse&)> on_headers;
  std::function<void(std::uint64_t done, std::uint64_t total)> on_progress;
  bool follow_redirects = true;
  std::uint64_t max_body = 512ULL << 20;  // of HttpResponse::body; more is an error
  std::chrono::seconds connect_timeout{20};
  std::chrono::seconds stall_timeout{60};  // no byte in either direction for so long
};

struct HttpResponse {
  int status = 0;
  std::multimap<std::string, std::string> headers;  // names in lower case
  std::string body;
  std::string effective_url;

  std::optional<std::string> header(const std::string& lower_case_name) const;
};

/// Interface because tests inject faults (third call times out; closes after 512 bytes).
class HttpClient {
 public:
  virtual ~HttpClient() = default;
  /// Any HTTP status is a success here; an Error is a transport failure (code network), a certificate that
  /// does not verify (environment), a URL that is none (usage), or cancelled: by `stop`, or by on_body's
  /// false.
  virtual Result<HttpResponse> perform(const HttpRequest& request, std::stop_token stop = {}) = 0;
};

struct CurlOptions {
  std::string user_agent = "drydock";
  std::string extra_ca_file;  // PEM, trusted beside the environment's bundle
};
std::shared_ptr<HttpClient> make_curl_client(CurlOptions options);
std::shared_ptr<HttpClient> make_curl_client(std::string user_agent = "drydock");

struct RetryPolicy {
  int attempts = 5;
  std::chrono::milliseconds first_wait{250};  // doubles, with jitter, up to max_wait
  std::chrono::milliseconds max_wait{10000};
};

/// True for 408, 425, 429, 500, 502, 503, 504.
bool is_transient_status(int status);

/// perform() again on transport errors and transient statuses, honouring Retry-After; the last answer when
/// attempts run out. Only for requests that may be repeated. `on_retry` hears of each new attempt.
Result<HttpResponse> retrying(HttpClient& client, const HttpRequest& request, const RetryPolicy& policy,
                              std::stop_token stop = {},
                              const std::function<void(int attempt, const std::string& why)>& on_retry = {});

}  // namespace drydock
