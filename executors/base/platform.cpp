#include "executors/base/platform.h"

#include "executors/base/text.h"

#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace drydock {
namespace {

bool is_component(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '_' || c == '.' || c == '-';
  });
}

constexpr std::array k_systems = {"linux",   "windows", "darwin",  "freebsd",  "netbsd",
                                  "openbsd", "android", "solaris", "illumos",  "aix",
                                  "js",      "wasip1",  "plan9",   "dragonfly"};
constexpr std::array k_architectures = {"386",     "amd64",   "arm",    "arm64",    "loong64",
                                        "mips",    "mipsle",  "mips64", "mips64le", "ppc64",
                                        "ppc64le", "riscv64", "s390x",  "wasm"};

template <class Names>
bool is_one_of(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// 5 to 8 for "v5" … "v8", 0 for anything else.
int arm_level(std::string_view variant) {
  if (variant.size() == 2 && variant[0] == 'v' && variant[1] >= '5' && variant[1] <= '8')
    return variant[1] - '0';
  return 0;
}

/// 1 for "" and "v1", 2 to 4 for "v2" … "v4", 0 for anything else.
int amd64_level(std::string_view variant) {
  if (variant.empty()) return 1;
  if (variant.size() == 2 && variant[0] == 'v' && variant[1] >= '1' && variant[1] <= '4')
    return variant[1] - '0';
  return 0;
}

Error bad_platform(std::string_view text, const std::string& why) {
  return make_error(ErrorCode::usage, "platform \"" + std::string(text) + "\": " + why,
                    "write OS/ARCH or OS/ARCH/VARIANT, such as linux/amd64, linux/arm64 or linux/arm/v7");
}

}  // namespace

std::string Platform::to_string() const {
  std::string text = os + "/" + architecture;
  if (!variant.empty()) text += "/" + variant;
  return text;
}

Platform normalized(Platform platform) {
  platform.os = lower(platform.os);
  if (platform.os == "macos") platform.os = "darwin";
  auto& arch = platform.architecture;
  auto& variant = platform.variant;
  arch = lower(arch);
  variant = lower(variant);
  if (arch == "i386" || arch == "i486" || arch == "i586" || arch == "i686") {
    arch = "386";
    variant.clear();
  } else if (arch == "x86_64" || arch == "x86-64") {
    arch = "amd64";
  } else if (arch == "aarch64") {
    arch = "arm64";
  } else if (arch == "armhf" || arch == "armv7l" || arch == "armv7") {
    arch = "arm";
    if (variant.empty()) variant = "v7";
  } else if (arch == "armel" || arch == "armv6l" || arch == "armv6") {
    arch = "arm";
    if (variant.empty()) variant = "v6";
  }
  if (variant == "5" || variant == "6" || variant == "7" || variant == "8") variant = "v" + variant;
  if (arch == "amd64" && variant == "v1") variant.clear();
  if (arch == "arm" && variant == "v8") {
    arch = "arm64";
    variant.clear();
  }
  if (arch == "arm64" && variant == "v8") variant.clear();
  if (arch == "arm" && variant.empty()) variant = "v7";
  return platform;
}

Result<Platform> parse_platform(std::string_view text) {
  std::vector<std::string> parts;
  std::string_view rest = text;
  for (;;) {
    const auto slash = rest.find('/');
    parts.emplace_back(rest.substr(0, slash));
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  if (parts.size() > 3) return bad_platform(text, "more than three parts");
  for (const auto& part : parts) {
    if (!is_component(part))
      return bad_platform(text, part.empty() ? "a part is empty" : "not a valid name: " + part);
  }
  Platform platform;
  if (parts.size() == 1) {
    platform.architecture = parts[0];
    platform = normalized(platform);
    if (is_one_of(k_architectures, platform.architecture)) return platform;
    if (is_one_of(k_systems, lower(parts[0]))) {
      const auto host = host_platform();
      return normalized({lower(parts[0]), host.architecture, host.variant, {}});
    }
    return bad_platform(text, "neither an operating system nor an architecture is called so");
  }
  platform.os = parts[0];
  platform.architecture = parts[1];
  if (parts.size() == 3) platform.variant = parts[2];
  return normalized(platform);
}

Result<std::vector<Platform>> parse_platforms(std::string_view text) {
  std::vector<Platform> platforms;
  while (!text.empty()) {
    const auto end = text.find_first_of(",\n");
    auto item = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const auto first = item.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) continue;
    item = item.substr(first, item.find_last_not_of(" \t\r") - first + 1);
    DRYDOCK_ASSIGN(auto platform, parse_platform(item));
    if (std::find(platforms.begin(), platforms.end(), platform) == platforms.end())
      platforms.push_back(platform);
  }
  return platforms;
}

Platform host_platform() {
  utsname name{};
  ::uname(&name);
  // A 32-bit process may run below a 64-bit kernel: what this program was compiled for decides.
#if defined(__x86_64__)
  return normalized({"linux", "amd64", "", ""});
#elif defined(__aarch64__)
  return normalized({"linux", "arm64", "", ""});
#else
  return normalized({"linux", name.machine, "", ""});
#endif
}

bool runs_natively(const Platform& wanted_raw, const Platform& host_raw) {
  const auto wanted = normalized(wanted_raw);
  const auto host = normalized(host_raw);
  if (wanted.os != host.os) return false;
  if (host.architecture == "amd64") {
    if (wanted.architecture == "386") return true;
    return wanted.architecture == "amd64" && amd64_level(wanted.variant) > 0 &&
           amd64_level(wanted.variant) <= amd64_level(host.variant);
  }
  if (wanted.architecture == "arm" && host.architecture == "arm") {
    return arm_level(wanted.variant) > 0 && arm_level(wanted.variant) <= arm_level(host.variant);
  }
  return wanted.architecture == host.architecture &&
         (wanted.variant.empty() || wanted.variant == host.variant);
}

int match_rank(const Platform& offered_raw, const Platform& wanted_raw) {
  constexpr int exact = 100;
  const auto offered = normalized(offered_raw);
  const auto wanted = normalized(wanted_raw);
  if (offered.os != wanted.os || offered.architecture != wanted.architecture) return 0;
  if (!wanted.os_version.empty() && !offered.os_version.empty() && wanted.os_version != offered.os_version)
    return 0;
  if (wanted.architecture == "arm") {
    const int have = arm_level(offered.variant), want = arm_level(wanted.variant);
    if (have == 0 || want == 0) return offered.variant == wanted.variant ? exact : 0;
    return have <= want ? exact - (want - have) : 0;
  }
  if (wanted.architecture == "amd64") {
    const int have = amd64_level(offered.variant), want = amd64_level(wanted.variant);
    if (have == 0 || want == 0) return offered.variant == wanted.variant ? exact : 0;
    return have <= want ? exact - (want - have) : 0;
  }
  if (offered.variant == wanted.variant) return exact;
  // An unnamed variant is the baseline: it runs everywhere, and a caller who names none takes what there is.
  return offered.variant.empty() ? exact - 1 : (wanted.variant.empty() ? exact - 2 : 0);
}

}  // namespace drydock
