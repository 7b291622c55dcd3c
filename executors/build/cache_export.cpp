#include "executors/build/cache_export.h"

#include <set>

#include "executors/build/cache_format.h"
#include "executors/build/image_export.h"

namespace drydock::build {

namespace {

constexpr int k_index_attempts = 4;

enum class CacheMode { min, max };

/// What one leg contributes.
struct LegCache {
  std::vector<CacheEntry> entries;
  Chain layers;  // each blob once
};

ImportedResult result_of(const SolvedStep& step) {
  ImportedResult result;
  result.description = step.description;
  if (!step.layer || step.layer->empty) {
    result.empty = true;
    return result;
  }
  result.diff_id = step.layer->diff_id;
  result.blob = step.layer->blob;
  result.created = step.layer->created;
  return result;
}

class LegCollector {
 public:
  LegCollector(Engine& engine, Leg& leg, CacheMode mode) : engine_(engine), leg_(leg), mode_(mode) {}

  Result<LegCache> collect() {
    // The stages whose layers are the image's own: the target's and those it is FROM.
    std::set<StageSolver*> own;
    for (auto* stage = &leg_.target(); stage; stage = stage->base_stage()) own.insert(stage);
    for (auto* stage : leg_.solvers()) DRYDOCK_TRY(collect_stage(*stage, own.contains(stage)));
    return std::move(cache_);
  }

 private:
  Status collect_stage(StageSolver& stage, bool own) {
    const bool with_layers = own || mode_ == CacheMode::max;
    if (with_layers && stage.is_solved()) {
      DRYDOCK_ASSIGN(const auto chain, stage.solve());
      DRYDOCK_ASSIGN(const auto compress, compression_for(engine_.request));
      DRYDOCK_TRY(pack_chain(engine_, chain, compress));
    }
    for (const auto& step : stage.solved_steps()) {
      if (step.definition_key) {
        ImportedResult alias;
        alias.leads_to = step.key;
        cache_.entries.push_back({*step.definition_key, std::move(alias)});
      }
      if (!with_layers || !step.known) continue;
      if (step.layer && !step.layer->empty) {
        if (!step.layer->blob) continue;  // of a stage that was only looked up, never packed
        if (seen_.insert(step.layer->blob->digest).second) cache_.layers.push_back(step.layer);
      }
      cache_.entries.push_back({step.key, result_of(step)});
    }
    return {};
  }

  Engine& engine_;
  Leg& leg_;
  CacheMode mode_;
  LegCache cache_;
  std::set<oci::Digest> seen_;
};

class CacheWriter {
 public:
  CacheWriter(Engine& engine, oci::Reference reference, CacheMode mode)
      : engine_(engine), reference_(std::move(reference)), mode_(mode) {}

  Status write(const std::vector<Leg*>& legs) {
    for (auto* leg : legs) DRYDOCK_TRY(write_leg(*leg));
    return write_index();
  }

 private:
  Status write_leg(Leg& leg) {
    DRYDOCK_ASSIGN(auto cache, LegCollector(engine_, leg, mode_).collect());
    const auto config = cache_config(cache.entries).dump();
    oci::Manifest manifest;
    manifest.config = oci::describe(k_cache_config_type, config);
    for (const auto& layer : cache.layers) {
      const auto compression = oci::compression_of(layer->blob->media_type).value_or(oci::Compression::gzip);
      oci::Descriptor descriptor;
      descriptor.media_type = std::string(oci::layer_media_type(compression));
      descriptor.digest = layer->blob->digest;
      descriptor.size = static_cast<std::int64_t>(layer->blob->size);
      manifest.layers.push_back(std::move(descriptor));
    }
    manifest.annotations[k_cache_target_annotation] = engine_.request.target;
    const auto text = oci::serialize(manifest);
    auto descriptor = oci::describe(oci::media_type::k_manifest, text);
    const auto tagged = reference_.with_tag(cache_tag(reference_.tag, engine_.request.target, leg.platform()));
    const auto present = engine_.registry->resolve(tagged, engine_.stop.get_token());
    if (!present.ok() || present->digest != descriptor.digest) {
      DRYDOCK_TRY(push_layers(engine_, cache.layers, reference_, leg.platform().to_string()));
      DRYDOCK_TRY(engine_.registry->push_blob(reference_, config, engine_.stop.get_token()));
      DRYDOCK_TRY(engine_.registry->push_manifest(tagged, descriptor.media_type, text, engine_.stop.get_token()));
    }
    descriptor.platform = leg.platform();
    descriptor.annotations[k_cache_target_annotation] = engine_.request.target;
    descriptors_.push_back(std::move(descriptor));
    return {};
  }

  /// Other builds may write other entries at the same time and registries cannot compare and swap: read back, and
  /// again until our entries are there.
  Status write_index() {
    for (int attempt = 0; attempt < k_index_attempts; ++attempt) {
      oci::Index index;
      auto present = engine_.registry->get_manifest(reference_, engine_.stop.get_token());
      if (present.ok()) {
        if (oci::is_index_type(present->descriptor.media_type)) {
          DRYDOCK_ASSIGN(index, oci::parse_index(present->text, reference_.familiar()));
        }
        if (!index.annotations.contains(k_cache_index_annotation)) {
          engine_.scope.bus->warning(reference_.familiar() +
                                     " holds something that drydock did not write, and stays as it is; the cache is "
                                     "under the tags derived from it");
          return {};
        }
      } else if (present.error().code != ErrorCode::not_found) {
        return std::move(present).error();
      }
      if (!merge(index)) return {};
      DRYDOCK_TRY(engine_.registry->push_manifest(reference_, index.media_type, oci::serialize(index),
                                                  engine_.stop.get_token()));
    }
    return make_error(ErrorCode::network, reference_.familiar() + " is being overwritten by other builds",
                      "give each build a cache ref of its own, or a target");
  }

  /// Puts our entries in; false when they were all there.
  bool merge(oci::Index& index) {
    bool changed = index.annotations.empty();
    index.annotations[k_cache_index_annotation] = "1";
    for (const auto& own : descriptors_) {
      const auto same = std::find_if(index.manifests.begin(), index.manifests.end(), [&](const auto& entry) {
        const auto target = entry.annotations.find(k_cache_target_annotation);
        return entry.platform == own.platform && target != entry.annotations.end() &&
               target->second == own.annotations.at(k_cache_target_annotation);
      });
      if (same == index.manifests.end()) {
        index.manifests.push_back(own);
        changed = true;
      } else if (same->digest != own.digest) {
        *same = own;
        changed = true;
      }
    }
    return changed;
  }

  Engine& engine_;
  oci::Reference reference_;
  CacheMode mode_;
  std::vector<oci::Descriptor> descriptors_;
};

Status export_one(Engine& engine, const CacheSpec& spec, const std::vector<Leg*>& legs) {
  const auto attribute = [&](const char* name) {
    const auto found = spec.attributes.find(name);
    return found == spec.attributes.end() ? std::string{} : found->second;
  };
  auto mode = CacheMode::min;
  if (attribute("mode") == "max") {
    mode = CacheMode::max;
  } else if (!attribute("mode").empty() && attribute("mode") != "min") {
    return make_error(ErrorCode::usage, "cache mode=" + attribute("mode") + " is not known", "use mode=min or mode=max");
  }
  DRYDOCK_ASSIGN(const auto reference, oci::parse_reference(attribute("ref")));
  Vertex vertex(engine.scope, {engine.new_id("v"), {}, "write cache " + attribute("ref"), Execution::none, {}});
  auto written = CacheWriter(engine, reference.with_default_tag(), mode).write(legs);
  if (written.ok()) {
    vertex.succeeded();
    return {};
  }
  vertex.failed(written.error().message);
  if (attribute("ignore-error") == "false") return written;
  engine.scope.bus->warning("the cache " + attribute("ref") + " could not be written: " + written.error().to_string());
  return {};
}

}  // namespace

Status export_caches(Engine& engine, const std::vector<Leg*>& legs) {
  for (const auto& spec : engine.request.cache_to) DRYDOCK_TRY(export_one(engine, spec, legs));
  return {};
}

}  // namespace drydock::build
