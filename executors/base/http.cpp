#include "executors/base/http.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <mutex>

#include "executors/base/curl_library.h"
#include "executors/base/fs.h"
#include "executors/base/http_transfer.h"
#include "executors/base/log.h"

namespace drydock {
namespace {

std::string from_environment(std::initializer_list<const char*> names) {
  for (const auto* name : names) {
    const char* value = std::getenv(name);
    if (value && *value) return value;
  }
  return {};
}

/// Keeps SIGPIPE from ending the process when a peer closes while TLS writes.
class NoBrokenPipe {
 public:
  NoBrokenPipe() {
    ::sigemptyset(&pipe_);
    ::sigaddset(&pipe_, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~NoBrokenPipe() {
    if (::sigismember(&before_, SIGPIPE)) return;
    const timespec at_once{0, 0};
    while (::sigtimedwait(&pipe_, nullptr, &at_once) == -1 && errno == EINTR) {
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t pipe_, before_;
};

/// DNS answers and TLS sessions for all handles. Connections are not shared: libcurl cannot do that over
/// threads, so each handle keeps its own and the pool gives a host's requests back to the handle that spoke
/// to it last.
class Share {
 public:
  explicit Share(const CurlLibrary& curl) : curl_(curl), share_(curl.share_init()) {
    curl_.share_setopt(share_, CURLSHOPT_LOCKFUNC, &Share::lock);
    curl_.share_setopt(share_, CURLSHOPT_UNLOCKFUNC, &Share::unlock);
    curl_.share_setopt(share_, CURLSHOPT_USERDATA, this);
    curl_.share_setopt(share_, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
    curl_.share_setopt(share_, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
  }
  ~Share() { curl_.share_cleanup(share_); }
  CURLSH* get() { return share_; }

 private:
  static void lock(CURL*, curl_lock_data data, curl_lock_access, void* self) {
    static_cast<Share*>(self)->mutexes_[static_cast<std::size_t>(data)].lock();
  }
  static void unlock(CURL*, curl_lock_data data, void* self) {
    static_cast<Share*>(self)->mutexes_[static_cast<std::size_t>(data)].unlock();
  }
  std::array<std::mutex, CURL_LOCK_DATA_LAST> mutexes_;
  const CurlLibrary& curl_;
  CURLSH* share_;
};

std::string origin_of(const std::string& url) {
  const auto scheme = url.find("://");
  return scheme == std::string::npos ? url : url.substr(0, url.find('/', scheme + 3));
}

/// What a client has once it has asked something.
class Session {
 public:
  Session(const CurlLibrary& curl, const CurlOptions& options) : curl_(curl), share_(curl) {
    settings_.user_agent = options.user_agent;
    settings_.share = share_.get();
    settings_.ca_file = from_environment({"CURL_CA_BUNDLE", "SSL_CERT_FILE"});
    settings_.ca_directory = from_environment({"SSL_CERT_DIR"});
    settings_.http_proxy = from_environment({"http_proxy", "HTTP_PROXY"});
    // As Go's clients: this machine itself is never asked through a proxy.
    settings_.no_proxy = "localhost,127.0.0.0/8,::1";
    if (const auto more = from_environment({"no_proxy", "NO_PROXY"}); !more.empty()) {
      settings_.no_proxy = more == "*" ? more : more + "," + settings_.no_proxy;
    }
    if (!options.extra_ca_file.empty()) trust_also(options.extra_ca_file);
  }

  ~Session() {
    for (const auto& idle : idle_) curl_.easy_cleanup(idle.handle);
  }

  Result<HttpResponse> perform(const HttpRequest& request, std::stop_token stop) {
    if (!failed_.message.empty()) return failed_;
    auto handle = take(origin_of(request.url));
    if (!handle) return make_error(ErrorCode::internal, "libcurl gave no handle");
    auto response = [&] {
      NoBrokenPipe guard;
      return Transfer(curl_, handle, request, settings_, stop).perform();
    }();
    give_back(handle, origin_of(request.url));
    return response;
  }

 private:
  struct Idle {
    CURL* handle;
    std::string origin;
  };
  static constexpr std::size_t k_most_idle = 32;

  void trust_also(const std::string& file) {
    const auto* version = curl_.version_info(CURLVERSION_NOW);
    auto bundle = settings_.ca_file;
    if (bundle.empty() && version->cainfo) bundle = version->cainfo;
    if (auto text = read_file_if_exists(bundle); text.ok() && *text) settings_.ca_text = **text + "\n";
    auto extra = read_file(file);
    if (extra.ok()) {
      settings_.ca_text += *extra;
    } else {
      failed_ = std::move(extra).error().while_("reading the extra certificate authorities");
      failed_.code = ErrorCode::environment;
    }
  }

  CURL* take(const std::string& origin) {
    std::lock_guard lock(mutex_);
    for (auto idle = idle_.rbegin(); idle != idle_.rend(); ++idle) {
      if (idle->origin != origin) continue;
      auto* handle = idle->handle;
      idle_.erase(std::next(idle).base());
      return handle;
    }
    return curl_.easy_init();
  }

  void give_back(CURL* handle, const std::string& origin) {
    std::lock_guard lock(mutex_);
    idle_.push_back({handle, origin});
    if (idle_.size() <= k_most_idle) return;
    curl_.easy_cleanup(idle_.front().handle);
    idle_.erase(idle_.begin());
  }

  const CurlLibrary& curl_;
  Share share_;
  TransferSettings settings_;
  Error failed_;
  std::mutex mutex_;
  std::vector<Idle> idle_;
};

class CurlClient : public HttpClient {
 public:
  explicit CurlClient(CurlOptions options) : options_(std::move(options)) {}

  Result<HttpResponse> perform(const HttpRequest& request, std::stop_token stop) override {
    auto curl = curl_library();
    if (!curl.ok()) return std::move(curl).error();
    std::call_once(begun_, [&] { session_.emplace(**curl, options_); });
    return session_->perform(request, stop);
  }

 private:
  const CurlOptions options_;
  std::once_flag begun_;
  std::optional<Session> session_;
};

}  // namespace

std::optional<std::string> HttpResponse::header(const std::string& lower_case_name) const {
  const auto found = headers.find(lower_case_name);
  if (found == headers.end()) return std::nullopt;
  return found->second;
}

std::shared_ptr<HttpClient> make_curl_client(CurlOptions options) {
  return std::make_shared<CurlClient>(std::move(options));
}

std::shared_ptr<HttpClient> make_curl_client(std::string user_agent) {
  return make_curl_client(CurlOptions{std::move(user_agent), {}});
}

}  // namespace drydock
