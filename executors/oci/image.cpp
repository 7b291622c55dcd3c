#include "executors/oci/image.h"

namespace drydock::oci {
namespace {

OrderedJson to_json(const Platform& platform, const std::vector<std::string>& os_features) {
  OrderedJson json;
  json["architecture"] = platform.architecture;
  json["os"] = platform.os;
  if (!platform.os_version.empty()) json["os.version"] = platform.os_version;
  if (!os_features.empty()) json["os.features"] = os_features;
  if (!platform.variant.empty()) json["variant"] = platform.variant;
  return json;
}

Result<Platform> platform_from_json(const Json& json, std::string_view what) {
  const auto where = std::string(what) + ": platform";
  Platform platform;
  DRYDOCK_ASSIGN(platform.os, json_get<std::string>(json, "os", where));
  DRYDOCK_ASSIGN(platform.architecture, json_get<std::string>(json, "architecture", where));
  platform.variant = json_or(json, "variant", std::string());
  platform.os_version = json_or(json, "os.version", std::string());
  return platform;
}

Result<Annotations> annotations_from_json(const Json& json, std::string_view what) {
  Annotations annotations;
  const auto found = json.find("annotations");
  if (found == json.end() || found->is_null()) return annotations;
  if (!found->is_object())
    return make_error(ErrorCode::invalid_input, std::string(what) + ": \"annotations\" must be an object");
  for (const auto& [key, value] : found->items()) {
    if (!value.is_string()) {
      return make_error(ErrorCode::invalid_input,
                        std::string(what) + ": annotation \"" + key + "\" must be a string");
    }
    annotations[key] = value.get<std::string>();
  }
  return annotations;
}

Result<std::vector<Descriptor>> descriptors_from_json(const Json& json, const char* key,
                                                      std::string_view what) {
  const auto found = json.find(key);
  std::vector<Descriptor> list;
  if (found == json.end() || found->is_null()) return list;
  if (!found->is_array())
    return make_error(ErrorCode::invalid_input, std::string(what) + ": \"" + key + "\" must be a list");
  for (std::size_t i = 0; i < found->size(); ++i) {
    const auto where = std::string(what) + ": " + key + "[" + std::to_string(i) + "]";
    DRYDOCK_ASSIGN(auto descriptor, descriptor_from_json((*found)[i], where));
    list.push_back(std::move(descriptor));
  }
  return list;
}

Result<std::optional<Descriptor>> subject_from_json(const Json& json, std::string_view what) {
  const auto found = json.find("subject");
  if (found == json.end() || found->is_null()) return std::optional<Descriptor>();
  DRYDOCK_ASSIGN(auto descriptor, descriptor_from_json(*found, std::string(what) + ": subject"));
  return std::optional<Descriptor>(std::move(descriptor));
}

Result<std::string> media_type_of(const Json& json, std::string_view what) {
  if (!json.is_object())
    return make_error(ErrorCode::invalid_input, std::string(what) + ": expected an object");
  const int schema = json_or(json, "schemaVersion", 0);
  if (schema == 1) {
    return make_error(ErrorCode::unsupported,
                      std::string(what) + " is a manifest of schema 1, which is no longer supported",
                      "push the image again with a current tool");
  }
  if (schema != 2) {
    return make_error(ErrorCode::invalid_input,
                      std::string(what) + ": schemaVersion must be 2, is " + std::to_string(schema));
  }
  auto named = json_or(json, "mediaType", std::string());
  const bool lists = json.contains("manifests"), holds = json.contains("layers") || json.contains("config");
  if (lists && holds) {
    return make_error(ErrorCode::invalid_input,
                      std::string(what) + " claims to be both an index and a manifest");
  }
  if (!named.empty()) return named;
  if (lists) return std::string(media_type::k_index);
  if (holds) return std::string(media_type::k_manifest);
  return make_error(ErrorCode::invalid_input, std::string(what) + " is neither a manifest nor an index");
}

/// Parses the text and checks that it is what the caller takes it for.
Result<Json> document(std::string_view text, std::string_view what, bool (*is_right)(const std::string&),
                      const char* right, std::string& media_type) {
  DRYDOCK_ASSIGN(auto json, parse_json(text, what));
  DRYDOCK_ASSIGN(media_type, media_type_of(json, what));
  if (!is_right(media_type)) {
    return make_error(ErrorCode::invalid_input,
                      std::string(what) + " is not " + right + " but " + media_type);
  }
  return json;
}

OrderedJson list_of(const std::vector<Descriptor>& descriptors) {
  auto list = OrderedJson::array();
  for (const auto& descriptor : descriptors) list.push_back(oci::to_json(descriptor));
  return list;
}

}  // namespace

bool is_index_type(const std::string& type) {
  return type == media_type::k_index || type == media_type::k_docker_index;
}

bool is_manifest_type(const std::string& type) {
  return type == media_type::k_manifest || type == media_type::k_docker_manifest;
}

bool is_layer_type(const std::string& type) {
  return type.starts_with("application/vnd.oci.image.layer.") ||
         type.starts_with("application/vnd.docker.image.rootfs.");
}

Result<Descriptor> descriptor_from_json(const Json& json, std::string_view what) {
  Descriptor descriptor;
  DRYDOCK_ASSIGN(descriptor.media_type, json_get<std::string>(json, "mediaType", what));
  DRYDOCK_ASSIGN(const auto digest, json_get<std::string>(json, "digest", what));
  auto parsed = Digest::parse(digest);
  if (!parsed.ok()) return std::move(parsed).error().while_("reading " + std::string(what));
  descriptor.digest = std::move(*parsed);
  DRYDOCK_ASSIGN(descriptor.size, json_get<std::int64_t>(json, "size", what));
  if (descriptor.size < 0)
    return make_error(ErrorCode::invalid_input, std::string(what) + ": \"size\" is negative");
  descriptor.urls = json_or(json, "urls", std::vector<std::string>());
  DRYDOCK_ASSIGN(descriptor.annotations, annotations_from_json(json, what));
  descriptor.data = json_or(json, "data", std::string());
  descriptor.artifact_type = json_or(json, "artifactType", std::string());
  if (const auto found = json.find("platform"); found != json.end() && found->is_object()) {
    DRYDOCK_ASSIGN(descriptor.platform, platform_from_json(*found, what));
    descriptor.os_features = json_or(*found, "os.features", std::vector<std::string>());
  }
  return descriptor;
}

OrderedJson to_json(const Descriptor& descriptor) {
  OrderedJson json;
  json["mediaType"] = descriptor.media_type;
  json["digest"] = descriptor.digest.to_string();
  json["size"] = descriptor.size;
  if (!descriptor.urls.empty()) json["urls"] = descriptor.urls;
  if (!descriptor.annotations.empty()) json["annotations"] = descriptor.annotations;
  if (!descriptor.data.empty()) json["data"] = descriptor.data;
  if (descriptor.platform) json["platform"] = to_json(*descriptor.platform, descriptor.os_features);
  if (!descriptor.artifact_type.empty()) json["artifactType"] = descriptor.artifact_type;
  return json;
}

Result<std::string> detect_media_type(std::string_view text, std::string_view what) {
  DRYDOCK_ASSIGN(const auto json, parse_json(text, what));
  return media_type_of(json, what);
}

Result<Manifest> parse_manifest(std::string_view text, std::string_view what) {
  Manifest manifest;
  DRYDOCK_ASSIGN(const auto json, document(text, what, is_manifest_type, "a manifest", manifest.media_type));
  manifest.artifact_type = json_or(json, "artifactType", std::string());
  const auto config = json.find("config");
  if (config == json.end())
    return make_error(ErrorCode::invalid_input, std::string(what) + ": \"config\" is missing");
  DRYDOCK_ASSIGN(manifest.config, descriptor_from_json(*config, std::string(what) + ": config"));
  DRYDOCK_ASSIGN(manifest.layers, descriptors_from_json(json, "layers", what));
  DRYDOCK_ASSIGN(manifest.subject, subject_from_json(json, what));
  DRYDOCK_ASSIGN(manifest.annotations, annotations_from_json(json, what));
  return manifest;
}

Result<Index> parse_index(std::string_view text, std::string_view what) {
  Index index;
  DRYDOCK_ASSIGN(const auto json, document(text, what, is_index_type, "an index", index.media_type));
  index.artifact_type = json_or(json, "artifactType", std::string());
  DRYDOCK_ASSIGN(index.manifests, descriptors_from_json(json, "manifests", what));
  DRYDOCK_ASSIGN(index.subject, subject_from_json(json, what));
  DRYDOCK_ASSIGN(index.annotations, annotations_from_json(json, what));
  return index;
}

std::string serialize(const Manifest& manifest) {
  OrderedJson json;
  json["schemaVersion"] = 2;
  json["mediaType"] = manifest.media_type;
  if (!manifest.artifact_type.empty()) json["artifactType"] = manifest.artifact_type;
  json["config"] = to_json(manifest.config);
  json["layers"] = list_of(manifest.layers);
  if (manifest.subject) json["subject"] = to_json(*manifest.subject);
  if (!manifest.annotations.empty()) json["annotations"] = manifest.annotations;
  return dump_json(json, 2);
}

std::string serialize(const Index& index) {
  OrderedJson json;
  json["schemaVersion"] = 2;
  json["mediaType"] = index.media_type;
  if (!index.artifact_type.empty()) json["artifactType"] = index.artifact_type;
  json["manifests"] = list_of(index.manifests);
  if (index.subject) json["subject"] = to_json(*index.subject);
  if (!index.annotations.empty()) json["annotations"] = index.annotations;
  return dump_json(json, 2);
}

Descriptor describe(std::string media_type, std::string_view text) {
  Descriptor descriptor;
  descriptor.media_type = std::move(media_type);
  descriptor.digest = digest_of(text);
  descriptor.size = static_cast<std::int64_t>(text.size());
  return descriptor;
}

bool is_attestation(const Descriptor& descriptor) {
  const auto found = descriptor.annotations.find(k_reference_type);
  return found != descriptor.annotations.end() && found->second == k_attestation_type;
}

std::string platforms_text(const Index& index) {
  std::string text;
  for (const auto& entry : index.manifests) {
    if (is_attestation(entry)) continue;
    if (!text.empty()) text += ", ";
    text += entry.platform ? entry.platform->to_string() : "one without a platform";
  }
  return text.empty() ? "none" : text;
}

Result<Descriptor> choose_platform(const Index& index, const Platform& wanted, std::string_view what) {
  const Descriptor* best = nullptr;
  int best_rank = 0;
  for (const auto& entry : index.manifests) {
    if (is_attestation(entry) || !entry.platform) continue;
    const int rank = match_rank(*entry.platform, wanted);
    if (rank > best_rank) {
      best = &entry;
      best_rank = rank;
    }
  }
  if (best) return *best;
  return make_error(ErrorCode::not_found, "no matching manifest for " + wanted.to_string() + " in " +
                                              std::string(what) + ": present are " + platforms_text(index));
}

}  // namespace drydock::oci
