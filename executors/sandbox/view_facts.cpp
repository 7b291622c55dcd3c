#include "executors/sandbox/view_facts.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "executors/sandbox/mountinfo.h"
#include "executors/sandbox/overlay.h"

namespace drydock::sandbox {
namespace {

namespace fs = std::filesystem;

std::optional<PlaceFact> place(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return {};
  PlaceFact fact{.path = path};
  fact.root = S_ISDIR(status.st_mode) ? RootOf::directory : S_ISREG(status.st_mode) ? RootOf::file : RootOf::other;
  fact.mode = status.st_mode & 07777;
  fact.uid = status.st_uid;
  fact.gid = status.st_gid;
  fact.size = static_cast<std::uint64_t>(status.st_size);
  return fact;
}

// Others lie below a mount that was made over them later.
bool can_be_seen(const MountedAt& mount) {
  struct statx status {};
  const int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;
  if (::statx(AT_FDCWD, mount.target.c_str(), flags, STATX_MNT_ID, &status) != 0) return false;
  return (status.stx_mask & STATX_MNT_ID) && status.stx_mnt_id == static_cast<std::uint64_t>(mount.id);
}

std::vector<PlaceFact> visible_mounts() {
  std::vector<PlaceFact> facts;
  for (const auto& mount : current_mounts()) {
    // A server that is away would make us wait; such a mount is asked for nothing unless it belongs in a view.
    if (!belongs_in_view({.path = mount.target, .type = mount.type}) || !can_be_seen(mount)) continue;
    auto fact = place(mount.target);
    if (!fact) continue;
    fact->type = mount.type;
    facts.push_back(std::move(*fact));
  }
  std::sort(facts.begin(), facts.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return facts;
}

// Folders that services of the machine left for others; not what tells of the service manager, which is not there.
std::vector<PlaceFact> run_folders() {
  std::vector<PlaceFact> folders;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/run", error)) {
    const auto name = entry.path().filename().string();
    auto fact = place(entry.path());
    if (!fact || fact->root != RootOf::directory || name == "systemd" || name == "user") continue;
    folders.push_back(std::move(*fact));
  }
  PlaceFact user{.path = "/run/user", .uid = 0, .gid = 0};
  folders.push_back(user);
  user.path += "/" + std::to_string(::geteuid());
  user.mode = 0700;
  user.uid = ::geteuid();
  user.gid = ::getegid();
  folders.push_back(std::move(user));
  return folders;
}

std::string name_servers() {
  std::error_code error;
  const auto file = fs::canonical("/etc/resolv.conf", error).string();
  return !error && file.starts_with("/run/") ? file : "";
}

std::vector<PlaceFact> writable_places(const std::string& home) {
  std::vector<PlaceFact> places;
  for (const auto& path : {std::string("/tmp"), std::string("/var/tmp"), home}) {
    if (path.size() < 2) continue;
    std::error_code error;
    const auto real = fs::canonical(path, error).string();
    const auto known = [&real](const PlaceFact& one) { return real == one.path; };
    auto fact = error ? std::nullopt : place(real);
    if (!fact || fact->root != RootOf::directory || std::any_of(places.begin(), places.end(), known)) continue;
    if (::access(real.c_str(), R_OK | X_OK) == 0) places.push_back(std::move(*fact));
  }
  return places;
}

// What lies below another shared place comes with it.
void drop_inner(std::vector<std::string>& paths) {
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> outer;
  for (const auto& path : paths) {
    const auto covers = [&path](const auto& one) { return path == one || path.starts_with(one + "/"); };
    if (std::none_of(outer.begin(), outer.end(), covers)) outer.push_back(path);
  }
  paths = std::move(outer);
}

std::vector<std::string> root_tools() {
  std::vector<std::string> tools;
  for (const auto* path : {"/usr/bin/sudo", "/usr/bin/su", "/usr/bin/doas", "/usr/bin/pkexec"}) {
    std::error_code error;
    const auto real = fs::canonical(path, error).string();
    if (!error && std::find(tools.begin(), tools.end(), real) == tools.end()) tools.push_back(real);
  }
  return tools;
}

}  // namespace

Result<ViewFacts> gather_view_facts(const ViewSpec& spec) {
  ViewFacts facts;
  facts.kind = ::geteuid() == 0 ? ViewKind::copy_on_write : ViewKind::read_only;
  std::error_code error;
  facts.directory = fs::canonical(spec.directory, error).string();
  if (error) return errno_error("cannot find " + spec.directory.string(), error.value());
  for (const auto& path : spec.shared) {
    if (path.empty()) continue;
    const auto normal = fs::path(path).lexically_normal();
    // Mount points are found by real paths; a step asks for the path it was told, which leads to the same place.
    const auto real = fs::canonical(normal, error).string();
    if (error) return errno_error("cannot show " + path + " in the view", error.value());
    facts.shared.push_back(real);
  }
  drop_inner(facts.shared);
  facts.run = run_folders();
  facts.name_servers = name_servers();
  if (facts.kind == ViewKind::copy_on_write) {
    facts.overlay_options = overlay_options(default_marks());
    facts.mounts = visible_mounts();
    if (facts.mounts.empty() || facts.mounts.front().path != "/") {
      return make_error(ErrorCode::environment, "the mounts of this machine cannot be told (Linux 5.12 is needed)");
    }
  } else {
    facts.overlay_options = overlay_options(OverlayMarks::user);
    facts.writable = writable_places(spec.home);
    facts.root_tools = root_tools();
  }
  return facts;
}

}  // namespace drydock::sandbox
