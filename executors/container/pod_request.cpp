#include "executors/container/pod_request.h"

#include <nlohmann/json.hpp>

namespace drydock::container {
namespace {

using nlohmann::json;

constexpr int k_schema = 1;

json place_json(const Place& place) { return {place.file, place.line, place.column}; }
Place place_from(const json& json) { return {json.at(0), json.at(1), json.at(2)}; }

template <class T>
json optional_json(const std::optional<T>& value) {
  return value ? json(*value) : json();
}

std::optional<std::string> optional_text(const json& json) {
  return json.is_null() ? std::nullopt : std::optional(json.get<std::string>());
}

json container_json(const step::JobContainer& container) {
  json out = {{"image", container.image},
              {"env", container.env},
              {"ports", container.ports},
              {"volumes", container.volumes},
              {"options", container.options},
              {"entrypoint", optional_json(container.entrypoint)},
              {"command", optional_json(container.command)},
              {"place", place_json(container.place)},
              {"options_place", place_json(container.options_place)}};
  if (container.login) out["login"] = {container.login->username, container.login->password};
  return out;
}

step::JobContainer container_from(const json& json) {
  step::JobContainer container;
  json.at("image").get_to(container.image);
  json.at("env").get_to(container.env);
  json.at("ports").get_to(container.ports);
  json.at("volumes").get_to(container.volumes);
  json.at("options").get_to(container.options);
  container.entrypoint = optional_text(json.at("entrypoint"));
  container.command = optional_text(json.at("command"));
  container.place = place_from(json.at("place"));
  container.options_place = place_from(json.at("options_place"));
  if (json.contains("login")) container.login = step::RegistryLogin{json["login"].at(0), json["login"].at(1)};
  return container;
}

template <class T, class Read>
Result<T> read_message(const json& json, const char* what, Read read) {
  try {
    if (json.at("schema").get<int>() != k_schema) {
      return make_error(ErrorCode::invalid_input, std::string(what) + " has an unknown schema");
    }
    return read();
  } catch (const std::exception& problem) {
    return make_error(ErrorCode::invalid_input, std::string(what) + " cannot be read: " + problem.what());
  }
}

}  // namespace

json to_json(const PodRequest& request) {
  auto shared = json::array(), services = json::array();
  for (const auto& path : request.shared) shared.push_back({path.path, path.read_only});
  for (const auto& [id, service] : request.containers.services) services.push_back({id, container_json(service)});
  json out = {{"schema", k_schema},
              {"job", request.job},
              {"engine", build::to_json(request.engine)},
              {"docker_config", request.docker_config},
              {"workspace", request.workspace},
              {"temp", request.temp},
              {"node", request.node},
              {"shared", std::move(shared)},
              {"loopback", request.loopback},
              {"copied", request.host_files == HostFiles::copied},
              {"privileged", request.privileged == PrivilegedContainers::allowed},
              {"services", std::move(services)}};
  if (request.containers.container) out["container"] = container_json(*request.containers.container);
  return out;
}

Result<PodRequest> pod_request_from_json(const json& json) {
  return read_message<PodRequest>(json, "container request", [&]() -> Result<PodRequest> {
    PodRequest request;
    json.at("job").get_to(request.job);
    DRYDOCK_ASSIGN(request.engine, build::engine_options_from_json(json.at("engine")));
    json.at("docker_config").get_to(request.docker_config);
    json.at("workspace").get_to(request.workspace);
    json.at("temp").get_to(request.temp);
    json.at("node").get_to(request.node);
    for (const auto& item : json.at("shared")) request.shared.push_back({item.at(0), item.at(1)});
    json.at("loopback").get_to(request.loopback);
    request.host_files = json.at("copied").get<bool>() ? HostFiles::copied : HostFiles::shared;
    request.privileged = json.at("privileged").get<bool>() ? PrivilegedContainers::allowed : PrivilegedContainers::refused;
    if (json.contains("container")) request.containers.container = container_from(json["container"]);
    for (const auto& item : json.at("services")) {
      request.containers.services.emplace_back(item.at(0).get<std::string>(), container_from(item.at(1)));
    }
    return request;
  });
}

json to_json(const ActionRequest& request) {
  return {{"schema", k_schema},
          {"name", request.name},
          {"image", request.image},
          {"entrypoint", optional_json(request.entrypoint)},
          {"args", request.args},
          {"environment", request.environment},
          {"directory", request.directory},
          {"mounts", request.mounts}};
}

Result<ActionRequest> action_request_from_json(const json& json) {
  return read_message<ActionRequest>(json, "action request", [&]() -> Result<ActionRequest> {
    ActionRequest request;
    json.at("name").get_to(request.name);
    json.at("image").get_to(request.image);
    request.entrypoint = optional_text(json.at("entrypoint"));
    json.at("args").get_to(request.args);
    json.at("environment").get_to(request.environment);
    json.at("directory").get_to(request.directory);
    json.at("mounts").get_to(request.mounts);
    return request;
  });
}

json to_json(const PodAnswer& answer) {
  auto services = json::array();
  for (const auto& [name, service] : answer.services) services.push_back({name, service.id, service.ports});
  return {{"schema", k_schema},
          {"network", answer.network},
          {"container", answer.container},
          {"environment", answer.environment},
          {"services", std::move(services)}};
}

Result<PodAnswer> pod_answer_from_json(const json& json) {
  return read_message<PodAnswer>(json, "container answer", [&]() -> Result<PodAnswer> {
    PodAnswer answer;
    json.at("network").get_to(answer.network);
    json.at("container").get_to(answer.container);
    json.at("environment").get_to(answer.environment);
    for (const auto& item : json.at("services")) {
      answer.services.emplace_back(
          item.at(0).get<std::string>(),
          PodAnswer::Service{item.at(1), item.at(2).get<std::map<std::string, std::string>>()});
    }
    return answer;
  });
}

json to_json(const Error& error) {
  return {{"code", static_cast<int>(error.code)}, {"message", error.message}, {"mend", error.mend}, {"context", error.context}};
}

Error error_from_json(const json& json) {
  Error error;
  error.code = static_cast<ErrorCode>(json.value("code", static_cast<int>(ErrorCode::internal)));
  error.message = json.value("message", "");
  error.mend = json.value("mend", "");
  error.context = json.value("context", std::vector<std::string>{});
  return error;
}

}  // namespace drydock::container
