#pragma once
// Platform: operating system, architecture, variant, as OCI image indexes name them.
// Plain values; follows containerd's normalisation (x86_64 → amd64, aarch64 → arm64, arm/v8 → arm64,
// armhf → arm/v7, arm64/v8 → arm64, amd64/v1 → amd64).

#include <string>
#include <string_view>
#include <vector>

#include "executors/base/result.h"

namespace drydock {

struct Platform {
  std::string os = "linux";
  std::string architecture;
  std::string variant;
  std::string os_version;

  /// "linux/arm/v7".
  std::string to_string() const;
  friend bool operator==(const Platform&, const Platform&) = default;
  friend auto operator<=>(const Platform&, const Platform&) = default;
};

/// Parses and normalises "linux/amd64", "arm64", "linux/arm/v7"; error code usage, with the forms allowed.
Result<Platform> parse_platform(std::string_view text);
/// Comma- or newline-separated, duplicates removed, order kept.
Result<std::vector<Platform>> parse_platforms(std::string_view text);
Platform normalized(Platform platform);
/// The machine drydock runs on.
Platform host_platform();
/// True when a machine of `host` runs binaries of `wanted` without an emulator (amd64 runs 386; arm64 runs arm
/// only where the CPU has AArch32, which callers test by running; so not claimed here).
bool runs_natively(const Platform& wanted, const Platform& host);
/// How well an image of `offered` serves `wanted`: 0 not at all, higher is better; an empty wanted variant takes
/// the best one, arm/v7 also takes v6 and v5.
int match_rank(const Platform& offered, const Platform& wanted);

}  // namespace drydock
