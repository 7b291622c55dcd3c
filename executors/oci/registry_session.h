#pragma once
// Requests to one registry: where it is, with whose authority, repeated when transient, refused with a
// message that a person can act on. Shared by pulling and pushing; used by the registry client alone.
// Thread-safe.

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "executors/oci/registry.h"
#include "executors/oci/registry_auth.h"

namespace drydock::oci {

/// Where requests for a registry go: itself, or a mirror of it.
struct Endpoint {
  std::string base;  // "https://ghcr.io", without a slash at the end
  std::string host;  // "ghcr.io": whose credentials are used
  std::string name;  // for people
};

struct Counters {
  std::atomic<std::uint64_t> requests{0}, retries{0}, blobs_sent{0}, blobs_skipped{0}, blobs_mounted{0},
      blobs_fetched{0}, manifests_sent{0}, manifests_fetched{0}, bytes_sent{0}, bytes_fetched{0};
};

class Session {
 public:
  Session(std::shared_ptr<HttpClient> http, RegistryOptions options);

  const RegistryOptions& options() const { return options_; }
  Counters& counters() { return counters_; }
  Authenticator& authenticator() { return authenticator_; }

  Endpoint origin(const std::string& domain);
  /// Mirrors first, the registry itself last.
  std::vector<Endpoint> pull_endpoints(const std::string& domain);

  /// Once, authenticated; a 401 is answered and the request made again. Any other status is returned.
  Result<HttpResponse> send(const Endpoint& endpoint, HttpRequest request, const Scopes& scopes,
                            std::stop_token stop);
  /// The same, repeated on network errors and transient statuses. Only for requests that may be repeated.
  Result<HttpResponse> send_repeatedly(const Endpoint& endpoint, const HttpRequest& request,
                                       const Scopes& scopes, const std::string& what, std::stop_token stop);
  /// Counts and reports a retry, then waits as the policy says. cancelled when asked to stop.
  Status before_retry(const std::string& what, int attempt, const std::string& why, std::stop_token stop);

  // A caller that asked whether a blob is there and then sends it need not be asked again by the upload.
  void note_absent(const Reference& repository, const Digest& digest);
  /// True once for each note.
  bool take_absent(const Reference& repository, const Digest& digest);

  /// The error that an unwanted status means. `what` is what was asked for: "docker.io/library/node:22".
  Error refusal(const Endpoint& endpoint, const HttpResponse& response, const std::string& what);

 private:
  bool speaks_plain_http(const std::string& host) const;

  std::shared_ptr<HttpClient> http_;
  RegistryOptions options_;
  Counters counters_;
  Authenticator authenticator_;
  std::mutex mutex_;
  std::set<std::string> loopback_with_tls_;  // learned
  std::set<std::string> absent_;             // "repository@digest"
};

Scopes pull_scope(const std::string& repository);
Scopes push_scope(const std::string& repository);
/// `location` of an answer, made absolute.
std::string absolute_url(const std::string& location, const std::string& request_url);
/// Adds "name=value" to a URL's query; the value is encoded.
std::string with_query(const std::string& url, const std::string& name, const std::string& value);

}  // namespace drydock::oci
