#include "executors/build/image_export.h"

#include <algorithm>
#include <cstdlib>
#include <future>

#include "executors/base/time.h"
#include "executors/build/provenance.h"
#include "executors/oci/layer.h"

namespace drydock::build {

namespace {

constexpr std::size_t k_parallel_uploads = 4;

/// SOURCE_DATE_EPOCH as a build argument fixes the times in the config; files of layers keep theirs.
std::optional<oci::TimePoint> source_date(const BuildRequest& request) {
  const auto found = request.build_args.find("SOURCE_DATE_EPOCH");
  if (found == request.build_args.end() || found->second.empty()) return std::nullopt;
  return oci::TimePoint(std::chrono::seconds(std::strtoll(found->second.c_str(), nullptr, 10)));
}

/// The history of a stage on top of its base's.
void write_history(StageSolver& solver, const std::optional<oci::TimePoint>& fixed, std::string& now,
                   std::vector<oci::History>& history) {
  if (auto* base = solver.base_stage()) {
    write_history(*base, fixed, now, history);
  } else {
    const auto& of_base = solver.plan().config.history;
    history.insert(history.end(), of_base.begin(), of_base.end());
    if (now.empty()) now = solver.plan().config.created;
  }
  for (const auto& item : solver.plan().history) {
    oci::History entry;
    entry.created_by = item.created_by;
    entry.comment = item.comment;
    const auto layer = item.step ? solver.step_layers()[*item.step] : LayerPtr{};
    entry.empty_layer = !layer || layer->empty;
    if (layer && layer->created != oci::TimePoint{}) now = format_rfc3339(layer->created);
    if (fixed) now = format_rfc3339(*fixed);
    entry.created = now;
    history.push_back(std::move(entry));
  }
}

Result<Document> keep(Engine& engine, const char* media_type, std::string text) {
  Document document;
  document.descriptor = oci::describe(media_type, text);
  DRYDOCK_TRY(engine.store->put_blob(text));
  document.text = std::move(text);
  return document;
}

oci::Descriptor descriptor_of(const oci::BlobInfo& blob) {
  oci::Descriptor descriptor;
  descriptor.media_type = blob.media_type;
  descriptor.digest = blob.digest;
  descriptor.size = static_cast<std::int64_t>(blob.size);
  descriptor.annotations = blob.annotations;
  return descriptor;
}

/// Docker's layer types become OCI's, since the manifest is OCI's; the bytes are the same.
std::string oci_layer_type(const std::string& media_type) {
  const auto compression = oci::compression_of(media_type);
  return compression ? std::string(oci::layer_media_type(*compression)) : media_type;
}

Status attest(Engine& engine, LegImage& image, Leg& leg, const ImageSources& images, ProvenanceMode mode) {
  ProvenanceFacts facts;
  facts.request = &engine.request;
  facts.dockerfile_name = leg.dockerfile_name();
  facts.dockerfile_text = leg.dockerfile_text();
  facts.platform = image.platform;
  facts.image = image.manifest.descriptor.digest;
  for (const auto& [name, descriptor] : images.used()) {
    if (name.ends_with(" " + image.platform.to_string())) facts.materials[name] = descriptor;
  }
  for (const auto& tag : engine.request.tags) {
    if (auto reference = oci::parse_reference(tag); reference.ok()) {
      facts.image_names.push_back(reference->with_default_tag().familiar());
    }
  }
  DRYDOCK_ASSIGN(auto layer, keep(engine, oci::media_type::k_in_toto, provenance_statement(facts, mode)));
  layer.descriptor.annotations["in-toto.io/predicate-type"] = k_provenance_type;
  oci::ImageConfig config;
  config.platform = {"unknown", "unknown", "", ""};
  config.diff_ids = {layer.descriptor.digest};
  DRYDOCK_ASSIGN(auto config_document, keep(engine, oci::media_type::k_config, oci::serialize(config)));
  oci::Manifest manifest;
  manifest.config = config_document.descriptor;
  manifest.layers = {layer.descriptor};
  DRYDOCK_ASSIGN(auto document, keep(engine, oci::media_type::k_manifest, oci::serialize(manifest)));
  document.descriptor.platform = Platform{"unknown", "unknown", "", ""};
  document.descriptor.annotations = {{oci::k_reference_type, oci::k_attestation_type},
                                     {oci::k_reference_digest, image.manifest.descriptor.digest.to_string()}};
  image.attestation = std::move(document);
  image.attestation_config = std::move(config_document);
  image.attestation_layer = std::move(layer);
  return {};
}

/// Where the blob is, as far as the target could mount it from there.
std::vector<std::string> mountable(const LayerRef& layer, const oci::Reference& target) {
  std::vector<std::string> repositories;
  for (const auto& source : layer.sources) {
    if (source.registry == target.domain && source.repository != target.repository) repositories.push_back(source.repository);
  }
  return repositories;
}

Status push_layer(Engine& engine, LayerRef& layer, const oci::Reference& repository, const std::string& leg) {
  const std::lock_guard lock(layer.mutex);
  const auto& blob = *layer.blob;
  auto stop = engine.stop.get_token();
  const oci::RemoteSource source{repository.domain, repository.repository};
  const bool known = std::find(layer.sources.begin(), layer.sources.end(), source) != layer.sources.end();
  // It was there; whether it still is, is asked when the leg is read back.
  if (known && engine.options.present_manifests == PresentManifests::trusted) return {};
  DRYDOCK_ASSIGN(const bool there, engine.registry->has_blob(repository, blob.digest, stop));
  if (!there) {
    for (const auto& from : mountable(layer, repository)) {
      DRYDOCK_ASSIGN(const bool mounted, engine.registry->mount_blob(repository, blob.digest, from, stop));
      if (mounted) return engine.records->add_source(blob.digest, {repository.domain, repository.repository});
    }
    DRYDOCK_TRY(ensure_blob(engine, layer));
    Vertex vertex(engine.scope, {engine.new_id("v"), leg,
                                 "push " + std::string(blob.digest.short_hex()) + " to " + repository.name(),
                                 Execution::none, {}});
    const auto progress = [&](std::uint64_t done, std::uint64_t total) {
      vertex.progress(static_cast<std::int64_t>(done), static_cast<std::int64_t>(total));
    };
    auto pushed = engine.registry->push_blob_file(repository, {blob.digest, blob.size},
                                                  engine.store->blob_path(blob.digest), progress, stop);
    if (!pushed.ok()) {
      vertex.failed(pushed.error().message);
      return std::move(pushed).error().while_("pushing layer " + blob.digest.to_string() + " (" + layer.description + ")");
    }
    vertex.succeeded();
  }
  if (!known) layer.sources.push_back(source);
  return engine.records->add_source(blob.digest, source);
}

Status push_bytes(Engine& engine, const oci::Reference& repository, const Document& document) {
  return engine.registry->push_blob(repository, document.text, engine.stop.get_token());
}

Status push_manifest(Engine& engine, const oci::Reference& repository, const Document& manifest) {
  return engine.registry->push_manifest(repository.with_digest(manifest.descriptor.digest),
                                        manifest.descriptor.media_type, manifest.text, engine.stop.get_token());
}

/// A registry takes a manifest only with all that it refers to, so one that is there needs nothing sent before it.
/// That its blobs are there still is checked when the legs are read back.
bool has_manifest(Engine& engine, const oci::Reference& repository, const Document& manifest) {
  return engine.registry
      ->get_manifest(repository.with_digest(manifest.descriptor.digest), engine.stop.get_token(), oci::From::origin)
      .ok();
}

}  // namespace

Status push_layers(Engine& engine, const Chain& layers, const oci::Reference& repository, const std::string& leg) {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::optional<Error> first;
  const auto work = [&] {
    for (auto i = next++; i < layers.size(); i = next++) {
      auto pushed = push_layer(engine, *layers[i], repository, leg);
      if (pushed.ok()) continue;
      const std::lock_guard lock(mutex);
      if (!first) first = std::move(pushed).error();
      next = layers.size();
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < std::min(k_parallel_uploads, layers.size()); ++i) threads.emplace_back(work);
  work();
  for (auto& thread : threads) thread.join();
  if (first) return std::move(*first);
  return {};
}

Result<oci::CompressOptions> compression_for(const BuildRequest& request) {
  oci::CompressOptions options;
  for (const auto& output : request.outputs) {
    const auto found = output.attributes.find("compression");
    if (found != output.attributes.end()) {
      if (found->second == "zstd") {
        options.compression = oci::Compression::zstd;
      } else if (found->second == "uncompressed") {
        options.compression = oci::Compression::none;
      } else if (found->second != "gzip") {
        return make_error(ErrorCode::unsupported, "compression=" + found->second + " is not supported",
                          "use gzip, zstd or uncompressed");
      }
    }
    const auto level = output.attributes.find("compression-level");
    if (level != output.attributes.end()) options.level = std::atoi(level->second.c_str());
  }
  return options;
}

Result<LegImage> assemble_image(Engine& engine, Leg& leg, const ImageSources& images,
                                const std::vector<Annotation>& annotations) {
  DRYDOCK_ASSIGN(const auto mode, parse_provenance(engine.request.provenance));
  DRYDOCK_ASSIGN(const auto compress, compression_for(engine.request));
  LegImage image;
  image.platform = leg.platform();
  DRYDOCK_ASSIGN(const auto chain, leg.target().solve());
  DRYDOCK_ASSIGN(image.layers, pack_chain(engine, chain, compress));
  auto config = leg.target().plan().config;
  for (const auto& [name, value] : engine.request.labels) config.config.labels[name] = value;
  config.diff_ids.clear();
  config.history.clear();
  const auto fixed = source_date(engine.request);
  std::string created;
  write_history(leg.target(), fixed, created, config.history);
  config.created = fixed ? format_rfc3339(*fixed) : created;
  oci::Manifest manifest;
  for (const auto& layer : image.layers) {
    const std::lock_guard lock(layer->mutex);
    config.diff_ids.push_back(*layer->diff_id);
    auto descriptor = descriptor_of(*layer->blob);
    descriptor.media_type = oci_layer_type(descriptor.media_type);
    manifest.layers.push_back(std::move(descriptor));
  }
  DRYDOCK_ASSIGN(image.config, keep(engine, oci::media_type::k_config, oci::serialize(config)));
  manifest.config = image.config.descriptor;
  manifest.annotations = annotations_for(annotations, AnnotationPlace::manifest, image.platform);
  DRYDOCK_ASSIGN(image.manifest, keep(engine, oci::media_type::k_manifest, oci::serialize(manifest)));
  image.manifest.descriptor.platform = config.platform;
  image.manifest.descriptor.annotations =
      annotations_for(annotations, AnnotationPlace::manifest_descriptor, image.platform);
  if (mode != ProvenanceMode::none) DRYDOCK_TRY(attest(engine, image, leg, images, mode));
  return image;
}

Status push_image(Engine& engine, const LegImage& image, const oci::Reference& repository) {
  const bool trusting = engine.options.present_manifests == PresentManifests::trusted;
  if (!trusting || !has_manifest(engine, repository, image.manifest)) {
    DRYDOCK_TRY(push_layers(engine, image.layers, repository, image.platform.to_string()));
    DRYDOCK_TRY(push_bytes(engine, repository, image.config));
    DRYDOCK_TRY(push_manifest(engine, repository, image.manifest));
  }
  if (image.attestation && (!trusting || !has_manifest(engine, repository, *image.attestation))) {
    DRYDOCK_TRY(push_bytes(engine, repository, *image.attestation_layer));
    DRYDOCK_TRY(push_bytes(engine, repository, *image.attestation_config));
    DRYDOCK_TRY(push_manifest(engine, repository, *image.attestation));
  }
  return {};
}

}  // namespace drydock::build
