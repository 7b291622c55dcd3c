#include "runner/result/merge.h"

#include <algorithm>
#include <thread>

namespace drydock::runner {

namespace {

Status check_required(const MergeRequest& request) {
  std::string missing, present;
  for (const auto& leg : request.legs) present += (present.empty() ? "" : ", ") + leg.platform.to_string();
  for (const auto& platform : request.required) {
    const bool there = std::any_of(request.legs.begin(), request.legs.end(),
                                   [&](const FinishedLeg& leg) { return leg.platform == platform; });
    if (!there) missing += (missing.empty() ? "" : ", ") + platform.to_string();
  }
  if (missing.empty() && !request.legs.empty()) return {};
  return make_error(ErrorCode::failed,
                    "nothing is published: no result for " + (missing.empty() ? "any platform" : missing) +
                        (present.empty() ? "" : "; finished: " + present),
                    "mend that platform's build and run again: the finished ones come from the cache");
}

Result<std::string> read_blob(oci::Registry& registry, const oci::Reference& repository,
                              const oci::Descriptor& blob, std::stop_token stop) {
  std::string text;
  DRYDOCK_TRY(registry.get_blob(
      repository, {blob.digest, static_cast<std::uint64_t>(blob.size)},
      [&](std::string_view piece) -> Status {
        text += piece;
        return {};
      },
      stop));
  return text;
}

Status check_attestation(oci::Registry& registry, const oci::Reference& repository, const FinishedLeg& leg,
                         std::stop_token stop) {
  const auto refers = leg.attestation->annotations.find(oci::k_reference_digest);
  if (refers == leg.attestation->annotations.end() || refers->second != leg.manifest.digest.to_string()) {
    return make_error(ErrorCode::corrupted,
                      "the attestation of " + leg.platform.to_string() + " refers to another image");
  }
  auto fetched =
      registry.get_manifest(repository.with_digest(leg.attestation->digest), stop, oci::From::origin);
  if (!fetched.ok())
    return std::move(fetched).error().while_("reading the attestation of " + leg.platform.to_string());
  return {};
}

Status check_all(oci::Registry& registry, const MergeRequest& request, std::stop_token stop) {
  std::vector<Status> answers(request.legs.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < request.legs.size(); ++i) {
    threads.emplace_back(
        [&, i] { answers[i] = check_leg(registry, request.repository, request.legs[i], stop); });
  }
  for (auto& thread : threads) thread.join();
  for (auto& answer : answers) {
    if (!answer.ok())
      return std::move(answer).error().while_("reading back what was pushed; no tag was moved");
  }
  return {};
}

bool is_there(oci::Registry& registry, const oci::Reference& reference, const oci::Descriptor& image,
              std::stop_token stop) {
  const auto present = registry.get_manifest(reference, stop, oci::From::origin);
  return present.ok() && present->descriptor.digest == image.digest;
}

}  // namespace

std::optional<oci::Index> index_over(const MergeRequest& request) {
  const bool attested = std::any_of(request.legs.begin(), request.legs.end(),
                                    [](const FinishedLeg& leg) { return leg.attestation.has_value(); });
  if (request.legs.size() == 1 && !attested && request.index_annotations.empty()) return std::nullopt;
  oci::Index index;
  index.annotations = request.index_annotations;
  for (const auto& leg : request.legs) {
    index.manifests.push_back(leg.manifest);
    if (!leg.manifest.platform) index.manifests.back().platform = leg.platform;
  }
  for (const auto& leg : request.legs) {
    if (leg.attestation) index.manifests.push_back(*leg.attestation);
  }
  return index;
}

Status check_leg(oci::Registry& registry, const oci::Reference& repository, const FinishedLeg& leg,
                 std::stop_token stop) {
  const auto name = leg.platform.to_string();
  DRYDOCK_ASSIGN(const auto fetched,
                 registry.get_manifest(repository.with_digest(leg.manifest.digest), stop, oci::From::origin));
  DRYDOCK_ASSIGN(const auto manifest, oci::parse_manifest(fetched.text, name));
  std::vector<oci::Descriptor> blobs = manifest.layers;
  blobs.push_back(manifest.config);
  for (const auto& blob : blobs) {
    if (blob.media_type == oci::media_type::k_docker_foreign_layer)
      continue;  // lies elsewhere, by its own URLs
    DRYDOCK_ASSIGN(const bool there, registry.has_blob(repository, blob.digest, stop));
    if (!there)
      return make_error(ErrorCode::not_found,
                        "blob " + blob.digest.to_string() + " of " + name + " is not in the registry");
  }
  DRYDOCK_ASSIGN(const auto text, read_blob(registry, repository, manifest.config, stop));
  DRYDOCK_ASSIGN(const auto config, oci::parse_image_config(text, name));
  // Exactly: match_rank would let an arm/v6 image pass for arm/v7.
  if (normalized(config.platform) != normalized(leg.platform)) {
    return make_error(ErrorCode::corrupted,
                      "the image for " + name + " says it is for " + config.platform.to_string());
  }
  if (config.diff_ids.size() != manifest.layers.size()) {
    return make_error(ErrorCode::corrupted,
                      "the image for " + name + " has " + std::to_string(manifest.layers.size()) +
                          " layers, its config names " + std::to_string(config.diff_ids.size()));
  }
  return leg.attestation ? check_attestation(registry, repository, leg, stop) : Status();
}

Result<MergeResult> merge(oci::Registry& registry, const MergeRequest& request, std::stop_token stop) {
  DRYDOCK_TRY(check_required(request));
  DRYDOCK_TRY(check_all(registry, request, stop));
  MergeResult result;
  result.image = request.legs.front().manifest;
  std::string text;
  bool old = true;  // was in the registry before: only then a tag may name it already
  if (const auto index = index_over(request)) {
    text = oci::serialize(*index);
    result.image = oci::describe(index->media_type, text);
    const auto by_digest = request.repository.with_digest(result.image.digest);
    old = is_there(registry, by_digest, result.image, stop);
    if (!old) {
      DRYDOCK_TRY(registry.push_manifest(by_digest, result.image.media_type, text, stop, oci::ReadBack::yes));
    }
  } else if (!request.tags.empty()) {
    DRYDOCK_ASSIGN(auto fetched, registry.get_manifest(request.repository.with_digest(result.image.digest),
                                                       stop, oci::From::origin));
    text = std::move(fetched.text);
  }
  for (const auto& tag : request.tags) {
    if (stop.stop_requested())
      return make_error(ErrorCode::cancelled, "stopped before the tag " + tag + " was moved");
    const auto reference = request.repository.with_tag(tag);
    const bool stays = old && is_there(registry, reference, result.image, stop);
    auto moved = stays ? Status() : registry.push_manifest(reference, result.image.media_type, text, stop, oci::ReadBack::yes);
    if (!moved.ok()) {
      return std::move(moved).error().while_(
          "moving the tag " + reference.familiar() + " (" + std::to_string(result.moved.size()) + " of " +
          std::to_string(request.tags.size()) + " tags were moved before it)");
    }
    result.moved.push_back(reference.familiar());
  }
  return result;
}

}  // namespace drydock::runner
