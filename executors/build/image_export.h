#pragma once
// From a solved leg to an image: config, manifest, attestation, and pushing them by digest. Moves no tag and makes no
// index: that is for whoever sees all legs.

#include <optional>
#include <string>
#include <vector>

#include "executors/build/annotations.h"
#include "executors/build/leg.h"
#include "executors/oci/image.h"
#include "executors/oci/layer.h"
#include "executors/oci/reference.h"

namespace drydock::build {

/// A serialised document with its descriptor.
struct Document {
  oci::Descriptor descriptor;
  std::string text;
};

struct LegImage {
  Platform platform;
  Document config, manifest;
  Chain layers;
  // The attestation manifest that refers to `manifest`, its config and its one layer; when attestations are asked for.
  std::optional<Document> attestation, attestation_config, attestation_layer;
};

/// Packs the layers and writes the documents, into the store as well.
Result<LegImage> assemble_image(Engine& engine, Leg& leg, const ImageSources& images,
                                const std::vector<Annotation>& annotations);

/// Every blob, then the manifests, to `repository`; blobs that it has or can mount are not sent.
Status push_image(Engine& engine, const LegImage& image, const oci::Reference& repository);

/// Several layers at a time.
Status push_layers(Engine& engine, const Chain& layers, const oci::Reference& repository, const std::string& leg);

/// Layer compression from the outputs' attributes ("compression=zstd,compression-level=3").
Result<oci::CompressOptions> compression_for(const BuildRequest& request);

}  // namespace drydock::build
