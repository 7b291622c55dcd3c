#pragma once
// An HttpClient that passes requests on, except where a script says otherwise: "the third PATCH times out",
// "this GET ends after 512 bytes", "that PUT is answered by 401". Thread-safe.

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "executors/base/http.h"

namespace drydock::test {

class ScriptedHttp : public HttpClient {
 public:
  /// What happens instead of, or after, a request. Nothing: it passes.
  using Fault = std::function<std::optional<Result<HttpResponse>>(const HttpRequest&)>;

  explicit ScriptedHttp(std::shared_ptr<HttpClient> real) : real_(std::move(real)) {}

  /// At the nth request (from 1) of this method whose URL contains `part`.
  void at(std::string method, std::string part, int nth, Fault fault) {
    std::lock_guard lock(mutex_);
    rules_.push_back({std::move(method), std::move(part), nth, 0, std::move(fault)});
  }

  int count(const std::string& method, const std::string& part = {}) const {
    std::lock_guard lock(mutex_);
    int count = 0;
    for (const auto& request : seen_)
      count += request.method == method && request.url.find(part) != std::string::npos;
    return count;
  }
  std::vector<HttpRequest> seen() const {
    std::lock_guard lock(mutex_);
    return seen_;
  }

  Result<HttpResponse> perform(const HttpRequest& request, std::stop_token stop) override {
    Fault fault;
    {
      std::lock_guard lock(mutex_);
      seen_.push_back(request);
      for (auto& rule : rules_) {
        if (rule.method != request.method || request.url.find(rule.part) == std::string::npos) continue;
        if (++rule.count == rule.nth) fault = rule.fault;
      }
    }
    if (fault) {
      if (auto answer = fault(request)) return std::move(*answer);
    }
    return real_->perform(request, stop);
  }

  HttpClient& real() { return *real_; }

 private:
  struct Rule {
    std::string method, part;
    int nth, count;
    Fault fault;
  };
  std::shared_ptr<HttpClient> real_;
  mutable std::mutex mutex_;
  std::vector<Rule> rules_;
  std::vector<HttpRequest> seen_;
};

inline ScriptedHttp::Fault times_out() {
  return [](const HttpRequest&) { return Result<HttpResponse>(make_error(ErrorCode::network, "timed out")); };
}

inline ScriptedHttp::Fault answers(int status, std::vector<std::pair<std::string, std::string>> headers = {},
                                   std::string body = {}) {
  return [=](const HttpRequest&) {
    HttpResponse response;
    response.status = status;
    for (const auto& [name, value] : headers) response.headers.emplace(name, value);
    response.body = body;
    return Result<HttpResponse>(std::move(response));
  };
}

/// The real answer's body up to here, then a broken connection.
inline ScriptedHttp::Fault closes_after(HttpClient& real, std::size_t bytes) {
  return [&real, bytes](const HttpRequest& request) -> std::optional<Result<HttpResponse>> {
    auto cut = request;
    std::size_t left = bytes;
    cut.on_body = [&](std::string_view piece) {
      const auto taken = std::min(left, piece.size());
      left -= taken;
      return request.on_body(piece.substr(0, taken)) && left > 0;
    };
    auto response = real.perform(cut);
    return Result<HttpResponse>(make_error(ErrorCode::network, "connection closed"));
  };
}

/// The request arrives and is done; its answer is lost.
inline ScriptedHttp::Fault loses_answer(HttpClient& real) {
  return [&real](const HttpRequest& request) -> std::optional<Result<HttpResponse>> {
    (void)real.perform(request);
    return Result<HttpResponse>(make_error(ErrorCode::network, "connection reset"));
  };
}

}  // namespace drydock::test
