#pragma once
// What the parts of the registry client share. Used by registry*.cpp alone.

#include "executors/oci/registry.h"
#include "executors/oci/registry_session.h"

namespace drydock::oci {

struct Registry::State {
  State(std::shared_ptr<HttpClient> http, RegistryOptions options)
      : http(http), session(std::move(http), std::move(options)) {}

  std::shared_ptr<HttpClient> http;
  Session session;
};

inline std::string manifest_url(const Endpoint& endpoint, const std::string& repository,
                                const std::string& tag_or_digest) {
  return endpoint.base + "/v2/" + repository + "/manifests/" + tag_or_digest;
}

inline std::string blob_url(const Endpoint& endpoint, const std::string& repository, const Digest& digest) {
  return endpoint.base + "/v2/" + repository + "/blobs/" + digest.to_string();
}

/// A registry that cannot be reached at all is named as such.
Error as_down(Error error, const Endpoint& endpoint);
/// The manifest from this one endpoint, checked.
Result<Fetched> fetch_manifest(Session& session, const Endpoint& endpoint, const Reference& reference,
                               std::stop_token stop);

}  // namespace drydock::oci
