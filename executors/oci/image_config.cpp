#include "executors/oci/image.h"

namespace drydock::oci {
namespace {

using Strings = std::vector<std::string>;

/// Takes fields out of an object one by one; what is left at the end is `extra`.
class Fields {
 public:
  Fields(Json json, std::string what) : json_(std::move(json)), what_(std::move(what)) {}

  template <class T>
  Status take(const char* key, T& target) {
    DRYDOCK_ASSIGN(auto value, json_find<T>(json_, key, what_));
    if (value) target = std::move(*value);
    json_.erase(key);
    return {};
  }

  /// {"a": {}, "b": {}} is the set {a, b}.
  Status take_set(const char* key, std::set<std::string>& target) {
    const auto found = json_.find(key);
    if (found == json_.end()) return {};
    if (!found->is_object() && !found->is_null()) return wrong(key, "an object");
    for (const auto& entry : found->items()) target.insert(entry.key());
    json_.erase(key);
    return {};
  }

  Status take_map(const char* key, std::map<std::string, std::string>& target) {
    const auto found = json_.find(key);
    if (found == json_.end()) return {};
    if (!found->is_object() && !found->is_null()) return wrong(key, "an object of strings");
    for (const auto& entry : found->items()) {
      if (!entry.value().is_string()) return wrong(key, "an object of strings");
      target[entry.key()] = entry.value().get<std::string>();
    }
    json_.erase(key);
    return {};
  }

  Json take_json(const char* key) {
    const auto found = json_.find(key);
    if (found == json_.end()) return nullptr;
    Json value = std::move(*found);
    json_.erase(key);
    return value;
  }

  Error wrong(const char* key, const char* expected) const {
    return make_error(ErrorCode::invalid_input, what_ + ": \"" + key + "\" must be " + expected);
  }

  Json rest() { return std::move(json_); }

 private:
  Json json_;
  std::string what_;
};

Result<Healthcheck> healthcheck_from(const Json& json, std::string_view what) {
  Fields fields(json, std::string(what) + ": Healthcheck");
  Healthcheck check;
  DRYDOCK_TRY(fields.take("Test", check.test));
  DRYDOCK_TRY(fields.take("Interval", check.interval));
  DRYDOCK_TRY(fields.take("Timeout", check.timeout));
  DRYDOCK_TRY(fields.take("StartPeriod", check.start_period));
  DRYDOCK_TRY(fields.take("StartInterval", check.start_interval));
  DRYDOCK_TRY(fields.take("Retries", check.retries));
  return check;
}

Result<ContainerConfig> container_config_from(Json json, std::string_view what) {
  ContainerConfig config;
  if (json.is_null()) return config;
  Fields fields(std::move(json), std::string(what) + ": config");
  DRYDOCK_TRY(fields.take("User", config.user));
  DRYDOCK_TRY(fields.take_set("ExposedPorts", config.exposed_ports));
  DRYDOCK_TRY(fields.take("Env", config.env));
  DRYDOCK_TRY(fields.take("Entrypoint", config.entrypoint));
  DRYDOCK_TRY(fields.take("Cmd", config.cmd));
  DRYDOCK_TRY(fields.take_set("Volumes", config.volumes));
  DRYDOCK_TRY(fields.take("WorkingDir", config.working_dir));
  DRYDOCK_TRY(fields.take_map("Labels", config.labels));
  DRYDOCK_TRY(fields.take("StopSignal", config.stop_signal));
  DRYDOCK_TRY(fields.take("ArgsEscaped", config.args_escaped));
  if (const auto check = fields.take_json("Healthcheck"); check.is_object()) {
    DRYDOCK_ASSIGN(config.healthcheck, healthcheck_from(check, what));
  }
  DRYDOCK_TRY(fields.take("OnBuild", config.on_build));
  std::int64_t stop_timeout = -1;
  DRYDOCK_TRY(fields.take("StopTimeout", stop_timeout));
  if (stop_timeout >= 0) config.stop_timeout = stop_timeout;
  DRYDOCK_TRY(fields.take("Shell", config.shell));
  config.extra = fields.rest();
  return config;
}

Result<std::vector<History>> history_from(const Json& json, const std::string& what) {
  std::vector<History> list;
  if (json.is_null()) return list;
  if (!json.is_array()) return make_error(ErrorCode::invalid_input, what + ": \"history\" must be a list");
  for (const auto& entry : json) {
    History history;
    Fields fields(entry, what + ": history");
    DRYDOCK_TRY(fields.take("created", history.created));
    DRYDOCK_TRY(fields.take("created_by", history.created_by));
    DRYDOCK_TRY(fields.take("author", history.author));
    DRYDOCK_TRY(fields.take("comment", history.comment));
    DRYDOCK_TRY(fields.take("empty_layer", history.empty_layer));
    list.push_back(std::move(history));
  }
  return list;
}

Result<std::vector<Digest>> diff_ids_from(const Json& rootfs, const std::string& what) {
  std::vector<Digest> list;
  if (rootfs.is_null()) return list;
  DRYDOCK_ASSIGN(const auto texts, json_find<Strings>(rootfs, "diff_ids", what + ": rootfs"));
  for (const auto& text : texts.value_or(Strings())) {
    auto digest = Digest::parse(text);
    if (!digest.ok()) return std::move(digest).error().while_("reading the rootfs of " + what);
    list.push_back(std::move(*digest));
  }
  return list;
}

OrderedJson set_json(const std::set<std::string>& names) {
  auto json = OrderedJson::object();
  for (const auto& name : names) json[name] = OrderedJson::object();
  return json;
}

OrderedJson to_json(const Healthcheck& check) {
  auto json = OrderedJson::object();
  if (!check.test.empty()) json["Test"] = check.test;
  if (check.interval) json["Interval"] = check.interval;
  if (check.timeout) json["Timeout"] = check.timeout;
  if (check.start_period) json["StartPeriod"] = check.start_period;
  if (check.start_interval) json["StartInterval"] = check.start_interval;
  if (check.retries) json["Retries"] = check.retries;
  return json;
}

void add_extra(OrderedJson& json, const Json& extra) {
  for (const auto& [key, value] : extra.items()) {
    if (!json.contains(key)) json[key] = OrderedJson::parse(value.dump());
  }
}

OrderedJson to_json(const ContainerConfig& config) {
  auto json = OrderedJson::object();
  if (!config.user.empty()) json["User"] = config.user;
  if (!config.exposed_ports.empty()) json["ExposedPorts"] = set_json(config.exposed_ports);
  if (!config.env.empty()) json["Env"] = config.env;
  if (!config.entrypoint.empty()) json["Entrypoint"] = config.entrypoint;
  if (!config.cmd.empty()) json["Cmd"] = config.cmd;
  if (!config.volumes.empty()) json["Volumes"] = set_json(config.volumes);
  if (!config.working_dir.empty()) json["WorkingDir"] = config.working_dir;
  if (!config.labels.empty()) json["Labels"] = config.labels;
  if (!config.stop_signal.empty()) json["StopSignal"] = config.stop_signal;
  if (config.args_escaped) json["ArgsEscaped"] = true;
  if (config.healthcheck) json["Healthcheck"] = to_json(*config.healthcheck);
  if (!config.on_build.empty()) json["OnBuild"] = config.on_build;
  if (config.stop_timeout) json["StopTimeout"] = *config.stop_timeout;
  if (!config.shell.empty()) json["Shell"] = config.shell;
  add_extra(json, config.extra);
  return json;
}

OrderedJson to_json(const History& history) {
  auto json = OrderedJson::object();
  if (!history.created.empty()) json["created"] = history.created;
  if (!history.created_by.empty()) json["created_by"] = history.created_by;
  if (!history.author.empty()) json["author"] = history.author;
  if (!history.comment.empty()) json["comment"] = history.comment;
  if (history.empty_layer) json["empty_layer"] = true;
  return json;
}

}  // namespace

Result<ImageConfig> parse_image_config(std::string_view text, std::string_view what) {
  DRYDOCK_ASSIGN(auto json, parse_json(text, what));
  if (!json.is_object())
    return make_error(ErrorCode::invalid_input, std::string(what) + ": expected an object");
  const std::string name(what);
  Fields fields(std::move(json), name);
  ImageConfig config;
  config.platform.os.clear();
  DRYDOCK_TRY(fields.take("created", config.created));
  DRYDOCK_TRY(fields.take("author", config.author));
  DRYDOCK_TRY(fields.take("architecture", config.platform.architecture));
  DRYDOCK_TRY(fields.take("os", config.platform.os));
  DRYDOCK_TRY(fields.take("variant", config.platform.variant));
  DRYDOCK_TRY(fields.take("os.version", config.platform.os_version));
  DRYDOCK_TRY(fields.take("os.features", config.os_features));
  DRYDOCK_ASSIGN(config.config, container_config_from(fields.take_json("config"), what));
  DRYDOCK_ASSIGN(config.diff_ids, diff_ids_from(fields.take_json("rootfs"), name));
  DRYDOCK_ASSIGN(config.history, history_from(fields.take_json("history"), name));
  config.extra = fields.rest();
  return config;
}

std::string serialize(const ImageConfig& config) {
  // The top level is sorted by key, as BuildKit writes it.
  std::map<std::string, OrderedJson> sorted;
  for (const auto& [key, value] : config.extra.items()) sorted[key] = OrderedJson::parse(value.dump());
  sorted["architecture"] = config.platform.architecture;
  sorted["os"] = config.platform.os;
  if (!config.platform.variant.empty()) sorted["variant"] = config.platform.variant;
  if (!config.platform.os_version.empty()) sorted["os.version"] = config.platform.os_version;
  if (!config.os_features.empty()) sorted["os.features"] = config.os_features;
  if (!config.created.empty()) sorted["created"] = config.created;
  if (!config.author.empty()) sorted["author"] = config.author;
  sorted["config"] = to_json(config.config);
  OrderedJson rootfs;
  rootfs["type"] = "layers";
  rootfs["diff_ids"] = OrderedJson::array();
  for (const auto& id : config.diff_ids) rootfs["diff_ids"].push_back(id.to_string());
  sorted["rootfs"] = std::move(rootfs);
  if (!config.history.empty()) {
    auto history = OrderedJson::array();
    for (const auto& entry : config.history) history.push_back(to_json(entry));
    sorted["history"] = std::move(history);
  }
  auto json = OrderedJson::object();
  for (auto& [key, value] : sorted) json[key] = std::move(value);
  return dump_json(json);
}

}  // namespace drydock::oci
