#include "runner/build/publish.h"

#include <algorithm>

#include "executors/build/annotations.h"
#include "executors/oci/registry.h"
#include "runner/result/merge.h"

namespace drydock::runner {

namespace {

build::BuildResult unpublished(const build::EngineResult& engine) {
  build::BuildResult result;
  for (const auto& leg : engine.legs) result.legs.push_back(leg.result);
  const auto& first = engine.legs.front();
  result.digest = first.manifest.digest.to_string();
  result.media_type = first.manifest.media_type;
  result.size = first.manifest.size;
  result.image_id = engine.legs.size() == 1 ? first.result.config_digest : result.digest;
  return result;
}

/// The tags that go to one repository.
std::vector<std::string> tags_of(const build::BuildRequest& request, const std::string& repository) {
  std::vector<std::string> tags;
  for (const auto& text : build::image_names(request)) {
    const auto reference = oci::parse_reference(text);
    if (!reference.ok() || reference->name() != repository) continue;
    const auto tag = reference->with_default_tag().tag;
    if (std::find(tags.begin(), tags.end(), tag) == tags.end()) tags.push_back(tag);
  }
  return tags;
}

bool by_digest_only(const build::BuildRequest& request) {
  return std::any_of(request.outputs.begin(), request.outputs.end(), [](const build::OutputSpec& output) {
    const auto found = output.attributes.find("push-by-digest");
    return output.type == "image" && found != output.attributes.end() && found->second == "true";
  });
}

void announce(const build::BuildRequest& request, const std::string& reference, const oci::Descriptor& image, Bus& bus) {
  Event event;
  event.kind = EventKind::published;
  event.job = request.job;
  event.step = request.step;
  event.reference = reference;
  event.digest = image.digest.to_string();
  bus.publish(std::move(event));
}

}  // namespace

Result<build::BuildResult> publish(const build::BuildRequest& request, const build::EngineOptions& options,
                                   build::EngineResult engine, Bus& bus, std::stop_token stop) {
  auto result = unpublished(engine);
  if (engine.repositories.empty()) return result;
  DRYDOCK_ASSIGN(const auto annotations, build::parse_annotations(request.annotations));
  // What is checked is what was pushed, not what a mirror has of it.
  auto direct = options;
  direct.mirrors.clear();
  const auto registry = build::make_registry(make_curl_client(), direct, request.docker_config_dir, &bus);
  MergeRequest merging;
  merging.required = request.platforms;
  merging.index_annotations = build::annotations_for(annotations, build::AnnotationPlace::index, {});
  for (const auto& leg : engine.legs) merging.legs.push_back({leg.result.platform, leg.manifest, leg.attestation});
  for (const auto& repository : engine.repositories) {
    DRYDOCK_ASSIGN(merging.repository, oci::parse_reference(repository));
    merging.tags = by_digest_only(request) ? std::vector<std::string>{} : tags_of(request, repository);
    DRYDOCK_ASSIGN(const auto merged, merge(*registry, merging, stop));
    result.digest = merged.image.digest.to_string();
    result.media_type = merged.image.media_type;
    result.size = merged.image.size;
    for (const auto& reference : merged.moved) {
      announce(request, reference, merged.image, bus);
      result.published.push_back(reference);
    }
  }
  if (engine.legs.size() > 1) result.image_id = result.digest;
  return result;
}

}  // namespace drydock::runner
