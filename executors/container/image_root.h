#pragma once
// ImageRoot: an image as a root file system that can be written: pulled, unpacked into the store's snapshots, and an
// overlay over them, which goes with the object. Belongs in a mount namespace of this program's own: after a kill the
// mount is gone with that. Internal to this room.

#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "executors/base/events.h"
#include "executors/base/platform.h"
#include "executors/base/result.h"
#include "executors/build/engine.h"
#include "executors/oci/image.h"
#include "executors/sandbox/overlay.h"
#include "executors/step/job_container.h"

namespace drydock::container {

struct ImageWish {
  std::string reference;             // or the digest of a manifest in the store
  std::optional<Platform> platform;  // the machine's own, else whatever the image has and runs here
  std::optional<step::RegistryLogin> login;
  std::string docker_config;         // directory of the job's credentials
};

/// What all images of a job have in common.
struct ImageSetting {
  const build::EngineOptions* options = nullptr;
  Bus* bus = nullptr;
  std::string job;
  std::filesystem::path directory;  // for mounts; the caller's to remove
};

/// Pulled and unpacked, and checked that its programs run here; mounted by ImageRoot::mount.
class PulledImage {
 public:
  /// not_found, registry_auth, network, … from the registry; environment when no emulator runs its platform. Code
  /// unsupported with message k_needs_user_namespace: an emulator can be had in a user namespace only.
  static Result<PulledImage> pull(const ImageWish& wish, const ImageSetting& setting, std::stop_token stop);

  const oci::ImageConfig& config() const;
  const Platform& platform() const;
  bool emulated() const;
  /// Lent to emulated programs: "QEMU_CPU=max".
  std::vector<std::string> emulation_environment() const;

 private:
  friend class ImageRoot;
  struct State;
  std::shared_ptr<State> state_;
};

inline constexpr const char* k_needs_user_namespace = "the emulator belongs in a user namespace";

class ImageRoot {
 public:
  /// Below `directory`, which holds what is written as well and is the caller's to remove.
  static Result<ImageRoot> mount(PulledImage image, const std::filesystem::path& directory);

  const PulledImage& image() const { return image_; }
  const std::filesystem::path& path() const { return mount_.path(); }

 private:
  PulledImage image_;
  sandbox::Mount mount_;
};

}  // namespace drydock::container
