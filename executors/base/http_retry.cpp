#include <algorithm>
#include <condition_variable>
#include <ctime>
#include <mutex>
#include <random>

#include "executors/base/curl_library.h"
#include "executors/base/http.h"

namespace drydock {
namespace {

using std::chrono::milliseconds;

/// A server may ask for patience, but not for the whole day.
constexpr milliseconds k_longest_asked{60'000};

/// Returns early when asked to stop.
void wait_for(milliseconds time, std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, time, [] { return false; });
}

/// Full waits of many clients that failed together would make them come back together.
milliseconds with_jitter(milliseconds wait) {
  thread_local std::mt19937 random{std::random_device{}()};
  std::uniform_real_distribution<double> factor(0.75, 1.25);
  return milliseconds(static_cast<std::int64_t>(static_cast<double>(wait.count()) * factor(random)));
}

/// Retry-After: seconds, or a date.
std::optional<milliseconds> asked_wait(const HttpResponse& response) {
  const auto text = response.header("retry-after");
  if (!text || text->empty()) return std::nullopt;
  milliseconds wait{0};
  if (text->find_first_not_of("0123456789") == std::string::npos) {
    wait = milliseconds(text->size() > 6 ? k_longest_asked.count() : std::stol(*text) * 1000);
  } else {
    const auto curl = curl_library();
    const auto date = curl.ok() ? (*curl)->getdate(text->c_str(), nullptr) : -1;
    if (date < 0) return std::nullopt;
    wait = milliseconds(std::max<std::int64_t>(0, date - std::time(nullptr)) * 1000);
  }
  return std::min(wait, k_longest_asked);
}

}  // namespace

bool is_transient_status(int status) {
  switch (status) {
    case 408:
    case 425:
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
      return true;
    default:
      return false;
  }
}

Result<HttpResponse> retrying(HttpClient& client, const HttpRequest& request, const RetryPolicy& policy,
                              std::stop_token stop,
                              const std::function<void(int attempt, const std::string& why)>& on_retry) {
  auto wait = policy.first_wait;
  for (int attempt = 1;; ++attempt) {
    auto response = client.perform(request, stop);
    std::string why;
    std::optional<milliseconds> asked;
    if (!response.ok()) {
      if (response.error().code != ErrorCode::network) return response;
      why = response.error().message;
    } else {
      if (!is_transient_status(response->status)) return response;
      why = "HTTP status " + std::to_string(response->status);
      asked = asked_wait(*response);
    }
    if (attempt >= policy.attempts) return response;
    wait_for(std::max(asked.value_or(milliseconds(0)), with_jitter(wait)), stop);
    if (stop.stop_requested()) return make_error(ErrorCode::cancelled, "asked to stop");
    wait = std::min(wait * 2, policy.max_wait);
    if (on_retry) on_retry(attempt + 1, why);
  }
}

}  // namespace drydock
