#include "executors/build/cache_import.h"

#include <mutex>
#include <thread>

#include "executors/build/cache_format.h"
#include "executors/build/stored_document.h"

namespace drydock::build {

namespace {

/// The manifests of a cache for these platforms: those its index lists, else those under the derived tags.
class CacheReader {
 public:
  CacheReader(Engine& engine, oci::Reference reference, const std::vector<Platform>& platforms)
      : engine_(engine), reference_(std::move(reference)), platforms_(platforms) {}

  Result<std::vector<CacheEntry>> read() {
    DRYDOCK_TRY(find_manifests());
    std::vector<CacheEntry> all;
    for (const auto& text : manifests_) {
      DRYDOCK_ASSIGN(const auto manifest, oci::parse_manifest(text, reference_.familiar()));
      if (manifest.config.media_type != k_cache_config_type) continue;
      DRYDOCK_ASSIGN(const auto config, stored_config(engine_, reference_, manifest.config));
      DRYDOCK_ASSIGN(auto entries, read_cache_config(config));
      for (auto& entry : entries) {
        entry.result.sources = {{reference_.domain, reference_.repository}};
        all.push_back(std::move(entry));
      }
    }
    return all;
  }

 private:
  Status find_manifests() {
    auto top = engine_.registry->get_manifest(reference_, engine_.stop.get_token());
    if (!top.ok() && top.error().code != ErrorCode::not_found) return std::move(top).error();
    if (top.ok() && oci::is_index_type(top->descriptor.media_type)) {
      DRYDOCK_ASSIGN(const auto index, oci::parse_index(top->text, reference_.familiar()));
      if (index.annotations.contains(k_cache_index_annotation)) DRYDOCK_TRY(take_from(index));
    }
    for (const auto& platform : platforms_) {
      if (!seen_.contains(platform.to_string())) DRYDOCK_TRY(take_derived(platform));
    }
    return {};
  }

  Status take_from(const oci::Index& index) {
    for (const auto& entry : index.manifests) {
      if (!entry.platform) continue;
      const auto platform = normalized(*entry.platform);
      if (std::find(platforms_.begin(), platforms_.end(), platform) == platforms_.end()) continue;
      DRYDOCK_ASSIGN(auto text, stored_manifest(engine_, reference_.with_digest(entry.digest)));
      manifests_.push_back(std::move(text));
      // The index may lack our target for a moment, when builds write it at the same time; its own tag never does.
      const auto target = entry.annotations.find(k_cache_target_annotation);
      if (target != entry.annotations.end() && target->second == engine_.request.target) seen_.insert(platform.to_string());
    }
    return {};
  }

  Status take_derived(const Platform& platform) {
    const auto tag = cache_tag(reference_.tag, engine_.request.target, platform);
    auto text = stored_manifest(engine_, reference_.with_tag(tag));
    if (text.ok()) {
      manifests_.push_back(std::move(*text));
      return {};
    }
    if (text.error().code == ErrorCode::not_found) return {};
    return std::move(text).error();
  }

  Engine& engine_;
  oci::Reference reference_;
  const std::vector<Platform>& platforms_;
  std::vector<std::string> manifests_;
  std::set<std::string> seen_;
};

}  // namespace

void CacheImports::load(Engine& engine, const std::vector<Platform>& asked) {
  if (engine.request.no_cache || engine.options.offline) return;
  // Stages FROM --platform=$BUILDPLATFORM are in the build platform's cache as well.
  auto platforms = asked;
  if (std::find(platforms.begin(), platforms.end(), engine.host) == platforms.end()) platforms.push_back(engine.host);
  std::mutex mutex;
  const auto load_one = [&](const CacheSpec& spec) {
    const auto ref = spec.attributes.at("ref");
    Vertex vertex(engine.scope, {engine.new_id("v"), {}, "read cache " + ref, Execution::none, {}});
    auto entries = [&]() -> Result<std::vector<CacheEntry>> {
      DRYDOCK_ASSIGN(const auto reference, oci::parse_reference(ref));
      return CacheReader(engine, reference.with_default_tag(), platforms).read();
    }();
    if (!entries.ok()) {
      vertex.failed(entries.error().message);
      engine.scope.bus->warning("the cache " + ref + " could not be read, so the build goes on without it: " +
                                entries.error().to_string());
      return;
    }
    vertex.succeeded();
    const std::lock_guard lock(mutex);
    for (auto& entry : *entries) results_.try_emplace(entry.key, std::move(entry.result));
  };
  std::vector<std::thread> threads;
  for (const auto& spec : engine.request.cache_from) threads.emplace_back(load_one, std::cref(spec));
  for (auto& thread : threads) thread.join();
}

const ImportedResult* CacheImports::find(const oci::Digest& key) const {
  const auto found = results_.find(key);
  return found == results_.end() ? nullptr : &found->second;
}

}  // namespace drydock::build
