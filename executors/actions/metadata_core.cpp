#include "executors/actions/metadata_core.h"

#include <algorithm>
#include <cctype>

#include "executors/actions/date_format.h"
#include "executors/actions/text.h"
#include "executors/base/text.h"

namespace drydock::actions::metadata {
namespace {

using Json = nlohmann::ordered_json;

std::vector<std::string> image_names(const std::vector<ImageRule>& images) {
  std::vector<std::string> names;
  for (const auto& image : images) {
    if (image.enabled) names.push_back(lower(image.name));
  }
  return names;
}

std::vector<std::string> tag_names(const Version& version, const Flavor& flavor) {
  std::vector<std::string> names;
  if (version.main.empty()) return names;
  names.push_back(version.main);
  names.insert(names.end(), version.partial.begin(), version.partial.end());
  if (version.latest) {
    names.push_back(sanitized_tag((flavor.prefix_latest ? flavor.prefix : "") + "latest" + (flavor.suffix_latest ? flavor.suffix : "")));
  }
  return names;
}

std::vector<std::string> full_tags(const std::vector<std::string>& images, const std::vector<std::string>& names) {
  if (images.empty()) return names;
  std::vector<std::string> tags;
  for (const auto& image : images) {
    for (const auto& name : names) tags.push_back(image + ":" + name);
  }
  return tags;
}

/// The image-spec's annotations with the user's over them, sorted by key.
class Labeller {
 public:
  Labeller(const Happening& happening, const RepositoryFacts& repository, const Version& version, handlebars::Object globals)
      : globals_(std::move(globals)) {
    const std::pair<const char*, std::string> k_own[] = {
        {"title", repository.name},      {"description", repository.description},       {"url", repository.url},
        {"source", repository.url},      {"version", version.main},                     {"created", iso_date(happening.now)},
        {"revision", happening.sha},     {"licenses", repository.license}};
    for (const auto& [key, value] : k_own) own_.emplace_back(std::string("org.opencontainers.image.") + key, value);
  }

  Result<std::vector<std::string>> with(const std::vector<std::string>& custom) const {
    auto pairs = own_;
    for (const auto& each : custom) {
      DRYDOCK_ASSIGN(const auto text, handlebars::render(each, globals_));
      const auto equals = text.find('=');
      if (equals == std::string::npos) continue;
      const auto key = text.substr(0, equals);
      const auto same = std::find_if(pairs.begin(), pairs.end(), [&](const auto& pair) { return pair.first == key; });
      if (same != pairs.end()) same->second = text.substr(equals + 1);
      if (same == pairs.end()) pairs.emplace_back(key, text.substr(equals + 1));
    }
    std::stable_sort(pairs.begin(), pairs.end(), [](const auto& a, const auto& b) { return locale_less(a.first, b.first); });
    std::vector<std::string> out;
    for (const auto& [key, value] : pairs) out.push_back(key + "=" + value);
    return out;
  }

 private:
  handlebars::Object globals_;
  std::vector<std::pair<std::string, std::string>> own_;
};

bool is_index(const std::string& key) {
  return !key.empty() && key.size() < 10 && key.find_first_not_of("0123456789") == std::string::npos && (key.size() == 1 || key[0] != '0');
}

/// As an object of JavaScript: keys that are numbers come first, in their order; a value ends with its first line.
Json label_object(const std::vector<std::string>& labels) {
  std::vector<std::pair<std::string, std::string>> numbers, names;
  for (const auto& label : labels) {
    const auto equals = label.find('=');
    auto value = label.substr(equals + 1);
    value.erase(std::min(value.find_first_of("\r\n"), value.size()));
    auto key = label.substr(0, equals);
    auto& list = is_index(key) ? numbers : names;
    list.emplace_back(std::move(key), std::move(value));
  }
  std::sort(numbers.begin(), numbers.end(), [](const auto& a, const auto& b) { return std::stoul(a.first) < std::stoul(b.first); });
  Json out = Json::object();
  for (const auto* list : {&numbers, &names}) {
    for (const auto& [key, value] : *list) out[key] = value;
  }
  return out;
}

std::vector<std::string> at_levels(const std::vector<std::string>& annotations, const std::vector<std::string>& levels) {
  std::vector<std::string> out;
  for (const auto& level : levels) {
    for (const auto& each : annotations) out.push_back(level + ":" + each);
  }
  return out;
}

Json bake_file(const std::string& target, Json content) {
  Json file = Json::object();
  file["target"][target] = std::move(content);
  return file;
}

}  // namespace

bool locale_less(const std::string& a, const std::string& b) {
  // The root collation's order of ASCII; letters and digits follow.
  static const std::string k_punctuation = "_-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$";
  const auto primary = [](char c) -> int {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == '\t' || byte == '\n' || byte == '\r') return byte;
    if (c == ' ') return 32;
    if (const auto at = k_punctuation.find(c); at != std::string::npos) return 40 + static_cast<int>(at);
    if (std::isdigit(byte)) return 100 + c - '0';
    if (std::isalpha(byte)) return 200 + std::tolower(byte) - 'a';
    return 300 + byte;
  };
  const auto count = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < count; ++i) {
    if (primary(a[i]) != primary(b[i])) return primary(a[i]) < primary(b[i]);
  }
  if (a.size() != b.size()) return a.size() < b.size();
  for (std::size_t i = 0; i < count; ++i) {
    if (a[i] != b[i]) return std::islower(static_cast<unsigned char>(a[i])) != 0;
  }
  return false;
}

Result<Outcome> compute(const Inputs& inputs, const Happening& happening, const RepositoryFacts& repository) {
  Outcome out;
  DRYDOCK_ASSIGN(const auto images, read_images(inputs.images));
  DRYDOCK_ASSIGN(const auto rules, read_tags(inputs.tags));
  DRYDOCK_ASSIGN(const auto flavor, read_flavor(inputs.flavor));
  DRYDOCK_ASSIGN(out.version, find_version(rules, flavor, happening, repository, inputs.short_sha_length, out.warnings));
  if (out.version.main.empty()) out.warnings.push_back("No Docker image version has been generated. Check tags input.");
  const auto names = image_names(images);
  out.tag_names = tag_names(out.version, flavor);
  out.tags = full_tags(names, out.tag_names);
  if (out.tags.empty()) out.warnings.push_back("No Docker tag has been generated. Check tags input.");

  const Labeller labeller(happening, repository, out.version, expressions(happening, inputs.short_sha_length, out.warnings));
  DRYDOCK_ASSIGN(out.labels, labeller.with(inputs.labels));
  DRYDOCK_ASSIGN(const auto annotations, labeller.with(inputs.annotations));
  out.annotations = at_levels(annotations, inputs.annotation_levels);
  const auto labels = label_object(out.labels);

  Json args = Json::object();
  args["DOCKER_META_IMAGES"] = join(names, ",");
  if (!out.version.main.empty()) args["DOCKER_META_VERSION"] = out.version.main;
  out.json = {{"tags", out.tags}, {"tag-names", out.tag_names}, {"labels", labels}, {"annotations", out.annotations}};
  out.bake_tags = bake_file(inputs.bake_target, {{"tags", out.tags}, {"args", args}});
  out.bake_labels = bake_file(inputs.bake_target, {{"labels", labels}});
  out.bake_annotations = bake_file(inputs.bake_target, {{"annotations", out.annotations}});
  out.bake = bake_file(inputs.bake_target, {{"tags", out.tags}, {"labels", labels}, {"args", args}});
  return out;
}

}  // namespace drydock::actions::metadata
