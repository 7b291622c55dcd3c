#pragma once
// verify: is an image in a registry whole? Each platform asked for is present and says so in its config,
// every manifest the index names exists, every config and layer is there, attestations refer to an entry.
// Reads only. A failed check is a finding; an Error means that the check itself could not be made.

#include <nlohmann/json_fwd.hpp>

#include <stop_token>
#include <string>
#include <vector>

#include "executors/base/platform.h"
#include "executors/oci/image.h"
#include "executors/oci/reference.h"
#include "executors/oci/registry.h"

namespace drydock::runner {

struct VerifiedEntry {
  Platform platform;  // as the index has it
  oci::Digest manifest;
  std::int64_t bytes = 0;  // config and layers, compressed
  std::size_t layers = 0;
  bool whole = false;
};

struct VerifyResult {
  std::string reference;
  oci::Descriptor top;
  std::string answered_by;
  std::vector<VerifiedEntry> entries;  // attestations left out
  std::size_t attestations = 0;
  std::vector<std::string> findings;  // what is wrong, a line each

  bool ok() const { return findings.empty(); }
};

/// With no platform given, those present are checked. not_found when the reference itself is not there.
Result<VerifyResult> verify(oci::Registry& registry, const oci::Reference& reference,
                            const std::vector<Platform>& wanted, std::stop_token stop = {});

/// "linux/amd64  sha256:…  5 layers, 31.2 MB  ok", then the findings.
std::string readable(const VerifyResult& result);
nlohmann::json to_json(const VerifyResult& result);

}  // namespace drydock::runner
