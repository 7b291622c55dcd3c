#pragma once
// Identity tokens as GitHub's OIDC provider gives them: RS256, with a discovery document and the public key. The key
// is made when first needed and lives as long as the run's services. Thread-safe.

#include <memory>
#include <mutex>

#include "runner/services/service_state.h"

namespace drydock::runner {

class IdentityService {
 public:
  explicit IdentityService(ServiceState& state);
  ~IdentityService();

  /// GET …/oidc/token?audience=…, with a request token in the header.
  HttpReply token(const HttpCall& call);
  HttpReply discovery() const;
  HttpReply keys();

 private:
  struct Key;
  Result<const Key*> key();

  ServiceState& state_;
  std::mutex mutex_;
  std::unique_ptr<Key> key_;
};

}  // namespace drydock::runner
