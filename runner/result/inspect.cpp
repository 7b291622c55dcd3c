#include "runner/result/inspect.h"

#include "executors/base/json.h"
#include "executors/base/text.h"

namespace drydock::runner {
namespace {

constexpr int k_schema = 1;

std::int64_t bytes_of(const oci::Manifest& manifest) {
  auto bytes = manifest.config.size;
  for (const auto& layer : manifest.layers) bytes += layer.size;
  return bytes;
}

std::string attested(const oci::Descriptor& descriptor) {
  const auto found = descriptor.annotations.find(oci::k_reference_digest);
  return found == descriptor.annotations.end() ? "nothing" : found->second;
}

void add_annotations(std::string& text, const oci::Annotations& annotations, const std::string& indent,
                     const char* title) {
  if (annotations.empty()) return;
  text += indent + title + "\n";
  for (const auto& [key, value] : annotations) text += indent + "  " + key + ": " + value + "\n";
}

void add_entry(std::string& text, const InspectedEntry& entry) {
  const auto& descriptor = entry.descriptor;
  text += "\n";
  if (entry.attestation) {
    text += "attestation of " + attested(descriptor) + "\n";
  } else {
    text += (descriptor.platform ? descriptor.platform->to_string() : "no platform") + "\n";
  }
  text += "  digest:     " + descriptor.digest.to_string() + "\n";
  text += "  media type: " + descriptor.media_type + "\n";
  if (!entry.manifest) {
    text += "  manifest:   gone from the registry\n";
    return;
  }
  const auto count = entry.manifest->layers.size();
  text += "  layers:     " + std::to_string(count) + ", " + size_text(bytes_of(*entry.manifest)) + "\n";
  if (!entry.attestation) add_annotations(text, descriptor.annotations, "  ", "annotations of the entry:");
  add_annotations(text, entry.manifest->annotations, "  ", "annotations of the manifest:");
}

Json entry_json(const InspectedEntry& entry) {
  Json json = Json::parse(dump_json(oci::to_json(entry.descriptor)));
  if (entry.attestation) json["attests"] = attested(entry.descriptor);
  json["present"] = entry.manifest.has_value();
  if (!entry.manifest) return json;
  json["config"] = entry.manifest->config.digest.to_string();
  json["totalSize"] = bytes_of(*entry.manifest);
  json["layers"] = Json::array();
  for (const auto& layer : entry.manifest->layers)
    json["layers"].push_back(Json::parse(dump_json(oci::to_json(layer))));
  if (!entry.manifest->annotations.empty()) json["manifestAnnotations"] = entry.manifest->annotations;
  return json;
}

}  // namespace

Result<Inspection> inspect(oci::Registry& registry, const oci::Reference& reference, std::stop_token stop) {
  Inspection inspection;
  DRYDOCK_ASSIGN(inspection.image, read_image(registry, reference, stop));
  for (const auto& descriptor : inspection.image.index.manifests) {
    InspectedEntry entry{descriptor, oci::is_attestation(descriptor), {}};
    if (oci::is_manifest_type(descriptor.media_type)) {
      auto manifest = read_manifest(registry, inspection.image.reference, descriptor, stop);
      if (manifest.ok()) {
        entry.manifest = std::move(*manifest);
      } else if (manifest.error().code != ErrorCode::not_found) {
        return std::move(manifest).error().while_("inspecting " + inspection.image.reference.familiar());
      }
    }
    inspection.entries.push_back(std::move(entry));
  }
  return inspection;
}

std::string readable(const Inspection& inspection) {
  const auto& image = inspection.image;
  std::string text = "name:         " + image.reference.to_string() + "\n";
  text += "media type:   " + image.top.media_type + "\n";
  text += "digest:       " + image.top.digest.to_string() + "\n";
  text += "answered by:  " + image.answered_by + "\n";
  if (!image.single) add_annotations(text, image.index.annotations, "", "annotations of the index:");
  for (const auto& entry : inspection.entries) add_entry(text, entry);
  return text;
}

Json to_json(const Inspection& inspection) {
  const auto& image = inspection.image;
  Json json = {{"schema", k_schema},
               {"reference", image.reference.to_string()},
               {"mediaType", image.top.media_type},
               {"digest", image.top.digest.to_string()},
               {"size", image.top.size},
               {"manifests", Json::array()}};
  if (!image.index.annotations.empty()) json["annotations"] = image.index.annotations;
  for (const auto& entry : inspection.entries) json["manifests"].push_back(entry_json(entry));
  return json;
}

}  // namespace drydock::runner
