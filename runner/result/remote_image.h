#pragma once
// Reading images where they lie: a reference's top document with its entries, one manifest with its config,
// copying between repositories. Shared by verify, inspect and create. Values; the registry client does the
// work.

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "executors/oci/image.h"
#include "executors/oci/reference.h"
#include "executors/oci/registry.h"

namespace drydock::runner {

/// What a reference names: an index, or a single manifest taken as an index of one entry.
struct RemoteImage {
  oci::Reference reference;
  oci::Descriptor top;      // media type, digest and size of the document
  std::string text;         // the document
  std::string answered_by;  // base URL
  bool single = false;      // the top is a manifest; its platform is from its config
  oci::Index index;
};

/// A single manifest's config is read for its platform; the entries of an index are not looked at.
Result<RemoteImage> read_image(oci::Registry& registry, const oci::Reference& reference,
                               std::stop_token stop = {});
/// `descriptor` as it lies in the repository of `reference`.
Result<oci::Manifest> read_manifest(oci::Registry& registry, const oci::Reference& repository,
                                    const oci::Descriptor& descriptor, std::stop_token stop = {});
Result<oci::ImageConfig> read_config(oci::Registry& registry, const oci::Reference& repository,
                                     const oci::Manifest& manifest, std::stop_token stop = {});

/// Copies a manifest with its config and layers: nothing within a repository, mounts within a registry, else
/// through this machine. What is there already is not sent.
Status copy_manifest(oci::Registry& registry, const oci::Reference& from, const oci::Descriptor& manifest,
                     const oci::Reference& to, std::stop_token stop = {});

}  // namespace drydock::runner
