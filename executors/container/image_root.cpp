#include "executors/container/image_root.h"

#include <algorithm>

#include "executors/base/fs.h"
#include "executors/build/image_source.h"
#include "executors/oci/credentials.h"
#include "executors/sandbox/userns.h"

namespace drydock::container {

struct PulledImage::State {
  build::BuildRequest request;
  build::EngineOptions options;
  std::stop_source stop;
  std::optional<TempDir> login;
  std::unique_ptr<build::Engine> engine;
  build::SourceImage source;
  Platform platform;
  sandbox::EmulationPlan emulation;
  std::vector<std::filesystem::path> layers;
};

namespace {

/// In the order in which people have them.
const char* const k_other_platforms[] = {"linux/arm64", "linux/amd64",   "linux/arm/v7", "linux/386",
                                         "linux/riscv64", "linux/ppc64le", "linux/s390x"};

Result<build::SourceImage> find_image(build::Engine& engine, const ImageWish& wish) {
  if (const auto built = oci::Digest::parse(wish.reference); built) {
    return build::stored_image(engine, *built, "an action's image");
  }
  build::ImageSources sources(engine);
  auto found = sources.get(wish.reference, wish.platform.value_or(host_platform()));
  if (found || wish.platform || found.error().code != ErrorCode::not_found) return found;
  for (const auto* text : k_other_platforms) {
    const auto platform = parse_platform(text);
    if (!platform || runs_natively(*platform, host_platform())) continue;
    auto other = sources.get(wish.reference, *platform);
    if (!other) continue;
    engine.scope.bus->warning(wish.reference + " has no image for " + host_platform().to_string() + ": that for " + text +
                              " is taken, and runs under an emulator");
    return other;
  }
  return found;
}

/// One at a time: a registration counts for all containers of the job, and lasts as long as this process.
Status make_runnable(const Platform& platform, build::Engine& engine) {
  static std::mutex mutex;
  static std::vector<sandbox::Emulators> kept;
  const std::lock_guard lock(mutex);
  if (!runs_natively(platform, engine.host)) {
    const auto plan = sandbox::plan_emulation(platform, engine.options.host_registration);
    if (plan.way == sandbox::EmulationWay::own_namespace) {
      if (sandbox::in_initial_user_namespace()) return make_error(ErrorCode::unsupported, k_needs_user_namespace);
      DRYDOCK_ASSIGN(auto emulators, sandbox::set_up_emulation({platform}));
      kept.push_back(std::move(emulators));
    } else if (plan.way == sandbox::EmulationWay::register_on_host) {
      DRYDOCK_ASSIGN(auto emulators, sandbox::set_up_emulation({platform}, engine.options.host_registration, engine.journal));
      kept.push_back(std::move(emulators));
    }
  }
  return engine.check_platform(platform);
}

}  // namespace

const oci::ImageConfig& PulledImage::config() const { return state_->source.config; }
const Platform& PulledImage::platform() const { return state_->platform; }
bool PulledImage::emulated() const { return !runs_natively(state_->platform, host_platform()); }

std::vector<std::string> PulledImage::emulation_environment() const {
  const auto& plan = state_->emulation;
  if (!emulated() || !plan.qemu) return {};
  return sandbox::emulation_environment(state_->platform.architecture, *plan.qemu);
}

Result<PulledImage> PulledImage::pull(const ImageWish& wish, const ImageSetting& setting, std::stop_token stop) {
  PulledImage image;
  image.state_ = std::make_shared<State>();
  State& state = *image.state_;
  state.options = *setting.options;
  state.request.job = setting.job;
  state.request.docker_config_dir = wish.docker_config;
  const std::stop_callback on_stop(stop, [&state] { state.stop.request_stop(); });
  if (wish.login) {
    DRYDOCK_ASSIGN(const auto reference, oci::parse_reference(wish.reference));
    DRYDOCK_ASSIGN(auto place, TempDir::create(setting.directory.string(), "login-"));
    oci::CredentialStore store(place.path());
    DRYDOCK_TRY(store.login(reference.domain, {wish.login->username, wish.login->password, ""}));
    state.request.docker_config_dir = place.path();
    state.login.emplace(std::move(place));
  }
  state.engine = std::make_unique<build::Engine>(state.request, state.options, *setting.bus, state.stop);
  DRYDOCK_TRY(state.engine->open());
  DRYDOCK_ASSIGN(state.source, find_image(*state.engine, wish));
  state.platform = normalized(state.source.config.platform);
  DRYDOCK_TRY(make_runnable(state.platform, *state.engine));
  state.emulation = state.engine->emulation(state.platform);
  DRYDOCK_ASSIGN(state.layers, build::unpack_chain(*state.engine, state.source.chain));
  state.login.reset();
  return image;
}

Result<ImageRoot> ImageRoot::mount(PulledImage image, const std::filesystem::path& directory) {
  auto& state = *image.state_;
  for (const auto* part : {"upper", "work", "root"}) DRYDOCK_TRY(make_directories((directory / part).string()));
  sandbox::OverlaySpec overlay;
  overlay.lower = state.layers;
  if (overlay.lower.empty()) {
    DRYDOCK_ASSIGN(const auto empty, state.engine->empty_directory());
    overlay.lower.emplace_back(empty);
  }
  overlay.upper = directory / "upper";
  overlay.work = directory / "work";
  overlay.marks = sandbox::default_marks();
  ImageRoot root;
  root.image_ = std::move(image);
  DRYDOCK_ASSIGN(root.mount_, sandbox::mount_overlay(overlay, directory / "root"));
  return root;
}

}  // namespace drydock::container
