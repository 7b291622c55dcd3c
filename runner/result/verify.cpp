#include "runner/result/verify.h"

#include <algorithm>
#include <future>

#include "executors/base/json.h"
#include "executors/base/text.h"
#include "runner/result/remote_image.h"

namespace drydock::runner {
namespace {

constexpr int k_verify_schema = 1;

/// What the check of one entry found; an Error when the registry could not answer.
struct Checked {
  VerifiedEntry entry;
  std::vector<std::string> findings;
};

bool is_finding(const Error& error) {
  return error.code == ErrorCode::not_found || error.code == ErrorCode::corrupted ||
         error.code == ErrorCode::invalid_input;
}

class EntryCheck {
 public:
  EntryCheck(oci::Registry& registry, const RemoteImage& image, const oci::Descriptor& descriptor,
             std::stop_token stop)
      : registry_(registry), image_(image), descriptor_(descriptor), stop_(std::move(stop)) {}

  Result<Checked> run() {
    checked_.entry.manifest = descriptor_.digest;
    if (descriptor_.platform) checked_.entry.platform = *descriptor_.platform;
    auto manifest = read_manifest(registry_, image_.reference, descriptor_, stop_);
    if (!manifest.ok()) {
      if (!is_finding(manifest.error())) return std::move(manifest).error();
      if (manifest.error().code == ErrorCode::not_found) {
        found("its manifest " + descriptor_.digest.to_string() +
              " is gone: a clean-up of untagged images may have removed it; build and push again");
      } else {
        found(manifest.error().message);
      }
      return std::move(checked_);
    }
    DRYDOCK_TRY(check_blobs(*manifest));
    if (!oci::is_attestation(descriptor_)) DRYDOCK_TRY(check_config(*manifest));
    checked_.entry.whole = checked_.findings.empty();
    return std::move(checked_);
  }

 private:
  std::string name() const {
    if (oci::is_attestation(descriptor_)) return "attestation " + descriptor_.digest.to_string();
    return descriptor_.platform ? descriptor_.platform->to_string() : descriptor_.digest.to_string();
  }

  void found(const std::string& what) { checked_.findings.push_back(name() + ": " + what); }

  Status check_blobs(const oci::Manifest& manifest) {
    checked_.entry.layers = manifest.layers.size();
    checked_.entry.bytes = manifest.config.size;
    std::vector<const oci::Descriptor*> blobs{&manifest.config};
    for (const auto& layer : manifest.layers) {
      checked_.entry.bytes += layer.size;
      if (layer.media_type != oci::media_type::k_docker_foreign_layer) blobs.push_back(&layer);
    }
    for (const auto* blob : blobs) {
      DRYDOCK_ASSIGN(const bool there, registry_.can_pull_blob(image_.reference, blob->digest, stop_));
      if (!there)
        found((blob == &manifest.config ? "config " : "layer ") + blob->digest.to_string() +
              " is not in the registry");
    }
    return {};
  }

  Status check_config(const oci::Manifest& manifest) {
    // Other artifacts (a Helm chart, a cache) have no platform to compare.
    if (manifest.config.media_type != oci::media_type::k_config &&
        manifest.config.media_type != oci::media_type::k_docker_config) {
      return {};
    }
    auto config = read_config(registry_, image_.reference, manifest, stop_);
    if (!config.ok()) {
      if (!is_finding(config.error())) return std::move(config).error();
      if (config.error().code != ErrorCode::not_found) found(config.error().message);
      return {};
    }
    const auto told = normalized(config->platform);
    if (descriptor_.platform && match_rank(told, *descriptor_.platform) == 0) {
      found("its config says that it is for " + told.to_string());
    }
    if (config->diff_ids.size() != manifest.layers.size()) {
      found("its config names " + std::to_string(config->diff_ids.size()) + " layers, its manifest " +
            std::to_string(manifest.layers.size()));
    }
    return {};
  }

  oci::Registry& registry_;
  const RemoteImage& image_;
  const oci::Descriptor& descriptor_;
  std::stop_token stop_;
  Checked checked_;
};

/// Asked for and not there; what the image is for people who meet "no matching manifest".
void check_wanted(const RemoteImage& image, const std::vector<Platform>& wanted, VerifyResult& result) {
  for (const auto& platform : wanted) {
    const bool there =
        std::any_of(image.index.manifests.begin(), image.index.manifests.end(), [&](const auto& entry) {
          // Whole and exact: an arm/v6 image that runs on arm/v7 is not the arm/v7 image that was asked for.
          return !oci::is_attestation(entry) && entry.platform &&
                 normalized(*entry.platform) == normalized(platform);
        });
    if (there) continue;
    result.findings.push_back("no matching manifest for " + platform.to_string() +
                              ": that platform was never merged" +
                              (image.single ? " (this is a single-platform image)" : "") +
                              "; present: " + oci::platforms_text(image.index));
  }
}

void check_attestation(const RemoteImage& image, const oci::Descriptor& attestation, VerifyResult& result) {
  const auto refers = attestation.annotations.find(oci::k_reference_digest);
  const bool known =
      refers != attestation.annotations.end() &&
      std::any_of(image.index.manifests.begin(), image.index.manifests.end(),
                  [&](const auto& entry) { return entry.digest.to_string() == refers->second; });
  if (known) return;
  result.findings.push_back("attestation " + attestation.digest.to_string() + ": it refers to " +
                            (refers == attestation.annotations.end() ? "nothing" : refers->second) +
                            ", which is not in the index");
}

}  // namespace

Result<VerifyResult> verify(oci::Registry& registry, const oci::Reference& reference,
                            const std::vector<Platform>& wanted, std::stop_token stop) {
  DRYDOCK_ASSIGN(const auto image, read_image(registry, reference, stop));
  VerifyResult result;
  result.reference = image.reference.familiar();
  result.top = image.top;
  result.answered_by = image.answered_by;
  check_wanted(image, wanted, result);

  std::vector<std::future<Result<Checked>>> checks;
  for (const auto& entry : image.index.manifests) {
    checks.push_back(
        std::async(std::launch::async, [&] { return EntryCheck(registry, image, entry, stop).run(); }));
  }
  std::optional<Error> failed;
  for (std::size_t i = 0; i < checks.size(); ++i) {
    const auto& descriptor = image.index.manifests[i];
    auto checked = checks[i].get();
    if (!checked.ok()) {
      if (!failed) failed = std::move(checked).error();
      continue;
    }
    result.findings.insert(result.findings.end(), checked->findings.begin(), checked->findings.end());
    if (oci::is_attestation(descriptor)) {
      ++result.attestations;
      check_attestation(image, descriptor, result);
    } else {
      result.entries.push_back(std::move(checked->entry));
    }
  }
  if (failed) return std::move(*failed).while_("verifying " + result.reference);
  return result;
}

std::string readable(const VerifyResult& result) {
  std::string text = result.reference + "  " + result.top.digest.to_string() + "\n";
  std::size_t width = 0;
  for (const auto& entry : result.entries) width = std::max(width, entry.platform.to_string().size());
  for (const auto& entry : result.entries) {
    auto platform = entry.platform.to_string();
    platform.resize(width, ' ');
    text += "  " + platform + "  " + entry.manifest.to_string() + "  " + std::to_string(entry.layers) +
            (entry.layers == 1 ? " layer, " : " layers, ") + size_text(entry.bytes) +
            (entry.whole ? "  ok" : "  NOT WHOLE") + "\n";
  }
  if (result.attestations)
    text += "  and " + std::to_string(result.attestations) +
            (result.attestations == 1 ? " attestation\n" : " attestations\n");
  for (const auto& finding : result.findings) text += "error: " + finding + "\n";
  return text;
}

Json to_json(const VerifyResult& result) {
  Json json = {{"schema", k_verify_schema},
               {"reference", result.reference},
               {"digest", result.top.digest.to_string()},
               {"mediaType", result.top.media_type},
               {"ok", result.ok()},
               {"findings", result.findings},
               {"attestations", result.attestations},
               {"platforms", Json::array()}};
  for (const auto& entry : result.entries) {
    json["platforms"].push_back({{"platform", entry.platform.to_string()},
                                 {"digest", entry.manifest.to_string()},
                                 {"layers", entry.layers},
                                 {"size", entry.bytes},
                                 {"ok", entry.whole}});
  }
  return json;
}

}  // namespace drydock::runner
