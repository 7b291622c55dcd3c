#pragma once
// Semantic versions (semver.org 2.0.0), read as strictly as node-semver does. Pure.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::actions {

struct SemanticVersion {
  std::string raw;
  double major = 0, minor = 0, patch = 0;
  std::vector<std::string> prerelease, build;

  std::string version() const;  // without "v" and build
};

/// Nothing when it is none: "1.2", "1.02.3", a number beyond 2^53-1. A "v" may stand before.
std::optional<SemanticVersion> parse_semver(std::string_view text);

}  // namespace drydock::actions
