#include "runner/result/verify.h"

#include <algorithm>

#include "runner/result/merge.h"

namespace drydock::runner {

namespace {

Result<ImageView> view_of(oci::Registry& registry, const oci::Reference& reference, const oci::Descriptor& descriptor,
                          const std::string& text, std::stop_token stop) {
  ImageView view;
  view.manifest = descriptor;
  DRYDOCK_ASSIGN(const auto manifest, oci::parse_manifest(text, reference.familiar()));
  view.layers = manifest.layers.size();
  for (const auto& layer : manifest.layers) view.layers_size += layer.size;
  if (descriptor.platform) {
    view.platform = normalized(*descriptor.platform);
    return view;
  }
  std::string config_text;
  DRYDOCK_TRY(registry.get_blob(reference, {manifest.config.digest, static_cast<std::uint64_t>(manifest.config.size)},
                                [&](std::string_view piece) -> Status {
                                  config_text += piece;
                                  return {};
                                },
                                stop));
  DRYDOCK_ASSIGN(const auto config, oci::parse_image_config(config_text, reference.familiar()));
  view.platform = normalized(config.platform);
  return view;
}

std::string present(const InspectedImage& image) {
  std::string text;
  for (const auto& view : image.images) text += (text.empty() ? "" : ", ") + view.platform.to_string();
  return text.empty() ? "none" : text;
}

Finding finding_for(oci::Registry& registry, const InspectedImage& image, const Platform& wanted, std::stop_token stop) {
  Finding finding;
  finding.platform = wanted;
  const ImageView* best = nullptr;
  for (const auto& view : image.images) {
    const int rank = match_rank(view.platform, wanted);
    if (rank > 0 && (!best || rank > match_rank(best->platform, wanted))) best = &view;
  }
  if (!best) {
    finding.text = image.is_index
                       ? "no matching manifest for " + wanted.to_string() + ": that platform was never merged; present: " + present(image)
                       : "it is a single-platform image for " + present(image) + ", not an index with " + wanted.to_string();
    finding.mend = "build with platforms: " + (image.images.empty() ? "" : present(image) + ", ") + wanted.to_string();
    return finding;
  }
  const auto checked = check_leg(registry, image.reference, {wanted, best->manifest, {}}, stop);
  if (!checked.ok()) {
    finding.text = checked.error().to_string();
    finding.mend = checked.error().code == ErrorCode::not_found
                       ? "push the image again: a clean-up may have removed what the index refers to"
                       : checked.error().mend;
    return finding;
  }
  finding.ok = true;
  finding.text = best->manifest.digest.to_string() + ", " + std::to_string(best->layers) + " layers";
  return finding;
}

}  // namespace

Result<InspectedImage> inspect(oci::Registry& registry, const oci::Reference& given, std::stop_token stop) {
  InspectedImage image;
  image.reference = given.with_default_tag();
  DRYDOCK_ASSIGN(auto top, registry.get_manifest(image.reference, stop));
  image.top = top.descriptor;
  image.raw = top.text;
  image.is_index = oci::is_index_type(top.descriptor.media_type);
  if (!image.is_index) {
    DRYDOCK_ASSIGN(auto view, view_of(registry, image.reference, top.descriptor, top.text, stop));
    image.images.push_back(std::move(view));
    return image;
  }
  DRYDOCK_ASSIGN(const auto index, oci::parse_index(top.text, image.reference.familiar()));
  for (const auto& entry : index.manifests) {
    if (oci::is_attestation(entry)) continue;
    if (!oci::is_manifest_type(entry.media_type)) {
      image.others.push_back(entry);
      continue;
    }
    auto fetched = registry.get_manifest(image.reference.with_digest(entry.digest), stop);
    if (!fetched.ok()) {
      if (fetched.error().code != ErrorCode::not_found) return std::move(fetched).error();
      // Listed and gone: it still names its platform, and verify says what is wrong.
      ImageView view;
      view.platform = entry.platform ? normalized(*entry.platform) : Platform{"unknown", "unknown", "", ""};
      view.manifest = entry;
      image.images.push_back(std::move(view));
      continue;
    }
    DRYDOCK_ASSIGN(auto view, view_of(registry, image.reference, entry, fetched->text, stop));
    image.images.push_back(std::move(view));
  }
  for (const auto& entry : index.manifests) {
    if (!oci::is_attestation(entry)) continue;
    const auto of = entry.annotations.find(oci::k_reference_digest);
    for (auto& view : image.images) {
      if (of != entry.annotations.end() && view.manifest.digest.to_string() == of->second) view.attestation = entry.digest.to_string();
    }
  }
  return image;
}

std::string to_text(const InspectedImage& image) {
  std::string text = "Name:      " + image.reference.to_string() + "\nMediaType: " + image.top.media_type +
                     "\nDigest:    " + image.top.digest.to_string() + "\n\nManifests:\n";
  for (const auto& view : image.images) {
    text += "  Name:      " + image.reference.name() + "@" + view.manifest.digest.to_string() + "\n";
    text += "  MediaType: " + view.manifest.media_type + "\n";
    text += "  Platform:  " + view.platform.to_string() + "\n";
    text += "  Layers:    " + std::to_string(view.layers) + ", " + std::to_string(view.layers_size) + " bytes\n";
    if (!view.attestation.empty()) text += "  Attested:  " + view.attestation + " (an unknown/unknown entry)\n";
    text += "\n";
  }
  for (const auto& other : image.others) text += "  Other:     " + other.media_type + " " + other.digest.to_string() + "\n";
  return text;
}

nlohmann::ordered_json to_json(const InspectedImage& image) {
  auto images = nlohmann::ordered_json::array();
  for (const auto& view : image.images) {
    nlohmann::ordered_json item{{"platform", view.platform.to_string()},
                                {"digest", view.manifest.digest.to_string()},
                                {"mediaType", view.manifest.media_type},
                                {"size", view.manifest.size},
                                {"layers", view.layers},
                                {"layersSize", view.layers_size}};
    if (!view.attestation.empty()) item["attestation"] = view.attestation;
    images.push_back(std::move(item));
  }
  return {{"schema", 1},
          {"name", image.reference.to_string()},
          {"mediaType", image.top.media_type},
          {"digest", image.top.digest.to_string()},
          {"size", image.top.size},
          {"manifests", images}};
}

bool Verification::ok() const {
  return std::all_of(findings.begin(), findings.end(), [](const Finding& finding) { return finding.ok; });
}

Result<Verification> verify(oci::Registry& registry, const oci::Reference& reference, std::vector<Platform> wanted,
                            std::stop_token stop) {
  DRYDOCK_ASSIGN(const auto image, inspect(registry, reference, stop));
  if (wanted.empty()) {
    for (const auto& view : image.images) wanted.push_back(view.platform);
  }
  Verification verification;
  verification.top = image.top;
  for (const auto& platform : wanted) verification.findings.push_back(finding_for(registry, image, platform, stop));
  return verification;
}

}  // namespace drydock::runner
