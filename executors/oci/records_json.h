#pragma once
// BlobInfo as the JSON text that rows hold. Internal to the store.

#include "executors/oci/blob.h"

#include <nlohmann/json.hpp>

#include <string>

namespace drydock::oci {

inline std::string to_row(const BlobInfo& blob) {
  nlohmann::json json{{"mediaType", blob.media_type}, {"digest", blob.digest.to_string()}, {"size", blob.size}};
  if (!blob.annotations.empty()) json["annotations"] = blob.annotations;
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

inline Result<BlobInfo> blob_from_row(const std::string& text) {
  auto json = nlohmann::json::parse(text, nullptr, false);
  auto bad = [&] { return make_error(ErrorCode::corrupted, "a blob's row in the store is unreadable: " + text); };
  if (!json.is_object() || !json.contains("digest") || !json["digest"].is_string()) return bad();
  BlobInfo blob;
  DRYDOCK_ASSIGN(blob.digest, Digest::parse(json["digest"].get<std::string>()));
  if (auto type = json.find("mediaType"); type != json.end() && type->is_string()) blob.media_type = *type;
  if (auto size = json.find("size"); size != json.end() && size->is_number_unsigned()) blob.size = *size;
  if (auto notes = json.find("annotations"); notes != json.end() && notes->is_object()) {
    for (auto& [name, value] : notes->items()) {
      if (value.is_string()) blob.annotations[name] = value;
    }
  }
  return blob;
}

}  // namespace drydock::oci
