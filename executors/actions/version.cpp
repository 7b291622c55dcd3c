#include "executors/actions/version.h"

#include <charconv>
#include <string>

namespace drydock::actions {

std::optional<int> major_of(std::string_view version) {
  // A commit may begin with digits too.
  const bool commit = version.size() == 40 && version.find_first_not_of("0123456789abcdefABCDEF") == version.npos;
  if (commit) return std::nullopt;
  if (version.starts_with('v')) version.remove_prefix(1);
  int major = 0;
  const auto [end, error] = std::from_chars(version.data(), version.data() + version.size(), major);
  if (error != std::errc{}) return std::nullopt;
  if (end != version.data() + version.size() && *end != '.') return std::nullopt;
  return major;
}

Status serves_majors(std::string_view action, std::string_view version, Majors majors) {
  const auto major = major_of(version);
  if (!major || (*major >= majors.oldest && *major <= majors.newest)) return {};
  const auto range = "v" + std::to_string(majors.oldest) + " to v" + std::to_string(majors.newest);
  return make_error(ErrorCode::unsupported,
                    std::string(action) + "@" + std::string(version) + " is not among the versions with a native form",
                    "use " + range);
}

std::string_view version_of(std::string_view uses) {
  const auto at = uses.rfind('@');
  return at == std::string_view::npos ? std::string_view() : uses.substr(at + 1);
}

}  // namespace drydock::actions
