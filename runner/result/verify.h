#pragma once
// verify: whether a tag or digest serves every platform that is wanted: manifest, config of that platform, every layer.
// inspect: what is under a reference, for people and as JSON. Reads only; all findings are collected.

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "executors/base/platform.h"
#include "executors/oci/registry.h"

namespace drydock::runner {

/// One platform of an image, as the registry has it.
struct ImageView {
  Platform platform;
  oci::Descriptor manifest;
  std::int64_t layers_size = 0;
  std::size_t layers = 0;
  std::string attestation;      // digest of the attestation manifest that refers to it; empty without one
};

struct InspectedImage {
  oci::Reference reference;
  oci::Descriptor top;
  bool is_index = false;
  std::string raw;              // the document, byte for byte
  std::vector<ImageView> images;
  std::vector<oci::Descriptor> others;  // entries that are neither images nor attestations of one
};

Result<InspectedImage> inspect(oci::Registry& registry, const oci::Reference& reference, std::stop_token stop = {});
std::string to_text(const InspectedImage& image);
nlohmann::ordered_json to_json(const InspectedImage& image);

struct Finding {
  Platform platform;
  bool ok = false;
  std::string text;   // "no matching manifest for linux/amd64: …; present: linux/arm64"
  std::string mend;
};

struct Verification {
  oci::Descriptor top;
  std::vector<Finding> findings;  // one for each platform wanted
  bool ok() const;
};

/// With no platform wanted: every one that is there.
Result<Verification> verify(oci::Registry& registry, const oci::Reference& reference, std::vector<Platform> wanted,
                            std::stop_token stop = {});

}  // namespace drydock::runner
