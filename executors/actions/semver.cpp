#include "executors/actions/semver.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "executors/actions/text.h"

namespace drydock::actions {
namespace {

constexpr std::size_t k_longest = 256;
constexpr double k_safest = 9007199254740991.0;

bool digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c); });
}

bool number(std::string_view text, double& out) {
  if (!digits(text) || (text.size() > 1 && text[0] == '0')) return false;
  out = std::strtod(std::string(text).c_str(), nullptr);
  return out <= k_safest;
}

enum class LeadingZeros { refused, allowed };

bool identifiers(std::string_view text, LeadingZeros zeros, std::vector<std::string>& out) {
  for (auto& part : split(text, '.')) {
    const bool letters = std::all_of(part.begin(), part.end(), [](unsigned char c) { return std::isalnum(c) || c == '-'; });
    if (part.empty() || !letters) return false;
    if (zeros == LeadingZeros::refused && digits(part) && part.size() > 1 && part[0] == '0') return false;
    out.push_back(std::move(part));
  }
  return true;
}

}  // namespace

std::string SemanticVersion::version() const {
  const auto whole = [](double value) { return std::to_string(static_cast<long long>(value)); };
  const auto core = whole(major) + "." + whole(minor) + "." + whole(patch);
  return prerelease.empty() ? core : core + "-" + join(prerelease, ".");
}

std::optional<SemanticVersion> parse_semver(std::string_view text) {
  if (text.size() > k_longest) return std::nullopt;
  SemanticVersion out{.raw = std::string(text)};
  auto rest = trimmed(text);
  if (rest.starts_with('v')) rest.erase(0, 1);
  if (const auto plus = rest.find('+'); plus != std::string::npos) {
    if (!identifiers(std::string_view(rest).substr(plus + 1), LeadingZeros::allowed, out.build)) return std::nullopt;
    rest.erase(plus);
  }
  if (const auto dash = rest.find('-'); dash != std::string::npos) {
    if (!identifiers(std::string_view(rest).substr(dash + 1), LeadingZeros::refused, out.prerelease)) return std::nullopt;
    rest.erase(dash);
  }
  const auto core = split(rest, '.');
  if (core.size() != 3 || !number(core[0], out.major) || !number(core[1], out.minor) || !number(core[2], out.patch)) {
    return std::nullopt;
  }
  return out;
}

}  // namespace drydock::actions
