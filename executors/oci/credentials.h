#pragma once
// Registry credentials in Docker's config.json: auths, credHelpers, credsStore, identity tokens. Reads a
// given directory first, then $DOCKER_CONFIG, then ~/.docker; writes to the first of these. Nothing is
// cached: each call reads the files. Thread-safe; writers of one file exclude each other by a lock beside it.

#include <string>
#include <string_view>
#include <vector>

#include "executors/base/json.h"
#include "executors/base/result.h"

namespace drydock::oci {

struct Credentials {
  std::string username, password;
  std::string identity_token;  // instead of a password

  bool empty() const { return username.empty() && identity_token.empty(); }
  friend bool operator==(const Credentials&, const Credentials&) = default;
};

class CredentialStore {
 public:
  explicit CredentialStore(std::string directory = {});

  /// Empty ones when none are known. `domain` as in a reference: "docker.io", "localhost:5000".
  Result<Credentials> find(const std::string& domain) const;
  /// Keeps them, through the configured helper or in the file (mode 0600). Does not ask the registry.
  Status login(const std::string& domain, const Credentials& credentials);
  /// Forgets them; absent is a success.
  Status logout(const std::string& domain);
  /// The directory that is written to.
  const std::string& directory() const { return directories_.front(); }

 private:
  Result<Json> read_config(const std::string& directory) const;
  Status write_config(const Json& config) const;
  std::vector<std::string> directories_;
};

}  // namespace drydock::oci
