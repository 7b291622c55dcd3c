#include "executors/build/cache_format.h"

#include <nlohmann/json.hpp>

#include "executors/base/json.h"
#include "executors/base/time.h"

namespace drydock::build {

namespace {

constexpr int k_cache_schema = 1;
constexpr std::size_t k_longest_tag = 128;

std::string tag_safe(std::string text) {
  for (auto& c : text) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '_' && c != '-') c = '-';
  }
  return text;
}

}  // namespace

std::string cache_tag(const std::string& tag, const std::string& target, const Platform& platform) {
  auto name = tag + (target.empty() ? "" : "." + tag_safe(target)) + "." + tag_safe(platform.to_string());
  if (name.size() <= k_longest_tag) return name;
  const auto mark = std::string(oci::digest_of(name).hex().substr(0, 16));
  return name.substr(0, k_longest_tag - mark.size() - 1) + "-" + mark;
}

nlohmann::json cache_config(const std::vector<CacheEntry>& entries) {
  auto list = nlohmann::json::array();
  for (const auto& [key, result] : entries) {
    nlohmann::json item{{"key", key.to_string()}};
    if (!result.description.empty()) item["description"] = result.description;
    if (result.empty) item["empty"] = true;
    if (result.diff_id) item["diff_id"] = result.diff_id->to_string();
    if (result.leads_to) item["leads_to"] = result.leads_to->to_string();
    if (result.created != oci::TimePoint{}) item["created"] = format_rfc3339(result.created);
    if (result.blob) {
      item["blob"] = {{"mediaType", result.blob->media_type},
                      {"digest", result.blob->digest.to_string()},
                      {"size", result.blob->size}};
    }
    list.push_back(std::move(item));
  }
  return {{"schema", k_cache_schema}, {"results", std::move(list)}};
}

Result<std::vector<CacheEntry>> read_cache_config(std::string_view text) {
  DRYDOCK_ASSIGN(const auto json, parse_json(text, "cache config"));
  DRYDOCK_ASSIGN(const auto schema, json_get<int>(json, "schema", "cache config"));
  if (schema != k_cache_schema) {
    return make_error(ErrorCode::unsupported, "cache config of schema " + std::to_string(schema));
  }
  std::vector<CacheEntry> entries;
  if (!json.contains("results") || !json["results"].is_array()) {
    return make_error(ErrorCode::invalid_input, "cache config without results");
  }
  for (const auto& item : json["results"]) {
    CacheEntry entry;
    DRYDOCK_ASSIGN(const auto key, json_get<std::string>(item, "key", "cache result"));
    DRYDOCK_ASSIGN(entry.key, oci::Digest::parse(key));
    entry.result.description = json_or<std::string>(item, "description", "");
    entry.result.empty = json_or<bool>(item, "empty", false);
    if (const auto text_id = json_or<std::string>(item, "diff_id", ""); !text_id.empty()) {
      DRYDOCK_ASSIGN(entry.result.diff_id, oci::Digest::parse(text_id));
    }
    if (const auto next = json_or<std::string>(item, "leads_to", ""); !next.empty()) {
      DRYDOCK_ASSIGN(entry.result.leads_to, oci::Digest::parse(next));
    }
    if (const auto created = json_or<std::string>(item, "created", ""); !created.empty()) {
      DRYDOCK_ASSIGN(entry.result.created, parse_rfc3339(created));
    }
    if (item.contains("blob")) {
      oci::BlobInfo blob;
      DRYDOCK_ASSIGN(blob.media_type, json_get<std::string>(item["blob"], "mediaType", "cache result"));
      DRYDOCK_ASSIGN(const auto digest, json_get<std::string>(item["blob"], "digest", "cache result"));
      DRYDOCK_ASSIGN(blob.digest, oci::Digest::parse(digest));
      DRYDOCK_ASSIGN(blob.size, json_get<std::uint64_t>(item["blob"], "size", "cache result"));
      entry.result.blob = std::move(blob);
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace drydock::build
