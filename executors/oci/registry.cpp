#include "executors/oci/registry.h"

#include "executors/oci/registry_state.h"

namespace drydock::oci {

Error as_down(Error error, const Endpoint& endpoint) {
  if (error.code == ErrorCode::network && error.message.starts_with("cannot connect to")) {
    error.message = endpoint.name + " is down: " + error.message;
    if (error.mend.empty()) error.mend = "check that the registry runs and that its name and port are right";
  }
  return error;
}

Registry::Registry(std::shared_ptr<HttpClient> http, RegistryOptions options)
    : state_(std::make_unique<State>(std::move(http), std::move(options))) {}

Registry::~Registry() = default;

Status Registry::ping(const std::string& domain, std::stop_token stop) {
  auto& session = state_->session;
  const auto endpoint = session.origin(domain);
  HttpRequest request;
  request.url = endpoint.base + "/v2/";
  auto response = session.send_repeatedly(endpoint, request, {}, domain, stop);
  if (!response.ok()) return as_down(std::move(response).error(), endpoint);
  if (response->status == 200) return {};
  if (response->status == 404) {
    return make_error(ErrorCode::registry_refused,
                      domain + " does not answer as an image registry (no /v2/ there)",
                      "check the registry's name and port");
  }
  return session.refusal(endpoint, *response, "its API");
}

Status Registry::verify_login(const std::string& domain, const std::string& username,
                              const std::string& password, std::stop_token stop) {
  if (username.empty() || password.empty()) {
    return make_error(ErrorCode::registry_auth,
                      "logging in to " + domain + " needs a user name and a password",
                      std::string("the ") + (username.empty() ? "user name" : "password") +
                          " is empty: is the secret defined?");
  }
  // A session of its own: what is tried here must not replace what others use.
  auto options = state_->session.options();
  Registry probe(state_->http, std::move(options));
  auto& session = probe.state_->session;
  const auto endpoint = session.origin(domain);
  session.authenticator().set_credentials(endpoint.host, Credentials{username, password, {}});
  auto status = probe.ping(domain, stop);
  state_->session.counters().requests += session.counters().requests;
  state_->session.counters().retries += session.counters().retries;
  if (!status.ok() && status.error().code == ErrorCode::registry_auth) {
    return make_error(ErrorCode::registry_auth, domain + " refused the password for user " + username,
                      "check the user name and password or token");
  }
  return status;
}

RegistryCounters Registry::counters() const {
  const auto& from = state_->session.counters();
  RegistryCounters to;
  to.requests = from.requests;
  to.retries = from.retries;
  to.blobs_sent = from.blobs_sent;
  to.blobs_skipped = from.blobs_skipped;
  to.blobs_mounted = from.blobs_mounted;
  to.blobs_fetched = from.blobs_fetched;
  to.manifests_sent = from.manifests_sent;
  to.manifests_fetched = from.manifests_fetched;
  to.bytes_sent = from.bytes_sent;
  to.bytes_fetched = from.bytes_fetched;
  return to;
}

}  // namespace drydock::oci
