#pragma once
// Blobs behind signed addresses, as Azure's blob service speaks: uploads whole (Put Blob) or in blocks (Put Block, Put
// Block List), downloads whole or by range. The signature alone decides: no token is looked at. Thread-safe.

#include "runner/services/service_state.h"

namespace drydock::runner {

class BlobService {
 public:
  explicit BlobService(ServiceState& state) : state_(state) {}
  /// call.path is /blob/<kind>/<name>.
  CallAnswer call(const HttpCall& call);

 private:
  CallAnswer put(const HttpCall& call, const std::shared_ptr<Pending>& pending);
  CallAnswer put_block_list(const std::shared_ptr<Pending>& pending);
  HttpReply artifact(const HttpCall& call, const std::string& id);
  HttpReply cache(const HttpCall& call, const std::string& id);

  ServiceState& state_;
};

}  // namespace drydock::runner
