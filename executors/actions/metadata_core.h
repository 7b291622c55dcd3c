#pragma once
// docker/metadata-action's work: inputs, an event and the time in; versions, tags, labels and annotations out.
// Pure, but for the tables of time zones.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "executors/actions/handlebars.h"
#include "executors/actions/metadata_rules.h"
#include "executors/base/result.h"

namespace drydock::actions::metadata {

struct Inputs {
  std::vector<std::string> images, tags, flavor, labels, annotations;
  std::string bake_target = "docker-metadata-action";
  std::vector<std::string> annotation_levels{"manifest"};
  std::string short_sha_length;  // text of the variable; 7 when empty
};

struct Happening {
  std::string event_name, ref, sha;
  nlohmann::json payload;
  std::int64_t now = 0, commit_date = 0;  // milliseconds since 1970
};

struct RepositoryFacts {
  std::string name, description, url, license, default_branch;
};

struct Version {
  std::string main;
  std::vector<std::string> partial;
  bool latest = false;
};

struct Outcome {
  Version version;
  std::vector<std::string> tags, tag_names;
  std::vector<std::string> labels, annotations;  // "key=value"; annotations with their levels
  nlohmann::ordered_json json;
  nlohmann::ordered_json bake_tags, bake_labels, bake_annotations, bake;
  std::vector<std::string> warnings;
};

/// usage: an input is wrong, or a template or expression in it.
Result<Outcome> compute(const Inputs& inputs, const Happening& happening, const RepositoryFacts& repository);

/// Which templates of tags, prefixes and labels may name: branch, tag, sha, date, ….
handlebars::Object expressions(const Happening& happening, const std::string& short_sha_length, std::vector<std::string>& warnings);
Result<std::string> short_sha(const std::string& sha, const std::string& length);

/// The tags' rules applied in order.
Result<Version> find_version(const std::vector<TagRule>& tags, const Flavor& flavor, const Happening& happening,
                             const RepositoryFacts& repository, const std::string& short_sha_length,
                             std::vector<std::string>& warnings);

std::string sanitized_tag(const std::string& tag);

/// How JavaScript's localeCompare orders ASCII: punctuation, digits, letters without case, then lower before upper.
bool locale_less(const std::string& a, const std::string& b);

}  // namespace drydock::actions::metadata
