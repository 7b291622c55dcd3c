#include "executors/build/image_source.h"

#include "executors/build/stored_document.h"

namespace drydock::build {

namespace {

oci::Digest resolution_key(const oci::Reference& reference) {
  return oci::digest_of("resolution " + reference.to_string());
}

/// What a tag meant when it was last looked up; answers when offline.
Status remember(Engine& engine, const oci::Reference& reference, const oci::Descriptor& descriptor) {
  oci::CacheRecord record;
  record.key = resolution_key(reference);
  record.kind = "resolution";
  record.description = reference.to_string();
  record.blob = oci::BlobInfo{descriptor.media_type, descriptor.digest, static_cast<std::uint64_t>(descriptor.size), {}};
  return engine.records->put(record);
}

Result<oci::Descriptor> remembered(Engine& engine, const oci::Reference& reference) {
  DRYDOCK_ASSIGN(const auto record, engine.records->find(resolution_key(reference)));
  if (!record || !record->blob) {
    return make_error(ErrorCode::network, reference.familiar() + " was never looked up here, and this run is offline",
                      "run once without --offline");
  }
  oci::Descriptor descriptor;
  descriptor.media_type = record->blob->media_type;
  descriptor.digest = record->blob->digest;
  descriptor.size = static_cast<std::int64_t>(record->blob->size);
  return descriptor;
}

/// Config and layers of the manifest; `image.reference` is where they can be had.
Status read_image(Engine& engine, const std::string& manifest_text, const std::string& name, SourceImage& image) {
  DRYDOCK_ASSIGN(const auto manifest, oci::parse_manifest(manifest_text, name));
  DRYDOCK_ASSIGN(const auto config, stored_config(engine, image.reference, manifest.config));
  DRYDOCK_ASSIGN(image.config, oci::parse_image_config(config, name));
  std::vector<oci::Descriptor> layers;
  for (const auto& layer : manifest.layers) {
    if (oci::is_layer_type(layer.media_type)) layers.push_back(layer);
  }
  if (layers.size() != image.config.diff_ids.size()) {
    return make_error(ErrorCode::corrupted, name + ": manifest and config disagree on the layers");
  }
  for (std::size_t i = 0; i < layers.size(); ++i) {
    auto layer = std::make_shared<LayerRef>();
    layer->description = "FROM " + name;
    layer->diff_id = image.config.diff_ids[i];
    layer->blob = oci::BlobInfo{layers[i].media_type, layers[i].digest, static_cast<std::uint64_t>(layers[i].size), {}};
    layer->sources = {{image.reference.domain, image.reference.repository}};
    image.chain.push_back(std::move(layer));
  }
  return {};
}

}  // namespace

Result<SourceImage> stored_image(Engine& engine, const oci::Digest& manifest, const std::string& name) {
  SourceImage image;
  image.manifest.digest = manifest;
  DRYDOCK_ASSIGN(const auto text, engine.store->read_blob(manifest));
  DRYDOCK_TRY(read_image(engine, text, name, image));
  return image;
}

Result<ImageSources::Top> ImageSources::fetch_top(const std::string& name) {
  DRYDOCK_ASSIGN(const auto parsed, oci::parse_reference(name));
  const auto reference = parsed.with_default_tag();
  Vertex vertex(engine_.scope, {engine_.new_id("v"), {}, "resolve " + reference.familiar(), Execution::none, {}});
  auto top = [&]() -> Result<Top> {
    Top found;
    found.reference = reference;
    if (engine_.options.offline) {
      DRYDOCK_ASSIGN(found.descriptor, remembered(engine_, reference));
    } else {
      DRYDOCK_ASSIGN(found.descriptor, engine_.registry->resolve(reference, engine_.stop.get_token()));
      DRYDOCK_TRY(remember(engine_, reference, found.descriptor));
    }
    DRYDOCK_ASSIGN(found.text, stored_manifest(engine_, reference.with_digest(found.descriptor.digest)));
    return found;
  }();
  if (!top.ok()) {
    vertex.failed(top.error().message);
    return std::move(top).error().while_("resolving " + reference.familiar());
  }
  vertex.succeeded();
  return top;
}

Result<ImageSources::Top> ImageSources::top(const std::string& name) {
  std::promise<Result<Top>> promise;
  std::shared_future<Result<Top>> future;
  bool mine = false;
  {
    const std::lock_guard lock(mutex_);
    auto& slot = tops_[name];
    if (!slot.valid()) {
      slot = promise.get_future().share();
      mine = true;
    }
    future = slot;
  }
  if (mine) promise.set_value(fetch_top(name));
  return future.get();
}

Result<SourceImage> ImageSources::get(const std::string& name, const Platform& platform) {
  DRYDOCK_ASSIGN(const auto found, top(name));
  SourceImage image;
  image.reference = found.reference;
  image.manifest = found.descriptor;
  auto text = found.text;
  if (oci::is_index_type(found.descriptor.media_type)) {
    DRYDOCK_ASSIGN(const auto index, oci::parse_index(text, found.reference.familiar()));
    DRYDOCK_ASSIGN(image.manifest, oci::choose_platform(index, platform, found.reference.familiar()));
    DRYDOCK_ASSIGN(text, stored_manifest(engine_, found.reference.with_digest(image.manifest.digest)));
  }
  DRYDOCK_TRY(read_image(engine_, text, found.reference.familiar(), image));
  if (match_rank(normalized(image.config.platform), platform) == 0) {
    return make_error(ErrorCode::not_found,
                      "no matching manifest for " + platform.to_string() + " in " + found.reference.familiar() +
                          ": it is a single image for " + image.config.platform.to_string(),
                      "use a base image that has " + platform.to_string() + ", or leave that platform out");
  }
  const std::lock_guard lock(mutex_);
  used_[found.reference.with_digest(found.descriptor.digest).to_string() + " " + platform.to_string()] = found.descriptor;
  return image;
}

std::map<std::string, oci::Descriptor> ImageSources::used() const {
  const std::lock_guard lock(mutex_);
  return used_;
}

}  // namespace drydock::build
