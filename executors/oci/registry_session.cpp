#include "executors/oci/registry_session.h"

#include <algorithm>
#include <condition_variable>

#include "executors/base/json.h"

namespace drydock::oci {
namespace {

std::string host_of(const std::string& url) {
  const auto scheme = url.find("://");
  const auto start = scheme == std::string::npos ? 0 : scheme + 3;
  return url.substr(start, url.find('/', start) - start);
}

bool is_loopback(const std::string& host) {
  const auto name =
      host.starts_with('[') ? host.substr(0, host.find(']') + 1) : host.substr(0, host.find(':'));
  return name == "localhost" || name == "[::1]" || name.ends_with(".localhost") || name.starts_with("127.");
}

/// A server that wants TLS and was spoken to without it says so with 400; an answer to HEAD cannot say it.
bool may_want_tls(const HttpResponse& response, const HttpRequest& request) {
  return response.status == 400 && request.url.starts_with("http://") && is_loopback(host_of(request.url)) &&
         (request.method == "HEAD" || response.body.find("HTTPS") != std::string::npos);
}

/// "MANIFEST_UNKNOWN: manifest unknown" of the specification's error document; the text itself when it is
/// short.
std::string reason_in(const HttpResponse& response) {
  if (const auto json = parse_json(response.body, "error"); json.ok() && json->is_object()) {
    const auto errors = json->find("errors");
    if (errors != json->end() && errors->is_array() && !errors->empty()) {
      const auto code = json_or((*errors)[0], "code", std::string());
      const auto message = json_or((*errors)[0], "message", std::string());
      return code + (message.empty() || code.empty() ? "" : ": ") + message;
    }
  }
  const auto line = response.body.substr(0, response.body.find('\n'));
  return line.size() <= 200 && line.find('<') == std::string::npos ? line : std::string();
}

}  // namespace

Session::Session(std::shared_ptr<HttpClient> http, RegistryOptions options)
    : http_(std::move(http)),
      options_(std::move(options)),
      authenticator_(*http_, options_.retry, CredentialStore(options_.credentials_directory)) {}

bool Session::speaks_plain_http(const std::string& host) const {
  return is_loopback(host) || options_.plain_http.contains(host);
}

Endpoint Session::origin(const std::string& domain) {
  if (domain == "docker.io") return {"https://registry-1.docker.io", "docker.io", "docker.io"};
  std::lock_guard lock(mutex_);
  const bool plain = speaks_plain_http(domain) && !loopback_with_tls_.contains(domain);
  return {(plain ? "http://" : "https://") + domain, domain, domain};
}

std::vector<Endpoint> Session::pull_endpoints(const std::string& domain) {
  std::vector<Endpoint> endpoints;
  if (const auto found = options_.mirrors.find(domain); found != options_.mirrors.end()) {
    for (auto base : found->second) {
      if (base.find("://") == std::string::npos)
        base = (speaks_plain_http(host_of(base)) ? "http://" : "https://") + base;
      while (base.ends_with('/')) base.pop_back();
      endpoints.push_back({base, host_of(base), "the mirror " + base});
    }
  }
  endpoints.push_back(origin(domain));
  return endpoints;
}

Result<HttpResponse> Session::send(const Endpoint& endpoint, HttpRequest request, const Scopes& scopes,
                                   std::stop_token stop) {
  // An upload's location may be on another host: the password is not for that one.
  const bool same_host = host_of(request.url) == host_of(endpoint.base);
  const auto plain_headers = request.headers;
  for (int round = 0;; ++round) {
    std::optional<std::string> authorization;
    if (same_host) {
      DRYDOCK_ASSIGN(authorization, authenticator_.header_for(endpoint.host, scopes, stop));
    }
    request.headers = plain_headers;
    if (authorization) request.headers.emplace_back("Authorization", *authorization);
    ++counters_.requests;
    DRYDOCK_ASSIGN(auto response, http_->perform(request, stop));
    if (may_want_tls(response, request)) {
      auto secured = request;
      secured.url.replace(0, 7, "https://");
      auto answer = http_->perform(secured, stop);
      if (!answer.ok()) return response;
      std::lock_guard lock(mutex_);
      loopback_with_tls_.insert(endpoint.host);
      request.url = secured.url;
      response = std::move(*answer);
    }
    if (response.status != 401 || !same_host || round >= 2) return response;
    DRYDOCK_ASSIGN(const bool again,
                   authenticator_.learn(endpoint.host, response, scopes, authorization, stop));
    if (!again) return response;
  }
}

void Session::note_absent(const Reference& repository, const Digest& digest) {
  std::lock_guard lock(mutex_);
  absent_.insert(repository.name() + "@" + digest.to_string());
}

bool Session::take_absent(const Reference& repository, const Digest& digest) {
  std::lock_guard lock(mutex_);
  return absent_.erase(repository.name() + "@" + digest.to_string()) > 0;
}

Status Session::before_retry(const std::string& what, int attempt, const std::string& why,
                             std::stop_token stop) {
  ++counters_.retries;
  if (options_.on_retry) options_.on_retry(what, attempt, why);
  auto wait = options_.retry.first_wait;
  for (int i = 2; i < attempt && wait < options_.retry.max_wait; ++i) wait *= 2;
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, std::min(wait, options_.retry.max_wait), [] { return false; });
  if (stop.stop_requested()) return make_error(ErrorCode::cancelled, "asked to stop");
  return {};
}

Result<HttpResponse> Session::send_repeatedly(const Endpoint& endpoint, const HttpRequest& request,
                                              const Scopes& scopes, const std::string& what,
                                              std::stop_token stop) {
  /// Gives retrying() a client that authenticates.
  class Authenticated : public HttpClient {
   public:
    Authenticated(Session& session, const Endpoint& endpoint, const Scopes& scopes)
        : session_(session), endpoint_(endpoint), scopes_(scopes) {}
    Result<HttpResponse> perform(const HttpRequest& request, std::stop_token stop) override {
      return session_.send(endpoint_, request, scopes_, stop);
    }

   private:
    Session& session_;
    const Endpoint& endpoint_;
    const Scopes& scopes_;
  };
  Authenticated client(*this, endpoint, scopes);
  return retrying(client, request, options_.retry, stop, [&](int attempt, const std::string& why) {
    ++counters_.retries;
    if (options_.on_retry) options_.on_retry(what, attempt, why);
  });
}

Error Session::refusal(const Endpoint& endpoint, const HttpResponse& response, const std::string& what) {
  const auto reason = reason_in(response);
  const auto because = reason.empty() ? "HTTP status " + std::to_string(response.status)
                                      : "HTTP status " + std::to_string(response.status) + ", " + reason;
  if (response.status == 404)
    return make_error(ErrorCode::not_found, what + " was not found in " + endpoint.name);
  if (response.status == 401) {
    const auto user = authenticator_.username(endpoint.host);
    if (user.empty()) {
      return make_error(ErrorCode::registry_auth, endpoint.name + " wants a login for " + what,
                        "log in to " + endpoint.host);
    }
    return make_error(ErrorCode::registry_auth,
                      endpoint.name + " refused the password for user " + user + " (" + what + ")",
                      "check the user name and password or token");
  }
  if (response.status == 403) {
    const auto user = authenticator_.username(endpoint.host);
    return make_error(ErrorCode::registry_auth,
                      endpoint.name + " does not let " +
                          (user.empty() ? "an anonymous user" : "user " + user) + " at " + what + " (" +
                          because + ")",
                      "give the user or token the right to it");
  }
  if (is_transient_status(response.status)) {
    return make_error(ErrorCode::network,
                      endpoint.name + " failed again and again for " + what + " (" + because + ")",
                      "try again later");
  }
  return make_error(ErrorCode::registry_refused, endpoint.name + " refused " + what + " (" + because + ")");
}

Scopes pull_scope(const std::string& repository) {
  return {"repository:" + repository + ":pull"};
}

Scopes push_scope(const std::string& repository) {
  return {"repository:" + repository + ":pull,push"};
}

std::string absolute_url(const std::string& location, const std::string& request_url) {
  if (location.find("://") != std::string::npos) return location;
  const auto scheme_end = request_url.find("://") + 3;
  if (location.starts_with("//")) return request_url.substr(0, scheme_end - 2) + location;
  if (location.starts_with('/')) return request_url.substr(0, request_url.find('/', scheme_end)) + location;
  const auto path = request_url.substr(0, request_url.find('?'));
  return path.substr(0, path.rfind('/') + 1) + location;
}

std::string with_query(const std::string& url, const std::string& name, const std::string& value) {
  std::string encoded;
  for (const char c : value) encoded += c == ':' ? "%3A" : c == '/' ? "%2F" : std::string(1, c);
  return url + (url.find('?') == std::string::npos ? "?" : "&") + name + "=" + encoded;
}

}  // namespace drydock::oci
