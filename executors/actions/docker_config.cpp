#include "executors/actions/docker_config.h"

#include <nlohmann/json.hpp>

#include "executors/actions/text.h"
#include "executors/base/base64.h"
#include "executors/base/fs.h"
#include "executors/base/json.h"

namespace drydock::actions {
namespace {

std::string file_in(const std::string& directory) { return directory + "/config.json"; }

Result<nlohmann::ordered_json> read_config(const std::string& directory) {
  DRYDOCK_ASSIGN(const auto text, read_file_if_exists(file_in(directory)));
  if (!text || trimmed(*text).empty()) return nlohmann::ordered_json::object();
  auto json = nlohmann::ordered_json::parse(*text, nullptr, false);
  if (!json.is_object()) {
    return make_error(ErrorCode::invalid_input, file_in(directory) + " is no JSON object", "remove the file");
  }
  return json;
}

Status write_config(const std::string& directory, const nlohmann::ordered_json& json) {
  return write_file_atomic(file_in(directory), json.dump(2) + "\n", 0600, Durability::relaxed);
}

}  // namespace

std::string config_key(const std::string& registry) {
  for (const auto* hub : {"docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"}) {
    if (registry == hub) return "https://index.docker.io/v1/";
  }
  return registry;
}

Status write_login(const std::string& directory, const std::string& registry, const std::string& username,
                   const std::string& password) {
  if (directory.empty()) return make_error(ErrorCode::environment, "the job has no place for credentials");
  DRYDOCK_TRY(make_directories(directory, 0700));
  DRYDOCK_ASSIGN(auto json, read_config(directory));
  auto& auths = json["auths"];
  if (!auths.is_object()) auths = nlohmann::ordered_json::object();
  auths[config_key(registry)] = {{"auth", encode_base64(username + ":" + password)}};
  return write_config(directory, json);
}

Result<bool> remove_login(const std::string& directory, const std::string& registry) {
  DRYDOCK_ASSIGN(auto json, read_config(directory));
  const auto auths = json.find("auths");
  if (auths == json.end() || !auths->is_object() || auths->erase(config_key(registry)) == 0) return false;
  DRYDOCK_TRY(write_config(directory, json));
  return true;
}

}  // namespace drydock::actions
