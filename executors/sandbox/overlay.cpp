#include "executors/sandbox/overlay.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <map>

#include "executors/sandbox/files.h"
#include "executors/sandbox/userns.h"

namespace drydock::sandbox {
namespace {

std::string unique_source() {
  static std::atomic<unsigned> made{0};
  static const auto owner = this_process();
  return "drydock-" + std::to_string(owner.pid) + "-" + std::to_string(owner.start_time) + "-" +
         std::to_string(made.fetch_add(1));
}

// The kernel's own words about a failed fsconfig, read from the context's log.
std::string kernel_log(int context) {
  std::string text;
  char line[512];
  for (ssize_t size; (size = ::read(context, line, sizeof line - 1)) > 0;) {
    if (!text.empty()) text += "; ";
    text += trimmed(std::string(line, static_cast<std::size_t>(size)));
  }
  return text;
}

// With userxattr the kernel takes "nofollow" only: "off" may mean "follow" by its configuration.
const char* redirect_mode(OverlayMarks marks) { return marks == OverlayMarks::user ? "nofollow" : "off"; }

/// A file system being configured through the new mount interface.
class Context {
 public:
  static Result<Context> open(const char* type) {
    Context context;
    context.fd_ = Fd(static_cast<int>(::syscall(SYS_fsopen, type, FSOPEN_CLOEXEC)));
    if (!context.fd_) return errno_error(std::string("fsopen ") + type, errno);
    return context;
  }
  int set(const char* key, const std::string& value) {
    return ::syscall(SYS_fsconfig, fd_.get(), FSCONFIG_SET_STRING, key, value.c_str(), 0) == 0 ? 0 : errno;
  }
  int flag(const char* key) {
    return ::syscall(SYS_fsconfig, fd_.get(), FSCONFIG_SET_FLAG, key, nullptr, 0) == 0 ? 0 : errno;
  }
  Error failure(const std::string& what, int error) const {
    const auto words = kernel_log(fd_.get());
    return errno_error(words.empty() ? what : what + " (" + words + ")", error);
  }
  Status attach(const std::filesystem::path& target, unsigned attributes) {
    if (::syscall(SYS_fsconfig, fd_.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
      return failure("cannot make the mount for " + target.string(), errno);
    }
    const Fd tree(static_cast<int>(::syscall(SYS_fsmount, fd_.get(), FSMOUNT_CLOEXEC, attributes)));
    if (!tree) return failure("cannot make the mount for " + target.string(), errno);
    if (::syscall(SYS_move_mount, tree.get(), "", AT_FDCWD, target.c_str(), MOVE_MOUNT_F_EMPTY_PATH) != 0) {
      return errno_error("cannot mount on " + target.string(), errno);
    }
    return {};
  }

 private:
  Fd fd_;
};

std::string escaped(const std::filesystem::path& path) {
  std::string text;
  for (const char c : path.string()) {
    if (c == '\\' || c == ':' || c == ',') text += '\\';
    text += c;
  }
  return text;
}

// One page holds the option string of mount(2); what does not fit would be cut without a word.
Status mount_classic(const OverlaySpec& spec, const std::string& source, const std::filesystem::path& target) {
  std::string options = overlay_options(spec.marks) + ",lowerdir=";
  for (std::size_t i = 0; i < spec.lower.size(); ++i) options += (i ? ":" : "") + escaped(spec.lower[i]);
  if (!spec.upper.empty()) options += ",upperdir=" + escaped(spec.upper) + ",workdir=" + escaped(spec.work);
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  if (options.size() >= page) {
    return make_error(ErrorCode::environment,
                      std::to_string(spec.lower.size()) + " layers do not fit in one mount on this kernel",
                      "use Linux 6.5 or later, or fewer layers");
  }
  const unsigned long flags = spec.upper.empty() ? MS_RDONLY : 0;
  if (::mount(source.c_str(), target.c_str(), "overlay", flags, options.c_str()) == 0) return {};
  return errno_error("cannot mount an overlay on " + target.string(), errno);
}

enum class Attempt { done, not_supported };

Result<Attempt> mount_by_context(const OverlaySpec& spec, const std::string& source,
                                 const std::filesystem::path& target) {
  auto opened = Context::open("overlay");
  if (!opened) return Attempt::not_supported;
  auto& context = *opened;
  context.set("source", source);
  if (const int error = context.set("redirect_dir", redirect_mode(spec.marks))) {
    return context.failure("redirect_dir", error);
  }
  for (const auto* option : {"metacopy", "index"}) {
    if (const int error = context.set(option, "off")) return context.failure(option, error);
  }
  if (spec.marks == OverlayMarks::user) {
    if (const int error = context.flag("userxattr")) return context.failure("userxattr", error);
  }
  for (const auto& lower : spec.lower) {
    const int error = context.set("lowerdir+", lower.string());
    // Kernels before 6.5 know no such parameter; later ones object to the directory only.
    if (error == EINVAL && &lower == &spec.lower.front()) return Attempt::not_supported;
    if (error) return context.failure("cannot use layer " + lower.string(), error);
  }
  if (!spec.upper.empty()) {
    if (const int error = context.set("upperdir", spec.upper.string())) {
      return context.failure("cannot use upper directory " + spec.upper.string(), error);
    }
    if (const int error = context.set("workdir", spec.work.string())) {
      return context.failure("cannot use work directory " + spec.work.string(), error);
    }
  }
  DRYDOCK_TRY(context.attach(target, spec.upper.empty() ? MOUNT_ATTR_RDONLY : 0));
  return Attempt::done;
}

std::map<std::string, std::string> identity_of(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return {};
  return {{"device", std::to_string(status.st_dev)}, {"inode", std::to_string(status.st_ino)}};
}

Status do_bind(const BindSpec& spec, const std::filesystem::path& target) {
  const unsigned long deep = spec.depth == Depth::recursive ? MS_REC : 0;
  if (::mount(spec.source.c_str(), target.c_str(), nullptr, MS_BIND | deep, nullptr) != 0) {
    return errno_error("cannot bind " + spec.source.string() + " to " + target.string(), errno);
  }
  if (spec.access == Access::read_write) return {};
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_RDONLY;
  const unsigned flags = AT_SYMLINK_NOFOLLOW | (deep ? AT_RECURSIVE : 0);
  if (::syscall(SYS_mount_setattr, AT_FDCWD, target.c_str(), flags, &attributes, sizeof attributes) == 0) return {};
  const int error = errno;
  // Before Linux 5.12, and only for the one mount.
  if (error == ENOSYS && !deep &&
      ::mount(nullptr, target.c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr) == 0) {
    return {};
  }
  ::umount2(target.c_str(), MNT_DETACH);
  return errno_error("cannot make " + target.string() + " read-only", error);
}

}  // namespace

/// Notes, mounts, and hands out the object; the only one who may fill it.
class MountMaker {
 public:
  template <class Do>
  static Result<Mount> make(const std::filesystem::path& target, const std::shared_ptr<Journal>& journal,
                            std::map<std::string, std::string> attributes, Do&& mount_it) {
    Mount mount;
    std::error_code error;
    mount.target_ = std::filesystem::canonical(target, error);
    if (error) return errno_error("cannot mount on " + target.string(), error.value());
    mount.journal_ = journal;
    if (journal) {
      DRYDOCK_ASSIGN(mount.entry_, journal->note({Held::mount, mount.target_.string(), std::move(attributes)}));
    }
    if (auto done = mount_it(mount.target_); !done) {
      if (journal) journal->gone(mount.entry_);
      return std::move(done).error();
    }
    mount.mounted_ = true;
    return mount;
  }
};

Mount::Mount(Mount&& other) noexcept
    : target_(std::move(other.target_)),
      journal_(std::move(other.journal_)),
      entry_(other.entry_),
      mounted_(std::exchange(other.mounted_, false)) {}

Mount& Mount::operator=(Mount&& other) noexcept {
  if (this != &other) {
    (void)detach();
    target_ = std::move(other.target_);
    journal_ = std::move(other.journal_);
    entry_ = other.entry_;
    mounted_ = std::exchange(other.mounted_, false);
  }
  return *this;
}

Mount::~Mount() { (void)detach(); }

Status Mount::detach() {
  if (!std::exchange(mounted_, false)) return {};
  if (::umount2(target_.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0 && errno != EINVAL && errno != ENOENT) {
    return errno_error("cannot unmount " + target_.string(), errno);
  }
  if (journal_) journal_->gone(entry_);
  return {};
}

OverlayMarks default_marks() {
  return in_initial_user_namespace() ? OverlayMarks::trusted : OverlayMarks::user;
}

std::string overlay_options(OverlayMarks marks) {
  const auto options = std::string("redirect_dir=") + redirect_mode(marks) + ",metacopy=off,index=off";
  return marks == OverlayMarks::user ? options + ",userxattr" : options;
}

Result<Mount> mount_overlay(const OverlaySpec& spec, const std::filesystem::path& target,
                            const std::shared_ptr<Journal>& journal) {
  if (spec.lower.empty()) return make_error(ErrorCode::internal, "an overlay needs at least one lower directory");
  if (spec.lower.size() == 1 && spec.upper.empty()) {
    // Before Linux 6.5 an overlay without an upper needs two layers; one layer is its own view.
    return bind_mount({spec.lower.front(), Access::read_only}, target, journal);
  }
  const auto source = unique_source();
  return MountMaker::make(target, journal, {{"source", source}}, [&](const std::filesystem::path& place) -> Status {
    DRYDOCK_ASSIGN(const auto attempt, mount_by_context(spec, source, place));
    return attempt == Attempt::done ? Status() : mount_classic(spec, source, place);
  });
}

Result<Mount> bind_mount(const BindSpec& spec, const std::filesystem::path& target,
                         const std::shared_ptr<Journal>& journal) {
  return MountMaker::make(target, journal, identity_of(spec.source),
                          [&](const std::filesystem::path& place) { return do_bind(spec, place); });
}

Result<Mount> mount_tmpfs(const TmpfsSpec& spec, const std::filesystem::path& target,
                          const std::shared_ptr<Journal>& journal) {
  const auto source = unique_source();
  return MountMaker::make(target, journal, {{"source", source}}, [&](const std::filesystem::path& place) -> Status {
    char mode[16];
    std::snprintf(mode, sizeof mode, "mode=%o", spec.mode);
    std::string options = mode;
    if (spec.size) options += ",size=" + std::to_string(spec.size);
    if (::mount(source.c_str(), place.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, options.c_str()) == 0) return {};
    return errno_error("cannot mount a tmpfs on " + place.string(), errno);
  });
}

Result<Mount> mount_kernel_filesystem(const std::string& type, const std::filesystem::path& target,
                                      const std::shared_ptr<Journal>& journal) {
  return MountMaker::make(target, journal, {{"source", type}}, [&](const std::filesystem::path& place) -> Status {
    constexpr unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    if (::mount(type.c_str(), place.c_str(), type.c_str(), flags, nullptr) == 0) return {};
    return errno_error("cannot mount " + type + " on " + place.string(), errno);
  });
}

OverlaySupport probe_overlay(const std::filesystem::path& scratch_dir) {
  OverlaySupport support;
  const auto base = scratch_dir / unique_source();
  std::error_code error;
  OverlaySpec spec;
  spec.marks = default_marks();
  for (const auto* name : {"a", "b", "upper", "work", "target"}) {
    std::filesystem::create_directories(base / name, error);
    if (error) {
      support.why = "cannot make " + (base / name).string() + ": " + error.message();
      return support;
    }
  }
  spec.lower = {base / "a", base / "b"};
  spec.upper = base / "upper";
  spec.work = base / "work";
  std::ofstream(base / "b" / "file") << "lower";
  {
    auto mount = mount_overlay(spec, base / "target");
    if (!mount) {
      support.why = mount.error().to_string();
      support.mend = "put the store on ext4, xfs or btrfs (not on overlay, NFS or eCryptfs)";
      if (spec.marks == OverlayMarks::user) support.mend += ", and use Linux 5.11 or later";
    } else {
      std::filesystem::remove(base / "target" / "file", error);
      support.works = !error && read_text(base / "b" / "file") == "lower";
      if (!support.works) support.why = "a file in an overlay could not be removed: " + error.message();
    }
    if (auto context = Context::open("overlay"); context) {
      support.many_lower = context->set("lowerdir+", (base / "a").string()) == 0;
    }
  }
  std::filesystem::remove_all(base, error);
  return support;
}

}  // namespace drydock::sandbox
