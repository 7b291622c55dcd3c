#include "executors/actions/metadata_rules.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "executors/actions/csv.h"
#include "executors/actions/text.h"
#include "executors/base/text.h"

namespace drydock::actions::metadata {
namespace {

Error usage(std::string text) { return make_error(ErrorCode::usage, std::move(text)); }

bool is_bool(const std::string& text) { return text == "true" || text == "false"; }

/// A field cut at every "=", trimmed: what lies behind a second one is lost, as in the original.
std::vector<std::string> pieces(const std::string& field) {
  auto parts = split(field, '=');
  for (auto& part : parts) part = trimmed(part);
  return parts;
}

struct TypeDefaults {
  const char* type;
  const char* priority;
  std::vector<std::string> required;
  std::vector<std::pair<std::string, std::string>> defaults;
};

const std::vector<TypeDefaults>& types() {
  static const std::vector<TypeDefaults> k_types{
      {"schedule", "1000", {}, {{"pattern", "nightly"}}},
      {"semver", "900", {"pattern"}, {{"value", ""}, {"match", ""}}},
      {"pep440", "900", {"pattern"}, {{"value", ""}, {"match", ""}}},
      {"match", "800", {"pattern"}, {{"group", "0"}, {"value", ""}}},
      {"edge", "700", {}, {{"branch", ""}}},
      {"ref", "600", {"event"}, {}},
      {"raw", "200", {"value"}, {}},
      {"sha", "100", {}, {{"prefix", "sha-"}, {"format", "short"}}}};
  return k_types;
}

/// As JavaScript's Number(): blank is 0, anything else that is no number is NaN.
double number_of(const std::string& text) {
  if (trimmed(text).empty()) return 0;
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  return end == text.c_str() + text.size() ? value : std::numeric_limits<double>::quiet_NaN();
}

Status check_values(const TagRule& tag, const std::string& entry) {
  if (tag.type == "match" && std::isnan(number_of(tag.at("group")))) return usage("Invalid match group for " + entry);
  if (tag.type == "ref") {
    const auto& event = tag.at("event");
    if (event != "branch" && event != "tag" && event != "pr") return usage("Invalid event for " + entry);
  }
  if (tag.type == "sha" && tag.at("format") != "short" && tag.at("format") != "long") return usage("Invalid format for " + entry);
  return {};
}

Result<TagRule> read_tag(const std::string& entry) {
  DRYDOCK_ASSIGN(const auto fields, first_record(entry));
  TagRule tag;
  for (const auto& field : fields) {
    const auto equals = field.find('=');
    if (equals == std::string::npos || equals == 0) {
      tag.attributes["value"] = trimmed(field);
      continue;
    }
    const auto key = lower(trimmed(field.substr(0, equals)));
    auto value = trimmed(field.substr(equals + 1));
    if (key != "type") {
      tag.attributes[key] = std::move(value);
      continue;
    }
    const auto& all = types();
    if (std::none_of(all.begin(), all.end(), [&](const auto& each) { return value == each.type; })) {
      return usage("Unknown tag type attribute: " + value);
    }
    tag.type = std::move(value);
  }
  if (tag.type.empty()) tag.type = "raw";
  const auto& all = types();
  const auto& type = *std::find_if(all.begin(), all.end(), [&](const auto& each) { return tag.type == each.type; });
  for (const auto& name : type.required) {
    if (!tag.has(name)) return usage("Missing " + name + " attribute for " + entry);
  }
  for (const auto& [name, value] : type.defaults) tag.attributes.emplace(name, value);
  if (tag.type == "ref" && tag.at("event") == "pr") tag.attributes.emplace("prefix", "pr-");
  DRYDOCK_TRY(check_values(tag, entry));
  tag.attributes.emplace("enable", "true");
  tag.attributes.emplace("priority", type.priority);
  return tag;
}

}  // namespace

std::string TagRule::to_string() const {
  auto out = "type=" + type;
  for (const auto& [key, value] : attributes) out += "," + key + "=" + value;
  return out;
}

Result<std::vector<ImageRule>> read_images(const std::vector<std::string>& entries) {
  std::vector<ImageRule> images;
  if (entries.size() == 1) {  // "name1,name2", the form of old
    DRYDOCK_ASSIGN(const auto fields, first_record(entries.front()));
    const bool old = std::all_of(fields.begin(), fields.end(), [](const auto& field) { return field.find('=') == std::string::npos; });
    for (const auto& field : fields) {
      if (old) images.push_back({trimmed(field)});
    }
    if (old) return images;
  }
  for (const auto& entry : entries) {
    ImageRule image;
    DRYDOCK_ASSIGN(const auto fields, first_record(entry));
    for (const auto& field : fields) {
      const auto parts = pieces(field);
      const auto key = parts.size() == 1 ? "name" : lower(parts[0]);
      const auto& value = parts.size() == 1 ? parts[0] : parts[1];
      if (key == "name") {
        image.name = value;
      } else if (key == "enable") {
        if (!is_bool(value)) return usage("Invalid enable attribute value: " + entry);
        image.enabled = value == "true";
      } else {
        return usage("Unknown image attribute: " + entry);
      }
    }
    if (image.name.empty()) return usage("Image name attribute empty: " + entry);
    images.push_back(std::move(image));
  }
  return images;
}

Result<std::vector<TagRule>> read_tags(const std::vector<std::string>& given) {
  static const std::vector<std::string> k_default{"type=schedule", "type=ref,event=branch", "type=ref,event=tag", "type=ref,event=pr"};
  std::vector<TagRule> tags;
  for (const auto& entry : given.empty() ? k_default : given) {
    DRYDOCK_ASSIGN(auto tag, read_tag(entry));
    // Put in behind those of at least its priority. A priority that is no number stays where it is.
    const auto priority = number_of(tag.at("priority"));
    auto place = tags.end();
    while (place != tags.begin() && number_of(std::prev(place)->at("priority")) < priority) --place;
    tags.insert(place, std::move(tag));
  }
  return tags;
}

Result<Flavor> read_flavor(const std::vector<std::string>& entries) {
  Flavor flavor;
  for (const auto& entry : entries) {
    DRYDOCK_ASSIGN(const auto fields, first_record(entry));
    bool* on_latest = nullptr;
    for (const auto& field : fields) {
      const auto parts = pieces(field);
      if (parts.size() == 1) return usage("Invalid flavor entry: " + entry);
      const auto key = lower(parts[0]);
      const auto& value = parts[1];
      if (key == "latest") {
        if (value != "auto" && !is_bool(value)) return usage("Invalid latest flavor entry: " + entry);
        flavor.latest = value;
      } else if (key == "prefix") {
        flavor.prefix = value;
        on_latest = &flavor.prefix_latest;
      } else if (key == "suffix") {
        flavor.suffix = value;
        on_latest = &flavor.suffix_latest;
      } else if (key == "onlatest") {
        if (!is_bool(value)) return usage("Invalid value for onlatest attribute: " + value);
        if (on_latest) *on_latest = value == "true";
      } else {
        return usage("Unknown flavor entry: " + entry);
      }
    }
  }
  return flavor;
}

}  // namespace drydock::actions::metadata
