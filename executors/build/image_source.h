#pragma once
// ImageSources: images that FROM, COPY --from and mounts name: resolved once a build, manifest and config kept in the
// store, layers left where they are until somebody needs them. Thread-safe.

#include <future>
#include <map>
#include <mutex>
#include <string>

#include "executors/build/engine.h"
#include "executors/build/layer_chain.h"
#include "executors/oci/image.h"
#include "executors/oci/reference.h"

namespace drydock::build {

struct SourceImage {
  oci::Reference reference;
  oci::Descriptor manifest;   // of the platform; what provenance names
  oci::ImageConfig config;
  Chain chain;
};

/// An image that lies in the store, with its layers: one that was built here. `name` is for messages.
Result<SourceImage> stored_image(Engine& engine, const oci::Digest& manifest, const std::string& name);

class ImageSources {
 public:
  explicit ImageSources(Engine& engine) : engine_(engine) {}

  /// code not_found, with the platforms that are there, when the image has none for `platform`.
  Result<SourceImage> get(const std::string& name, const Platform& platform);
  /// Everything got so far, for provenance: reference → digest of the manifest for a platform.
  std::map<std::string, oci::Descriptor> used() const;

 private:
  struct Top {
    oci::Reference reference;
    oci::Descriptor descriptor;
    std::string text;
  };
  Result<Top> top(const std::string& name);
  Result<Top> fetch_top(const std::string& name);

  Engine& engine_;
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_future<Result<Top>>> tops_;
  std::map<std::string, oci::Descriptor> used_;
};

}  // namespace drydock::build
