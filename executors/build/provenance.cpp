#include "executors/build/provenance.h"

#include <nlohmann/json.hpp>

#include "executors/base/json.h"

namespace drydock::build {

namespace {

/// Package URL of an image: pkg:docker/library/node@22-slim?platform=linux%2Famd64.
std::string package_url(const std::string& reference, const std::string& digest, const Platform& platform) {
  std::string slash_free = platform.to_string();
  for (auto at = slash_free.find('/'); at != std::string::npos; at = slash_free.find('/', at)) {
    slash_free.replace(at, 1, "%2F");
  }
  return "pkg:docker/" + reference + "?digest=" + digest + "&platform=" + slash_free;
}

nlohmann::ordered_json digest_set(const oci::Digest& digest) { return {{"sha256", std::string(digest.hex())}}; }

nlohmann::ordered_json parameters(const ProvenanceFacts& facts, ProvenanceMode mode) {
  const auto& request = *facts.request;
  nlohmann::ordered_json arguments = nlohmann::ordered_json::object();
  if (!request.target.empty()) arguments["target"] = request.target;
  if (mode == ProvenanceMode::max) {
    for (const auto& [name, value] : request.build_args) arguments["build-arg:" + name] = value;
    for (const auto& [name, value] : request.labels) arguments["label:" + name] = value;
  }
  return {{"frontend", "dockerfile.v0"}, {"args", std::move(arguments)}};
}

}  // namespace

Result<ProvenanceMode> parse_provenance(const std::string& text) {
  if (text.empty() || text == "false" || text == "disabled=true") return ProvenanceMode::none;
  if (text == "true" || text == "min") return ProvenanceMode::min;
  if (text == "max") return ProvenanceMode::max;
  auto mode = ProvenanceMode::min;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    auto end = text.find(',', begin);
    if (end == std::string::npos) end = text.size();
    const auto field = text.substr(begin, end - begin);
    if (field == "mode=max") {
      mode = ProvenanceMode::max;
    } else if (field == "disabled=true") {
      return ProvenanceMode::none;
    } else if (field != "mode=min" && !field.starts_with("builder-id=") && !field.starts_with("inline-only=") &&
               field != "version=v0.2" && field != "disabled=false" && !field.empty()) {
      return make_error(ErrorCode::usage, "provenance: \"" + field + "\" is not known", "use mode=min, mode=max or false");
    }
    begin = end + 1;
  }
  return mode;
}

std::string provenance_statement(const ProvenanceFacts& facts, ProvenanceMode mode) {
  using Ordered = nlohmann::ordered_json;
  auto subjects = Ordered::array();
  for (const auto& name : facts.image_names) {
    subjects.push_back({{"name", package_url(name, facts.image.to_string(), facts.platform)},
                        {"digest", digest_set(facts.image)}});
  }
  if (subjects.empty()) subjects.push_back({{"name", "_"}, {"digest", digest_set(facts.image)}});
  auto materials = Ordered::array();
  for (const auto& [name, descriptor] : facts.materials) {
    const auto at = name.find('@');
    materials.push_back({{"uri", package_url(name.substr(0, at), descriptor.digest.to_string(), facts.platform)},
                         {"digest", digest_set(descriptor.digest)}});
  }
  Ordered environment{{"platform", facts.platform.to_string()}};
  Ordered predicate{
      {"builder", {{"id", "https://drydock.dev/build/v1"}}},
      {"buildType", "https://mobyproject.org/buildkit@v1"},
      {"materials", std::move(materials)},
      {"invocation",
       {{"configSource", {{"entryPoint", facts.dockerfile_name}}},
        {"parameters", parameters(facts, mode)},
        {"environment", std::move(environment)}}},
      {"metadata",
       {{"completeness", {{"parameters", mode == ProvenanceMode::max}, {"environment", true}, {"materials", false}}},
        {"reproducible", false}}},
  };
  if (mode == ProvenanceMode::max) {
    predicate["metadata"]["https://mobyproject.org/buildkit@v1#metadata"] = {
        {"source", {{"infos", {{{"filename", facts.dockerfile_name}, {"language", "Dockerfile"},
                                {"digest", oci::digest_of(facts.dockerfile_text).to_string()}}}}}}};
  }
  const Ordered statement{{"_type", "https://in-toto.io/Statement/v0.1"},
                          {"predicateType", k_provenance_type},
                          {"subject", std::move(subjects)},
                          {"predicate", std::move(predicate)}};
  return dump_json(statement, 2);
}

}  // namespace drydock::build
