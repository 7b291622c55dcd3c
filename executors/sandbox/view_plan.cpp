#include "executors/sandbox/view_plan.h"

#include <linux/mount.h>
#include <sys/mount.h>

#include <algorithm>
#include <array>
#include <set>

namespace drydock::sandbox {
namespace {

constexpr std::uint64_t k_largest_copy = 16u << 20;  // of a file that is a mount of its own (/etc/hosts in a container)
constexpr unsigned long k_quiet = MS_NOSUID | MS_NODEV | MS_NOEXEC;

bool is_at_or_below(const std::string& path, const std::string& folder) {
  if (folder == "/") return true;
  return path == folder || (path.starts_with(folder) && path[folder.size()] == '/');
}

class Planner {
 public:
  explicit Planner(const ViewFacts& facts) : facts_(facts), root_(root_of_view(facts)) {}

  std::vector<ViewStep> plan() {
    prepare();
    if (facts_.kind == ViewKind::copy_on_write) {
      copy_on_write_tree();
    } else {
      read_only_tree();
    }
    system_folders();
    run_folder();
    proc();
    for (const auto& path : facts_.shared) share(path);
    hide(facts_.directory);
    return std::move(steps_);
  }

 private:
  ViewStep& add(ViewStep step) { return steps_.emplace_back(std::move(step)); }
  std::string inside(const std::string& path) const { return path == "/" ? root_ : root_ + path; }
  std::optional<uid_t> owner(uid_t uid) const {
    return facts_.kind == ViewKind::copy_on_write ? std::optional(uid) : std::nullopt;
  }

  void prepare() {
    if (facts_.in_memory) {
      add({.act = Act::mount, .source = "tmpfs", .target = facts_.directory, .type = "tmpfs", .data = "mode=700",
           .flags = MS_NODEV});
    }
    add({.act = Act::make_directory, .target = root_, .mode = 0755});
  }

  void overlay(const PlaceFact& place, const std::string& target, IfFails if_fails) {
    const std::string own = facts_.directory + "/" + std::to_string(overlays_++);
    add({.act = Act::make_directory, .target = own, .mode = 0700});
    add({.act = Act::make_directory, .target = own + "/upper", .mode = place.mode, .uid = owner(place.uid),
         .gid = place.gid});
    add({.act = Act::make_directory, .target = own + "/work", .mode = 0700});
    // Nothing of it outlives the job: what a program syncs need not reach the disk.
    std::string options = facts_.overlay_options + ",volatile";
    options += ",lowerdir=" + escaped(place.path) + ",upperdir=" + escaped(own + "/upper") +
               ",workdir=" + escaped(own + "/work");
    // Device files of the machine (in an unpacked root file system, say) must not open.
    add({.act = Act::mount, .source = place.path, .target = target, .type = "overlay", .data = std::move(options),
         .flags = MS_NODEV, .empty = own + "/upper", .if_fails = if_fails});
  }

  static std::string escaped(const std::string& path) {
    std::string text;
    for (const char c : path) {
      if (c == '\\' || c == ':' || c == ',') text += '\\';
      text += c;
    }
    return text;
  }

  // An overlay over "/" shows none of the file systems mounted in it: each gets one of its own.
  void copy_on_write_tree() {
    for (const auto& mount : facts_.mounts) {
      if (mount.path == "/") {
        overlay(mount, root_, IfFails::stop);
        continue;
      }
      const bool replaced = std::any_of(facts_.shared.begin(), facts_.shared.end(),
                                        [&](const auto& path) { return is_at_or_below(mount.path, path); });
      if (replaced || is_at_or_below(mount.path, facts_.directory) || !belongs_in_view(mount)) continue;
      if (mount.root == RootOf::directory) {
        overlay(mount, inside(mount.path), IfFails::bind_read_only);
      } else if (mount.size <= k_largest_copy) {
        add({.act = Act::copy_file, .source = mount.path, .target = inside(mount.path), .if_fails = IfFails::skip});
      }
    }
  }

  void read_only_tree() {
    add({.act = Act::mount, .source = "/", .target = root_, .flags = MS_BIND | MS_REC});
    add({.act = Act::protect, .target = root_, .flags = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV});
    // A user namespace cannot lay an overlay over a folder that something is mounted in: that one starts empty.
    for (const auto& place : facts_.writable) {
      make_parents(place.path);
      make_missing(place.path);
      overlay(place, inside(place.path), IfFails::bind_empty);
    }
    if (facts_.root_tools.empty()) return;
    const std::string notice = facts_.directory + "/refused";
    add({.act = Act::make_file, .target = notice,
         .data = "#!/bin/sh\n"
                 "echo \"${0##*/}: refused: this step runs as an ordinary user in a read-only view of the machine"
                 " (drydock's sandbox); use --isolation host, or run drydock as root\" >&2\n"
                 "exit 1\n",
         .mode = 0755});
    for (const auto& tool : facts_.root_tools) {
      add({.act = Act::mount, .source = notice, .target = inside(tool), .flags = MS_BIND,
           .if_fails = IfFails::skip_missing});
    }
  }

  void device(const std::string& name) {
    const std::string target = root_ + "/dev/" + name;
    add({.act = Act::make_file, .target = target, .mode = 0666});
    add({.act = Act::mount, .source = "/dev/" + name, .target = target, .flags = MS_BIND,
         .if_fails = IfFails::skip_missing});
  }

  // The devices that every container has, and no others.
  void system_folders() {
    const std::string dev = root_ + "/dev";
    add({.act = Act::make_directory, .target = dev, .mode = 0755, .if_fails = IfFails::skip});
    add({.act = Act::mount, .source = "tmpfs", .target = dev, .type = "tmpfs", .data = "mode=755,size=65536k",
         .flags = MS_NOSUID | MS_NOEXEC});
    for (const auto* name : {"null", "zero", "full", "random", "urandom", "tty"}) device(name);
    constexpr std::array<std::array<const char*, 2>, 5> links{{{"/proc/self/fd", "/fd"},
                                                               {"/proc/self/fd/0", "/stdin"},
                                                               {"/proc/self/fd/1", "/stdout"},
                                                               {"/proc/self/fd/2", "/stderr"},
                                                               {"pts/ptmx", "/ptmx"}}};
    for (const auto& [source, name] : links) add({.act = Act::make_link, .source = source, .target = dev + name});
    for (const auto* name : {"/pts", "/shm", "/mqueue"}) {
      add({.act = Act::make_directory, .target = dev + name, .mode = 0755});
    }
    const std::string group = facts_.kind == ViewKind::copy_on_write ? ",gid=5" : "";
    add({.act = Act::mount, .source = "devpts", .target = dev + "/pts", .type = "devpts",
         .data = "newinstance,ptmxmode=0666,mode=0620" + group, .flags = MS_NOSUID | MS_NOEXEC});
    add({.act = Act::mount, .source = "shm", .target = dev + "/shm", .type = "tmpfs", .data = "mode=1777",
         .flags = MS_NOSUID | MS_NODEV});
    add({.act = Act::mount, .source = "mqueue", .target = dev + "/mqueue", .type = "mqueue", .flags = k_quiet,
         .if_fails = IfFails::skip});
    if (facts_.kind == ViewKind::read_only) return;  // there /sys came with "/"
    const std::string sys = root_ + "/sys";
    add({.act = Act::make_directory, .target = sys, .mode = 0555, .if_fails = IfFails::skip});
    add({.act = Act::mount, .source = "/sys", .target = sys, .flags = MS_BIND | MS_REC});
    add({.act = Act::protect, .target = sys,
         .flags = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC});
  }

  // The sockets of the machine's services are a way out of the view; what else is in /run belongs to them.
  void run_folder() {
    const std::string run = root_ + "/run";
    add({.act = Act::make_directory, .target = run, .mode = 0755, .if_fails = IfFails::skip});
    add({.act = Act::mount, .source = "tmpfs", .target = run, .type = "tmpfs", .data = "mode=755",
         .flags = MS_NOSUID | MS_NODEV});
    for (const auto& folder : facts_.run) {
      add({.act = Act::make_directory, .target = root_ + folder.path, .mode = folder.mode, .uid = owner(folder.uid),
           .gid = folder.gid});
    }
    if (facts_.name_servers.empty()) return;
    make_parents(facts_.name_servers);
    add({.act = Act::make_file, .target = root_ + facts_.name_servers, .mode = 0644});
    add({.act = Act::copy_file, .source = facts_.name_servers, .target = root_ + facts_.name_servers,
         .if_fails = IfFails::skip});
  }

  void proc() {
    const std::string proc = root_ + "/proc";
    add({.act = Act::make_directory, .target = proc, .mode = 0555, .if_fails = IfFails::skip});
    add({.act = Act::mount, .source = "proc", .target = proc, .type = "proc", .flags = k_quiet});
    if (facts_.kind == ViewKind::read_only) return;  // an ordinary user can write none of it
    for (const auto* name : {"/sys", "/sysrq-trigger", "/irq", "/bus", "/fs", "/mtrr", "/driver"}) {
      add({.act = Act::mount, .source = proc + name, .target = proc + name, .flags = MS_BIND | MS_REC,
           .if_fails = IfFails::skip_missing});
      add({.act = Act::protect, .target = proc + name, .flags = MOUNT_ATTR_RDONLY,
           .if_fails = IfFails::skip_missing});
    }
    for (const auto* name : {"/kcore", "/kmsg", "/keys", "/timer_list", "/sched_debug", "/latency_stats",
                             "/kpagecount", "/kpageflags", "/kpagecgroup", "/dynamic_debug/control"}) {
      add({.act = Act::mount, .source = root_ + "/dev/null", .target = proc + name, .flags = MS_BIND,
           .if_fails = IfFails::skip_missing});
    }
    for (const auto* name : {"/acpi", "/scsi"}) {
      add({.act = Act::mount, .source = "tmpfs", .target = proc + name, .type = "tmpfs", .data = "mode=555",
           .flags = MS_RDONLY | k_quiet, .if_fails = IfFails::skip_missing});
    }
  }

  void make_parents(const std::string& path) {
    for (auto slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
      make_missing(path.substr(0, slash));
    }
  }

  void make_missing(const std::string& path) {
    if (!made_.insert(path).second) return;
    add({.act = Act::make_directory, .target = root_ + path, .mode = 0755, .if_fails = IfFails::skip});
  }

  void share(const std::string& path) {
    make_parents(path);
    make_missing(path);
    add({.act = Act::mount, .source = path, .target = root_ + path, .flags = MS_BIND | MS_REC});
    add({.act = Act::protect, .target = root_ + path, .flags = MOUNT_ATTR_NODEV});
  }

  // The kernel refuses to look into an overlay's own directories through it; a walk over "/" should not meet them.
  void hide(const std::string& path) {
    add({.act = Act::mount, .source = "tmpfs", .target = root_ + path, .type = "tmpfs", .data = "mode=000,size=4k",
         .flags = MS_RDONLY | k_quiet, .if_fails = IfFails::skip_missing});
  }

  const ViewFacts& facts_;
  const std::string root_;
  std::vector<ViewStep> steps_;
  std::set<std::string> made_;
  int overlays_ = 0;
};

}  // namespace

std::string_view name_of(ViewKind kind) {
  return kind == ViewKind::copy_on_write ? "copy-on-write" : "read-only";
}

std::string root_of_view(const ViewFacts& facts) { return facts.directory + "/root"; }

bool belongs_in_view(const PlaceFact& mount) {
  static const std::set<std::string, std::less<>> made_anew_or_left_out{
      "autofs",   "binfmt_misc", "bpf",    "cgroup",     "cgroup2", "configfs",  "debugfs",    "devpts",  "devtmpfs",
      "efivarfs", "fusectl",     "mqueue", "hugetlbfs",  "nfsd",    "nsfs",      "proc",       "pstore",  "rpc_pipefs",
      "ramfs",    "securityfs",  "sysfs",  "selinuxfs",  "tracefs", "fuse.portal", "fuse.gvfsd-fuse"};
  if (mount.root == RootOf::other || made_anew_or_left_out.contains(mount.type)) return false;
  for (const auto* folder : {"/dev", "/proc", "/run", "/sys"}) {
    if (is_at_or_below(mount.path, folder)) return false;
  }
  // Roots of other containers and snapshots: theirs, and many.
  const bool deep = std::count(mount.path.begin(), mount.path.end(), '/') > 1;
  return !(mount.type == "overlay" && deep);
}

std::vector<ViewStep> plan_view(const ViewFacts& facts) { return Planner(facts).plan(); }

}  // namespace drydock::sandbox
