#pragma once
// Mounts as objects: overlay, bind, tmpfs, proc. Made through the new mount interface (fsopen, fsconfig,
// move_mount), since mount(2) silently cuts a long lowerdir; with a fallback for kernels without it.
// A Mount is detached when destroyed. Needs CAP_SYS_ADMIN in the mount namespace's user namespace.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "executors/base/result.h"
#include "executors/sandbox/journal.h"

namespace drydock::sandbox {

enum class Access { read_write, read_only };
/// Where overlayfs keeps its own marks: trusted.overlay.* (root) or user.overlay.* (user namespace).
enum class OverlayMarks { trusted, user };

class Mount {
 public:
  Mount() = default;
  Mount(Mount&& other) noexcept;
  Mount& operator=(Mount&& other) noexcept;
  ~Mount();

  const std::filesystem::path& path() const { return target_; }
  explicit operator bool() const { return mounted_; }
  /// Unmounts lazily (MNT_DETACH), now; the destructor does the same and drops the error.
  Status detach();

 private:
  friend class MountMaker;
  std::filesystem::path target_;
  std::shared_ptr<Journal> journal_;
  std::uint64_t entry_ = 0;
  bool mounted_ = false;
};

struct OverlaySpec {
  std::vector<std::filesystem::path> lower;  // topmost first; at least one
  std::filesystem::path upper, work;         // both empty: read-only view
  OverlayMarks marks = OverlayMarks::trusted;
};

/// The marks that fit this process: trusted in the initial user namespace, else user.
OverlayMarks default_marks();
/// What a snapshot records: "redirect_dir=off,metacopy=off,index=off", with user marks
/// "redirect_dir=nofollow,metacopy=off,index=off,userxattr" (there the kernel refuses "off").
std::string overlay_options(OverlayMarks marks);

/// `journal` may be null (a mount namespace of our own needs none). Targets must exist.
Result<Mount> mount_overlay(const OverlaySpec& spec, const std::filesystem::path& target,
                            const std::shared_ptr<Journal>& journal = nullptr);

enum class Depth { only_this, recursive };
struct BindSpec {
  std::filesystem::path source;
  Access access = Access::read_write;
  Depth depth = Depth::only_this;
};
Result<Mount> bind_mount(const BindSpec& spec, const std::filesystem::path& target,
                         const std::shared_ptr<Journal>& journal = nullptr);

struct TmpfsSpec {
  std::uint64_t size = 0;  // bytes; 0: the kernel's default
  unsigned mode = 0755;
};
Result<Mount> mount_tmpfs(const TmpfsSpec& spec, const std::filesystem::path& target,
                          const std::shared_ptr<Journal>& journal = nullptr);

/// "proc", "binfmt_misc", "sysfs": a file system without a device, nosuid, nodev and noexec.
Result<Mount> mount_kernel_filesystem(const std::string& type, const std::filesystem::path& target,
                                      const std::shared_ptr<Journal>& journal = nullptr);

/// What the running kernel offers, found by trying (in a throw-away child); `why` when it does not work.
struct OverlaySupport {
  bool works = false;
  bool many_lower = false;  // lowerdir+ (Linux 6.5); otherwise the option string limits the number of layers
  std::string why, mend;
};
/// Really mounts an overlay below `scratch_dir` with the default marks.
OverlaySupport probe_overlay(const std::filesystem::path& scratch_dir);

}  // namespace drydock::sandbox
