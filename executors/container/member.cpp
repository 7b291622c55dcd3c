#include "executors/container/member.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "executors/base/fs.h"
#include "executors/build/copy_files.h"
#include "executors/build/run_step.h"
#include "executors/sandbox/userns.h"
#include "executors/step/shell.h"

namespace drydock::container {
namespace {

bool is_below(const std::string& path, const std::string& directory) {
  return path == directory || (path.starts_with(directory) && (directory.ends_with('/') || path[directory.size()] == '/'));
}

sandbox::ContainerMount bound(const std::string& source, const std::string& target, bool read_only) {
  return {"bind", source, target, {"rbind", read_only ? "ro" : "rw"}};
}

/// The first option that opens a way to the machine when root uses it; empty when there is none.
std::string out_of_bounds(const CreateOptions& options) {
  if (const auto names = reaching_out(options.cap_add); !names.empty()) return "--cap-add " + names.front();
  if (!options.devices.empty()) return "--device " + options.devices.front().source;
  if (options.unfiltered) return "--security-opt seccomp=unconfined";
  return {};
}

/// Beside those that every container has of its own.
std::vector<std::string> machine_devices() {
  static const std::set<std::string> k_own = {"/dev/console", "/dev/full", "/dev/mqueue", "/dev/null", "/dev/ptmx", "/dev/pts",
                                              "/dev/random",  "/dev/shm",  "/dev/tty",    "/dev/urandom", "/dev/zero"};
  std::vector<std::string> devices;
  using Walk = std::filesystem::recursive_directory_iterator;
  std::error_code failed;
  for (Walk at("/dev", std::filesystem::directory_options::skip_permission_denied, failed), end; !failed && at != end;
       at.increment(failed)) {
    const auto type = at->symlink_status(failed).type();
    if (k_own.contains(at->path().string())) at.disable_recursion_pending();
    else if (type == std::filesystem::file_type::character || type == std::filesystem::file_type::block) devices.push_back(at->path().string());
  }
  std::sort(devices.begin(), devices.end());
  return devices;
}

auto depth_of(const std::string& path) {
  const auto clean = std::filesystem::path(path).lexically_normal();
  return std::count_if(clean.begin(), clean.end(), [](const auto& part) { return !part.empty(); });
}

std::string last_line(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  const auto start = text.rfind('\n');
  return start == std::string::npos ? text : text.substr(start + 1);
}

}  // namespace

Member::Member(ContainerPlan plan, std::string id, std::string address, const PodPlaces& places)
    : plan_(std::move(plan)), id_(std::move(id)), address_(std::move(address)), places_(places),
      directory_(places.directory / id_.substr(0, 12)) {}

Member::~Member() {
  stop_.request_stop();
  container_.reset();  // its programs end with it
  if (program_.joinable()) program_.join();
}

std::vector<std::string> Member::names() const {
  std::vector<std::string> names;
  const auto add = [&names](const std::string& name) {
    if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  };
  if (plan_.role == ContainerRole::service) add(plan_.name);
  add(plan_.options.name);
  for (const auto& alias : plan_.options.aliases) add(alias);
  add(hostname());
  return names;
}

Status Member::pull(std::stop_token stop) {
  ImageWish wish{plan_.wish.image, plan_.options.platform, plan_.wish.login, places_.request->docker_config};
  const ImageSetting setting{&places_.request->engine, places_.bus, places_.request->job, places_.directory};
  auto pulled = PulledImage::pull(wish, setting, std::move(stop));
  if (!pulled) {
    if (pulled.error().message == k_needs_user_namespace) return std::move(pulled).error();
    return std::move(pulled).error().while_("bringing image " + plan_.wish.image + " of " + plan_.name);
  }
  image_.emplace(std::move(*pulled));
  return {};
}

Status Member::check_options() const {
  const auto& options = plan_.options;
  if (options.privileged) {
    if (places_.request->privileged == PrivilegedContainers::refused) {
      return make_error(ErrorCode::permission, plan_.name + ": options: --privileged is not allowed here",
                        "it hands over the whole machine: run as root with --isolation host if you trust this workflow "
                        "that far, or name what it needs with --cap-add");
    }
    places_.bus->warning(plan_.name + " is privileged: " +
                         (sandbox::in_initial_user_namespace() ? "it may do to this machine whatever root may"
                                                               : "it has every right in a user namespace of its own, and no more on this machine than you"));
  }
  if (const auto wish = out_of_bounds(options); !wish.empty() && places_.request->privileged == PrivilegedContainers::refused &&
                                                sandbox::in_initial_user_namespace()) {
    return make_error(ErrorCode::permission, plan_.name + ": options: " + wish + " is not allowed here",
                      "as root it opens a way to the machine: use --isolation host if you trust this workflow that far, or run "
                      "drydock as an ordinary user");
  }
  if (options.has_limits() && !places_.limits_work) {
    places_.bus->warning(plan_.name + ": --memory, --cpus and --pids-limit have no effect: control groups cannot be made here" +
                         (sandbox::in_initial_user_namespace() ? "" : ", they are root's"));
  }
  return {};
}

Status Member::prepare(JobNetwork& network, const std::vector<HostName>& names,
                       const std::vector<sandbox::ContainerMount>& mounts) {
  DRYDOCK_TRY(check_options());
  DRYDOCK_TRY(make_directories(directory_.string(), 0711));
  DRYDOCK_ASSIGN(auto root, ImageRoot::mount(*image_, directory_));
  root_.emplace(std::move(root));
  DRYDOCK_ASSIGN(spec_, container_spec(plan_, image(), root_->path()));
  if (plan_.options.privileged) {
    for (const auto& device : machine_devices()) spec_.devices.push_back({device, device});
  }
  directory_inside_ = spec_.cwd;
  spec_.id = "drydock-" + id_.substr(0, 32);
  spec_.hostname = hostname();
  const auto environment = this->environment();
  for (const auto& [name, value] : environment) spec_.env.push_back(name + "=" + value);
  DRYDOCK_ASSIGN(auto end, network.connect(address_));
  end_.emplace(std::move(end));
  spec_.network_namespace = "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(end_->network.get());
  DRYDOCK_TRY(lend_files(network, names));
  spec_.mounts.insert(spec_.mounts.end(), mounts.begin(), mounts.end());
  // Debian's Node has parts of itself there; an image with a Node of its own keeps its own.
  constexpr const char* k_node_parts = "/usr/share/nodejs";
  std::error_code none;
  if (plan_.role == ContainerRole::job && std::filesystem::is_directory(k_node_parts, none) &&
      !std::filesystem::exists(root_->path() / "usr/share/nodejs", none)) {
    spec_.mounts.push_back(bound(k_node_parts, k_node_parts, true));
  }
  for (const auto& volume : plan_.volumes) DRYDOCK_TRY(add_volume(volume));
  for (const auto& mapping : plan_.ports) {
    auto published = network.publish(mapping, *end_);
    if (!published) return std::move(published).error().while_("publishing the ports of " + plan_.name);
    ports_.push_back(std::move(*published));
  }
  for (const auto port : places_.request->loopback) DRYDOCK_TRY(network.lend_loopback(port, *end_));
  return {};
}

Environment Member::environment() const {
  auto environment = environment_of(image(), plan_);
  for (const auto& assignment : root_->image().emulation_environment()) {
    const auto equals = assignment.find('=');
    environment.emplace(assignment.substr(0, equals), assignment.substr(equals + 1));
  }
  for (const auto& assignment : build::host_trust_view(places_.request->engine).env) {
    const auto equals = assignment.find('=');
    environment.emplace(assignment.substr(0, equals), assignment.substr(equals + 1));
  }
  environment.emplace("HOSTNAME", hostname());
  if (!environment.contains("HOME")) environment["HOME"] = spec_.user.home;
  return environment;
}

Status Member::lend_files(JobNetwork& network, const std::vector<HostName>& names) {
  auto all = names;
  for (const auto& [name, address] : plan_.options.add_hosts) {
    all.push_back({name, address == "host-gateway" ? "127.0.0.1" : address});
  }
  const auto own = read_file_if_exists("/etc/resolv.conf");
  const std::string machine = own && *own ? **own : std::string();
  const std::pair<const char*, std::string> files[] = {
      {"hosts", hosts_text(all)},
      {"resolv.conf", network.why_closed().empty() ? resolv_text(plan_.options, network.name_server(), machine) : machine},
      {"hostname", hostname() + "\n"}};
  for (const auto& [name, text] : files) {
    const auto path = (directory_ / name).string();
    DRYDOCK_TRY(write_file_atomic(path, text));
    spec_.mounts.push_back({"bind", path, std::string("/etc/") + name, {"bind", "rw"}});
  }
  const auto trust = build::host_trust_view(places_.request->engine);
  if (!trust.bundle.empty()) spec_.mounts.push_back({"bind", trust.bundle, build::k_trust_path, {"bind", "ro"}});
  return {};
}

/// A volume that is empty becomes as the directory that the image has at the target.
Status Member::fill_volume(const std::string& directory, const Volume& volume) {
  DRYDOCK_TRY(make_directories(directory));
  std::error_code unreadable;
  if (!volume.filled || !std::filesystem::is_empty(directory, unreadable)) return {};
  DRYDOCK_ASSIGN(const auto image, build::FileTree::open(root_->path()));
  const auto target = build::clean_relative(volume.target);
  const auto found = image->open_at(target, O_PATH | O_DIRECTORY);
  struct stat status {};
  if (!found || ::fstat(found->get(), &status) != 0) return {};
  build::CopyJob copy;
  copy.sources = {build::TreeSource{image, target, {}}};
  copy.destination = "/";
  copy.source_owner = build::SourceOwner::keep;
  if (auto copied = build::copy_into(directory, copy); !copied) {
    return std::move(copied).error().while_("filling the volume at " + volume.target + " of " + plan_.name);
  }
  if (::chown(directory.c_str(), status.st_uid, status.st_gid) != 0 || ::chmod(directory.c_str(), status.st_mode & 07777) != 0) {
    return errno_error("making volume " + directory, errno);
  }
  return {};
}

/// Writes to what it gives do not reach the machine.
Result<std::string> Member::copy_of(const std::string& path) {
  const auto place = directory_ / ("copy" + std::to_string(copies_.size()));
  for (const auto* part : {"upper", "work", "root"}) DRYDOCK_TRY(make_directories((place / part).string()));
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) {
    (void)!::chown((place / "upper").c_str(), status.st_uid, status.st_gid);
    (void)!::chmod((place / "upper").c_str(), status.st_mode & 07777);
  }
  sandbox::OverlaySpec overlay{{path}, place / "upper", place / "work", sandbox::default_marks()};
  DRYDOCK_ASSIGN(auto mounted, sandbox::mount_overlay(overlay, place / "root"));
  copies_.push_back(std::move(mounted));
  return (place / "root").string();
}

Status Member::add_volume(const Volume& volume) {
  const auto& request = *places_.request;
  const auto common = places_.directory / "volumes";
  if (volume.kind != Volume::Kind::path) {
    const auto place = volume.kind == Volume::Kind::named ? common / volume.source
                                                          : directory_ / ("volume" + std::to_string(spec_.mounts.size()));
    DRYDOCK_TRY(fill_volume(place.string(), volume));
    spec_.mounts.push_back(bound(place.string(), volume.target, volume.read_only));
    return {};
  }
  const auto source = std::filesystem::path(volume.source).lexically_normal().string();
  if (source.ends_with("/docker.sock")) {
    return make_error(ErrorCode::unsupported, plan_.name + ": volumes: " + volume.source + ": there is no Docker here",
                      "leave it out; images are built with docker/build-push-action, which needs none");
  }
  struct stat status {};
  const bool there = ::stat(source.c_str(), &status) == 0;
  const bool shared = request.host_files == HostFiles::shared ||
                      std::any_of(request.shared.begin(), request.shared.end(), [&](const auto& s) {
                        return !s.read_only && is_below(source, s.path);
                      });
  if (shared) {
    if (!there) DRYDOCK_TRY(make_directories(source));
    spec_.mounts.push_back(bound(source, volume.target, volume.read_only));
    return {};
  }
  if (!there) {
    const auto place = (directory_ / ("empty" + std::to_string(spec_.mounts.size()))).string();
    DRYDOCK_TRY(make_directories(place));
    spec_.mounts.push_back(bound(place, volume.target, volume.read_only));
    return {};
  }
  if (!S_ISDIR(status.st_mode) || volume.read_only) {
    spec_.mounts.push_back(bound(source, volume.target, true));
    return {};
  }
  auto copy = copy_of(source);
  if (!copy) {
    places_.bus->warning(plan_.name + ": " + source + " cannot be written there: " + copy.error().message);
    spec_.mounts.push_back(bound(source, volume.target, true));
    return {};
  }
  spec_.mounts.push_back(bound(*copy, volume.target, false));
  return {};
}

Status Member::start(const sandbox::Runtime& runtime) {
  // A volume at /etc does not cover /etc/hosts.
  std::stable_sort(spec_.mounts.begin(), spec_.mounts.end(), [](const auto& one, const auto& other) {
    return depth_of(one.destination) < depth_of(other.destination);
  });
  auto started = RunningContainer::start(runtime, spec_, places_.state_dir);
  if (!started) return std::move(started).error().while_("starting " + plan_.name + " (" + plan_.wish.image + ")");
  container_ = std::move(*started);
  return {};
}

Status Member::run_program() {
  std::optional<std::vector<std::string>> command;
  if (plan_.wish.command) command = step::split_arguments(*plan_.wish.command);
  const auto& entrypoint = plan_.wish.entrypoint ? plan_.wish.entrypoint : plan_.options.entrypoint;
  ProcessSpec spec;
  spec.argv = command_of(image(), entrypoint, command);
  if (spec.argv.empty()) {
    return make_error(ErrorCode::invalid_input, plan_.name + ": image " + plan_.wish.image + " has no command",
                      "give the service an entrypoint or a command");
  }
  spec.environment = environment();
  spec.directory = directory_inside_;
  spec.on_stdout = spec.on_stderr = [this](std::string_view piece) { log_.add(piece); };
  program_ = std::thread([this, spec = std::move(spec)] {
    result_.emplace(container_->run(spec, stop_.get_token()));
    ended_ = true;
  });
  return {};
}

std::optional<Error> Member::ended_error() const {
  if (!ended_) return {};
  if (!*result_) return Error(result_->error()).while_("starting " + plan_.name);
  return make_error(ErrorCode::failed, plan_.name + " ended with exit code " + std::to_string((*result_)->exit_code) +
                                           " before the first step",
                    "what it printed is above");
}

Status Member::wait_until_ready(std::stop_token stop) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::milliseconds k_first{50};
  const auto check = health_check_of(plan_.options.health, image());
  if (!check) {
    // A program that fails at once is told here and not by the first step that misses it.
    std::this_thread::sleep_for(k_first);
    if (auto error = ended_error()) return std::move(*error);
    return {};
  }
  const auto begun = Clock::now();
  auto counted = begun;  // failures count once an interval, but it is asked more often at first
  int failures = 0;
  std::string last;
  for (auto pause = k_first;; pause = std::min(pause * 2, check->interval)) {
    if (stop.stop_requested()) return make_error(ErrorCode::cancelled, "stopped");
    ProcessSpec probe;
    probe.argv = check->test;
    probe.environment = environment();
    probe.directory = directory_inside_;
    probe.timeout = check->timeout;
    probe.interrupt_grace = probe.terminate_grace = std::chrono::milliseconds(0);
    std::string said;
    probe.on_stdout = probe.on_stderr = [&said](std::string_view piece) { said.append(piece.substr(0, 4096)); };
    const auto answer = container_->run(probe, stop);
    if (auto error = ended_error()) return std::move(*error);
    if (answer && answer->exit_code == 0) return {};
    last = !answer ? answer.error().message : answer->timed_out ? "it took longer than its timeout" : last_line(said);
    const auto now = Clock::now();
    if (now - begun >= check->start_period && now - counted >= check->interval) {
      counted = now;
      if (++failures >= check->retries) break;
    }
    std::this_thread::sleep_for(pause);
  }
  return make_error(ErrorCode::failed, plan_.name + " is unhealthy: its health check failed " + std::to_string(failures) +
                                           " times" + (last.empty() ? "" : ", the last time with: " + last),
                    "what it printed is above; the check is --health-cmd in its options, or its image's");
}

}  // namespace drydock::container
