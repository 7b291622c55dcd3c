#pragma once
// inspect: what a reference names, for people and for programs. Reads only.

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "executors/oci/image.h"
#include "runner/result/remote_image.h"

namespace drydock::runner {

struct InspectedEntry {
  oci::Descriptor descriptor;
  bool attestation = false;
  std::optional<oci::Manifest> manifest;  // nothing when it is gone from the registry
};

struct Inspection {
  RemoteImage image;  // image.text is the document byte for byte
  std::vector<InspectedEntry> entries;
};

Result<Inspection> inspect(oci::Registry& registry, const oci::Reference& reference,
                           std::stop_token stop = {});

/// A few lines for each entry: platform, digest, layers, size, annotations; attestations are named as such.
std::string readable(const Inspection& inspection);
/// {"schema":1,"reference":…,"mediaType":…,"digest":…,"size":…,"annotations":{…},"manifests":[…]}.
nlohmann::json to_json(const Inspection& inspection);

}  // namespace drydock::runner
