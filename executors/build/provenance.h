#pragma once
// SLSA provenance of an image, as an in-toto statement in the form that BuildKit's attestation manifests carry:
// what it was built from, by what. Holds no times, so that equal inputs give equal documents; no secrets and, in mode
// min, no build arguments. Source: SLSA provenance v0.2, in-toto statement v0.1, BuildKit's attestation storage.

#include <map>
#include <string>

#include "executors/build/build_service.h"
#include "executors/oci/image.h"
#include "executors/oci/reference.h"

namespace drydock::build {

enum class ProvenanceMode { none, min, max };
/// "", "false", "true", "mode=min", "mode=max,…", "min"; anything else is refused.
Result<ProvenanceMode> parse_provenance(const std::string& text);

struct ProvenanceFacts {
  const BuildRequest* request = nullptr;
  std::string dockerfile_name, dockerfile_text;
  Platform platform;
  std::map<std::string, oci::Descriptor> materials;  // "reference@digest platform" → descriptor
  oci::Digest image;                                 // manifest that this is about
  std::vector<std::string> image_names;
};
inline constexpr const char* k_provenance_type = "https://slsa.dev/provenance/v0.2";
std::string provenance_statement(const ProvenanceFacts& facts, ProvenanceMode mode);

}  // namespace drydock::build
