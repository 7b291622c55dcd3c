#include "executors/build/build_service.h"

#include <nlohmann/json.hpp>

#include <charconv>

namespace drydock::build {

namespace {

constexpr int k_request_schema = 1;

/// Secrets are bytes, which a JSON text is not.
std::string to_hex(std::string_view bytes) {
  constexpr char k_digits[] = "0123456789abcdef";
  std::string hex;
  for (const unsigned char byte : bytes) {
    hex += k_digits[byte >> 4];
    hex += k_digits[byte & 15];
  }
  return hex;
}

Result<std::string> from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    unsigned char byte = 0;
    const auto pair = hex.substr(i, 2);
    const auto read = std::from_chars(pair.data(), pair.data() + pair.size(), byte, 16);
    if (pair.size() != 2 || read.ec != std::errc{} || read.ptr != pair.data() + 2) {
      return make_error(ErrorCode::invalid_input, "build request: a secret is not in hexadecimal");
    }
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

/// Splits one CSV record (RFC 4180 quoting), which is how buildx reads these flags.
Result<std::vector<std::string>> split_csv(const std::string& text) {
  std::vector<std::string> fields;
  std::string field;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c != '"') {
        field += c;
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        field += '"';
        ++i;
      } else {
        quoted = false;
      }
    } else if (c == '"') {
      quoted = true;
    } else if (c == ',') {
      fields.push_back(std::move(field));
      field.clear();
    } else {
      field += c;
    }
  }
  if (quoted) return make_error(ErrorCode::usage, "unterminated quote in \"" + text + "\"");
  fields.push_back(std::move(field));
  return fields;
}

struct TypedFields {
  std::string type;
  std::map<std::string, std::string> attributes;
};

Result<TypedFields> parse_fields(const std::string& text, const char* flag) {
  DRYDOCK_ASSIGN(const auto fields, split_csv(text));
  TypedFields parsed;
  for (const auto& field : fields) {
    const auto equals = field.find('=');
    if (equals == std::string::npos) {
      return make_error(ErrorCode::usage, std::string(flag) + ": \"" + field + "\" is not key=value in \"" + text + "\"",
                        "write it as type=…,key=value");
    }
    const auto key = field.substr(0, equals);
    if (key == "type") {
      parsed.type = field.substr(equals + 1);
    } else {
      parsed.attributes[key] = field.substr(equals + 1);
    }
  }
  if (parsed.type.empty()) return make_error(ErrorCode::usage, std::string(flag) + ": no type= in \"" + text + "\"");
  return parsed;
}

template <class Spec>
nlohmann::json specs_to_json(const std::vector<Spec>& specs) {
  auto list = nlohmann::json::array();
  for (const auto& spec : specs) list.push_back({{"type", spec.type}, {"attributes", spec.attributes}});
  return list;
}

template <class Spec>
std::vector<Spec> specs_from_json(const nlohmann::json& list) {
  std::vector<Spec> specs;
  for (const auto& item : list) {
    specs.push_back({item.at("type").get<std::string>(),
                     item.at("attributes").get<std::map<std::string, std::string>>()});
  }
  return specs;
}

}  // namespace

Result<CacheSpec> parse_cache_spec(const std::string& text) {
  if (text.find('=') == std::string::npos) {
    return CacheSpec{"registry", {{"ref", text}}};
  }
  DRYDOCK_ASSIGN(auto parsed, parse_fields(text, "cache"));
  return CacheSpec{std::move(parsed.type), std::move(parsed.attributes)};
}

Result<OutputSpec> parse_output_spec(const std::string& text) {
  if (text == "-") return OutputSpec{"tar", {{"dest", "-"}}};
  if (text.find('=') == std::string::npos) return OutputSpec{"local", {{"dest", text}}};
  DRYDOCK_ASSIGN(auto parsed, parse_fields(text, "output"));
  if (parsed.type == "registry") {
    parsed.type = "image";
    parsed.attributes["push"] = "true";
  }
  return OutputSpec{std::move(parsed.type), std::move(parsed.attributes)};
}

nlohmann::json to_json(const BuildRequest& r) {
  auto platforms = nlohmann::json::array();
  for (const auto& platform : r.platforms) platforms.push_back(platform.to_string());
  auto secrets = nlohmann::json::array();
  for (const auto& secret : r.secrets) secrets.push_back({{"id", secret.id}, {"hex", to_hex(secret.value)}});
  nlohmann::json json{
      {"schema", k_request_schema},
      {"context", r.context.source},
      {"dockerfile", r.dockerfile},
      {"named_contexts", r.named_contexts},
      {"target", r.target},
      {"platforms", platforms},
      {"build_args", r.build_args},
      {"labels", r.labels},
      {"annotations", r.annotations},
      {"tags", r.tags},
      {"cache_from", specs_to_json(r.cache_from)},
      {"cache_to", specs_to_json(r.cache_to)},
      {"outputs", specs_to_json(r.outputs)},
      {"push", r.push},
      {"load", r.load},
      {"no_cache", r.no_cache},
      {"no_cache_filters", r.no_cache_filters},
      {"pull", r.pull},
      {"secrets", secrets},
      {"ssh", r.ssh},
      {"network", r.network},
      {"add_hosts", r.add_hosts},
      {"allow", r.allow},
      {"ulimits", r.ulimits},
      {"shm_size", r.shm_size},
      {"provenance", r.provenance},
      {"sbom", r.sbom},
      {"docker_config_dir", r.docker_config_dir},
      {"job", r.job},
      {"step", r.step},
      {"check_only", r.check_only},
  };
  if (r.dockerfile_inline) json["dockerfile_inline"] = *r.dockerfile_inline;
  return json;
}

Result<BuildRequest> build_request_from_json(const nlohmann::json& json) {
  try {
    if (json.at("schema").get<int>() != k_request_schema) {
      return make_error(ErrorCode::unsupported, "build request of schema " + json.at("schema").dump() +
                                                    "; this program knows schema " + std::to_string(k_request_schema));
    }
    BuildRequest r;
    r.context.source = json.at("context");
    r.dockerfile = json.at("dockerfile");
    if (json.contains("dockerfile_inline")) r.dockerfile_inline = json["dockerfile_inline"].get<std::string>();
    json.at("named_contexts").get_to(r.named_contexts);
    r.target = json.at("target");
    for (const auto& text : json.at("platforms")) {
      DRYDOCK_ASSIGN(auto platform, parse_platform(text.get<std::string>()));
      r.platforms.push_back(std::move(platform));
    }
    json.at("build_args").get_to(r.build_args);
    json.at("labels").get_to(r.labels);
    json.at("annotations").get_to(r.annotations);
    json.at("tags").get_to(r.tags);
    r.cache_from = specs_from_json<CacheSpec>(json.at("cache_from"));
    r.cache_to = specs_from_json<CacheSpec>(json.at("cache_to"));
    r.outputs = specs_from_json<OutputSpec>(json.at("outputs"));
    r.push = json.at("push");
    r.load = json.at("load");
    r.no_cache = json.at("no_cache");
    json.at("no_cache_filters").get_to(r.no_cache_filters);
    r.pull = json.at("pull");
    for (const auto& item : json.at("secrets")) {
      DRYDOCK_ASSIGN(auto value, from_hex(item.at("hex").get<std::string>()));
      r.secrets.push_back({item.at("id"), std::move(value)});
    }
    json.at("ssh").get_to(r.ssh);
    r.network = json.at("network");
    json.at("add_hosts").get_to(r.add_hosts);
    json.at("allow").get_to(r.allow);
    json.at("ulimits").get_to(r.ulimits);
    r.shm_size = json.at("shm_size");
    r.provenance = json.at("provenance");
    r.sbom = json.at("sbom");
    r.docker_config_dir = json.at("docker_config_dir");
    r.job = json.at("job");
    r.step = json.at("step");
    r.check_only = json.at("check_only");
    return r;
  } catch (const nlohmann::json::exception& e) {
    return make_error(ErrorCode::invalid_input, std::string("build request: ") + e.what());
  }
}

nlohmann::json BuildResult::metadata() const {
  nlohmann::json json{{"containerimage.digest", digest},
                      {"containerimage.descriptor", {{"mediaType", media_type}, {"digest", digest}, {"size", size}}}};
  if (legs.size() == 1) json["containerimage.config.digest"] = legs.front().config_digest;
  if (!published.empty()) {
    std::string names;
    for (const auto& name : published) names += (names.empty() ? "" : ",") + name;
    json["image.name"] = names;
  }
  return json;
}

nlohmann::json to_json(const BuildResult& result) {
  auto legs = nlohmann::json::array();
  for (const auto& leg : result.legs) {
    legs.push_back({{"platform", leg.platform.to_string()},
                    {"manifest_digest", leg.manifest_digest},
                    {"config_digest", leg.config_digest},
                    {"manifest_size", leg.manifest_size},
                    {"execution", static_cast<int>(leg.execution)},
                    {"steps_run", leg.steps_run},
                    {"steps_cached", leg.steps_cached}});
  }
  return {{"schema", k_request_schema},         {"digest", result.digest}, {"image_id", result.image_id},
          {"legs", legs},               {"published", result.published},
          {"media_type", result.media_type}, {"size", result.size}};
}

Result<BuildResult> build_result_from_json(const nlohmann::json& json) {
  try {
    if (json.at("schema").get<int>() != k_request_schema) {
      return make_error(ErrorCode::unsupported, "build result of an unknown schema " + json.at("schema").dump());
    }
    BuildResult result;
    result.digest = json.at("digest");
    result.image_id = json.at("image_id");
    result.media_type = json.at("media_type");
    result.size = json.at("size");
    json.at("published").get_to(result.published);
    for (const auto& item : json.at("legs")) {
      LegResult leg;
      DRYDOCK_ASSIGN(leg.platform, parse_platform(item.at("platform").get<std::string>()));
      leg.manifest_digest = item.at("manifest_digest");
      leg.config_digest = item.at("config_digest");
      leg.manifest_size = item.at("manifest_size");
      leg.execution = static_cast<Execution>(item.at("execution").get<int>());
      leg.steps_run = item.at("steps_run");
      leg.steps_cached = item.at("steps_cached");
      result.legs.push_back(std::move(leg));
    }
    return result;
  } catch (const nlohmann::json::exception& e) {
    return make_error(ErrorCode::invalid_input, std::string("build result: ") + e.what());
  }
}

}  // namespace drydock::build
