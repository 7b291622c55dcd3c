#pragma once
// The inputs images, tags and flavor of docker/metadata-action, read. Pure.

#include <map>
#include <string>
#include <vector>

#include "executors/base/result.h"

namespace drydock::actions::metadata {

struct ImageRule {
  std::string name;
  bool enabled = true;
};

struct TagRule {
  std::string type;  // schedule, semver, pep440, match, edge, ref, raw, sha
  std::map<std::string, std::string> attributes;

  bool has(const std::string& key) const { return attributes.count(key) != 0; }
  const std::string& at(const std::string& key) const { return attributes.at(key); }
  std::string to_string() const;
};

struct Flavor {
  std::string latest = "auto";  // auto, true, false
  std::string prefix, suffix;
  bool prefix_latest = false, suffix_latest = false;
};

// usage, naming the entry.
Result<std::vector<ImageRule>> read_images(const std::vector<std::string>& entries);
/// With the defaults of each type filled in, the highest priority first; without entries the original's default ones.
Result<std::vector<TagRule>> read_tags(const std::vector<std::string>& entries);
Result<Flavor> read_flavor(const std::vector<std::string>& entries);

}  // namespace drydock::actions::metadata
