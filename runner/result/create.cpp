#include "runner/result/create.h"

#include <algorithm>

#include "executors/base/platform.h"

namespace drydock::runner {

namespace {

/// An entry of the new index and the repository it comes from.
struct Taken {
  oci::Descriptor entry;
  oci::Reference from;
};

Result<std::string> read_blob(oci::Registry& registry, const oci::Reference& from, const oci::Descriptor& blob,
                              std::stop_token stop) {
  std::string bytes;
  DRYDOCK_TRY(registry.get_blob(from, {blob.digest, static_cast<std::uint64_t>(blob.size)},
                                [&](std::string_view piece) -> Status {
                                  bytes += piece;
                                  return {};
                                },
                                stop));
  return bytes;
}

/// Platform from the config, for a manifest that no index describes.
Result<Platform> platform_of(oci::Registry& registry, const oci::Reference& from, const std::string& text,
                             std::stop_token stop) {
  DRYDOCK_ASSIGN(const auto manifest, oci::parse_manifest(text, from.familiar()));
  DRYDOCK_ASSIGN(const auto config_text, read_blob(registry, from, manifest.config, stop));
  DRYDOCK_ASSIGN(const auto config, oci::parse_image_config(config_text, from.familiar()));
  return config.platform;
}

Status take(oci::Registry& registry, const oci::Reference& source, std::vector<Taken>& taken, std::stop_token stop) {
  const auto reference = source.with_default_tag();
  auto fetched = registry.get_manifest(reference, stop);
  if (!fetched.ok()) return std::move(fetched).error().while_("reading " + reference.familiar());
  if (oci::is_index_type(fetched->descriptor.media_type)) {
    DRYDOCK_ASSIGN(const auto index, oci::parse_index(fetched->text, reference.familiar()));
    for (const auto& entry : index.manifests) taken.push_back({entry, reference});
    return {};
  }
  auto entry = fetched->descriptor;
  DRYDOCK_ASSIGN(entry.platform, platform_of(registry, reference, fetched->text, stop));
  taken.push_back({std::move(entry), reference});
  return {};
}

Result<std::vector<Taken>> take_all(oci::Registry& registry, const CreateRequest& request, std::stop_token stop) {
  std::vector<Taken> taken;
  if (request.existing == Existing::kept) {
    auto present = take(registry, request.target, taken, stop);
    if (!present.ok() && present.error().code != ErrorCode::not_found) return std::move(present).error();
  }
  const auto kept = taken.size();
  for (const auto& source : request.sources) DRYDOCK_TRY(take(registry, source, taken, stop));
  // A new source replaces what was appended to; two new ones for one platform are a mistake.
  std::vector<Taken> merged;
  for (std::size_t i = 0; i < taken.size(); ++i) {
    const auto& item = taken[i];
    const auto same = std::find_if(merged.begin(), merged.end(), [&](const Taken& other) {
      if (other.entry.digest == item.entry.digest) return true;
      return !oci::is_attestation(item.entry) && !oci::is_attestation(other.entry) && other.entry.platform == item.entry.platform;
    });
    if (same == merged.end()) {
      merged.push_back(item);
      continue;
    }
    const auto old_position = static_cast<std::size_t>(same - merged.begin());
    if (same->entry.digest != item.entry.digest && old_position >= kept) {
      return make_error(ErrorCode::invalid_input,
                        "two sources are for " + (item.entry.platform ? item.entry.platform->to_string() : "no platform") +
                            ": " + same->from.familiar() + " and " + item.from.familiar(),
                        "leave one of them out");
    }
    *same = item;
  }
  // Attestations of what was replaced would refer to nothing.
  std::erase_if(merged, [&](const Taken& item) {
    if (!oci::is_attestation(item.entry)) return false;
    const auto of = item.entry.annotations.find(oci::k_reference_digest);
    return std::none_of(merged.begin(), merged.end(), [&](const Taken& other) {
      return of != item.entry.annotations.end() && other.entry.digest.to_string() == of->second;
    });
  });
  return merged;
}

oci::Index index_of(const std::vector<Taken>& taken, const CreateRequest& request) {
  oci::Index index;
  index.annotations = request.annotations;
  for (const auto& item : taken) index.manifests.push_back(item.entry);
  return index;
}

Status copy_blob(oci::Registry& registry, const oci::Descriptor& blob, const oci::Reference& from,
                 const oci::Reference& to, std::stop_token stop) {
  DRYDOCK_ASSIGN(const bool there, registry.has_blob(to, blob.digest, stop));
  if (there) return {};
  if (from.domain == to.domain) {
    DRYDOCK_ASSIGN(const bool mounted, registry.mount_blob(to, blob.digest, from.repository, stop));
    if (mounted) return {};
  }
  DRYDOCK_ASSIGN(const auto bytes, read_blob(registry, from, blob, stop));
  return registry.push_blob(to, bytes, stop);
}

Status copy_manifest(oci::Registry& registry, const Taken& item, const oci::Reference& to, std::stop_token stop) {
  if (item.from.name() == to.name()) return {};
  DRYDOCK_ASSIGN(const auto fetched, registry.get_manifest(item.from.with_digest(item.entry.digest), stop));
  DRYDOCK_ASSIGN(const auto manifest, oci::parse_manifest(fetched.text, item.from.familiar()));
  DRYDOCK_TRY(copy_blob(registry, manifest.config, item.from, to, stop));
  for (const auto& layer : manifest.layers) DRYDOCK_TRY(copy_blob(registry, layer, item.from, to, stop));
  return registry.push_manifest(to.with_digest(item.entry.digest), fetched.descriptor.media_type, fetched.text, stop);
}

Result<oci::Descriptor> push_index(oci::Registry& registry, const oci::Index& index, const oci::Reference& target,
                                   std::stop_token stop) {
  const auto text = oci::serialize(index);
  auto descriptor = oci::describe(index.media_type, text);
  DRYDOCK_TRY(registry.push_manifest(target.with_digest(descriptor.digest), descriptor.media_type, text, stop,
                                     oci::ReadBack::yes));
  DRYDOCK_TRY(registry.push_manifest(target.with_default_tag(), descriptor.media_type, text, stop, oci::ReadBack::yes));
  return descriptor;
}

}  // namespace

Result<oci::Index> combined_index(oci::Registry& registry, const CreateRequest& request, std::stop_token stop) {
  DRYDOCK_ASSIGN(const auto taken, take_all(registry, request, stop));
  return index_of(taken, request);
}

Result<oci::Descriptor> create(oci::Registry& registry, const CreateRequest& request, std::stop_token stop) {
  DRYDOCK_ASSIGN(const auto taken, take_all(registry, request, stop));
  for (const auto& item : taken) DRYDOCK_TRY(copy_manifest(registry, item, request.target, stop));
  return push_index(registry, index_of(taken, request), request.target, stop);
}

Result<oci::Descriptor> annotate(oci::Registry& registry, const oci::Reference& given,
                                 const oci::Annotations& annotations, std::stop_token stop) {
  const auto reference = given.with_default_tag();
  DRYDOCK_ASSIGN(const auto fetched, registry.get_manifest(reference, stop));
  if (!oci::is_index_type(fetched.descriptor.media_type)) {
    return make_error(ErrorCode::invalid_input, reference.familiar() + " is a single manifest, not an index",
                      "make an index of it: drydock manifest create " + reference.familiar() + " SOURCE…");
  }
  DRYDOCK_ASSIGN(auto index, oci::parse_index(fetched.text, reference.familiar()));
  for (const auto& [key, value] : annotations) index.annotations[key] = value;
  return push_index(registry, index, reference, stop);
}

}  // namespace drydock::runner
