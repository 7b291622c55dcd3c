#include "runner/lint/script_memory.h"

#include <nlohmann/json.hpp>

#include "executors/base/fs.h"
#include "executors/oci/digest.h"

namespace drydock::runner {

namespace {

constexpr int k_schema = 1;

}  // namespace

std::string ScriptMemory::key(std::string_view version, std::string_view shell, std::string_view script) {
  // Each part with its length, so that no two rows of parts run into the same text.
  std::string all;
  for (const auto part : {version, shell, script}) all += std::to_string(part.size()) + ":" + std::string(part);
  return std::string(oci::digest_of(all).hex());
}

std::string ScriptMemory::path(const std::string& key) const {
  return directory_ + "/" + key.substr(0, 2) + "/" + key + ".json";
}

std::optional<std::vector<parser::lint::ScriptFinding>> ScriptMemory::find(const std::string& key) const {
  if (!keeps()) return std::nullopt;
  const auto text = read_file_if_exists(path(key));
  if (!text.ok() || !*text) return std::nullopt;
  const auto json = nlohmann::json::parse(**text, nullptr, false);
  if (!json.is_object() || json.value("schema", nlohmann::json()) != k_schema) return std::nullopt;
  const auto found = json.find("findings");
  if (found == json.end() || !found->is_array()) return std::nullopt;
  std::vector<parser::lint::ScriptFinding> findings;
  for (const auto& item : *found) {
    if (!item.is_string()) return std::nullopt;
    findings.push_back({item.get<std::string>()});
  }
  return findings;
}

void ScriptMemory::keep(const std::string& key, const std::vector<parser::lint::ScriptFinding>& findings) const {
  if (!keeps()) return;
  auto messages = nlohmann::json::array();
  for (const auto& finding : findings) messages.push_back(finding.message);
  const nlohmann::json json = {{"schema", k_schema}, {"findings", std::move(messages)}};
  const auto text = json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  const auto file = path(key);
  // A store that cannot be written, as another user's, costs time and nothing else.
  if (make_directories(file.substr(0, file.rfind('/'))).ok()) {
    static_cast<void>(write_file_atomic(file, text, 0644, Durability::relaxed));
  }
}

}  // namespace drydock::runner
