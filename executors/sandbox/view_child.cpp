#include "executors/sandbox/view_child.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

namespace drydock::sandbox::view_child {
namespace {

[[noreturn]] void fail(int channel, std::int32_t step, int error) {
  const Made message{step, error};
  (void)!write(channel, &message, sizeof message);
  _exit(127);
}

void close_all_but(int kept) {
  const auto number = static_cast<unsigned>(kept);
  if (number > 0) syscall(SYS_close_range, 0U, number - 1, 0U);
  syscall(SYS_close_range, number + 1, UINT_MAX, 0U);
}

// Nobody in the view may look into this process: it began as a copy of the runner.
void be_opaque() { prctl(PR_SET_DUMPABLE, 0); }

int make_directory(const ViewStep& step) {
  if (mkdir(step.target.c_str(), 0700) != 0) return errno == EEXIST ? 0 : errno;
  if (step.uid && chown(step.target.c_str(), *step.uid, step.gid) != 0) return errno;
  return chmod(step.target.c_str(), step.mode) == 0 ? 0 : errno;
}

int make_file(const ViewStep& step) {
  const int fd = open(step.target.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, step.mode);
  if (fd < 0) return errno;
  int error = 0;
  if (write(fd, step.data.data(), step.data.size()) != static_cast<ssize_t>(step.data.size())) error = errno;
  if (error == 0 && fchmod(fd, step.mode) != 0) error = errno;
  close(fd);
  return error;
}

int copy_file(const ViewStep& step) {
  const int from = open(step.source.c_str(), O_RDONLY | O_CLOEXEC);
  if (from < 0) return errno;
  const int to = open(step.target.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC);
  if (to < 0) {
    const int error = errno;
    close(from);
    return error;
  }
  ssize_t size;
  while ((size = sendfile(to, from, nullptr, 1u << 20)) > 0) {
  }
  int error = size < 0 ? errno : 0;
  struct stat status {};
  // An owner that cannot be kept (one id only) is no failure; the text is what counts.
  if (error == 0 && fstat(from, &status) == 0) {
    (void)!fchown(to, status.st_uid, status.st_gid);
    (void)!fchmod(to, status.st_mode & 07777);
  }
  close(from);
  close(to);
  return error;
}

int protect(const char* target, unsigned long attributes) {
  mount_attr wanted{};
  wanted.attr_set = attributes;
  const unsigned flags = AT_RECURSIVE | AT_SYMLINK_NOFOLLOW;
  return syscall(SYS_mount_setattr, AT_FDCWD, target, flags, &wanted, sizeof wanted) == 0 ? 0 : errno;
}

int do_mount(const ViewStep& step) {
  const char* data = step.data.empty() ? nullptr : step.data.c_str();
  const char* type = step.type.empty() ? nullptr : step.type.c_str();
  return mount(step.source.c_str(), step.target.c_str(), type, step.flags, data) == 0 ? 0 : errno;
}

int bind_read_only(const ViewStep& step) {
  if (mount(step.source.c_str(), step.target.c_str(), nullptr, MS_BIND, nullptr) != 0) return errno;
  const int error = protect(step.target.c_str(), MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV);
  if (error) umount2(step.target.c_str(), MNT_DETACH);
  return error;
}

int perform(const ViewStep& step) {
  switch (step.act) {
    case Act::make_directory: return make_directory(step);
    case Act::make_link: return symlink(step.source.c_str(), step.target.c_str()) == 0 ? 0 : errno;
    case Act::make_file: return make_file(step);
    case Act::copy_file: return copy_file(step);
    case Act::mount: return do_mount(step);
    case Act::protect: return protect(step.target.c_str(), step.flags);
  }
  return EINVAL;
}

void make_view(const Hold& plan) {
  // What is mounted here must not reach the machine.
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) fail(plan.channel, k_private, errno);
  std::int32_t index = 0;
  for (const auto& step : *plan.steps) {
    const int error = perform(step);
    const bool missing = error == ENOENT || error == ENOTDIR;
    switch (error ? step.if_fails : IfFails::skip) {
      case IfFails::skip: break;
      case IfFails::skip_missing:
        if (missing) break;
        [[fallthrough]];
      case IfFails::stop: fail(plan.channel, index, error);
      // A mount that went away meanwhile, or one that can be shown in no way, is not in the view.
      case IfFails::bind_read_only: bind_read_only(step); break;
      case IfFails::bind_empty:
        if (mount(step.empty.c_str(), step.target.c_str(), nullptr, MS_BIND, nullptr) != 0) {
          fail(plan.channel, index, error);
        }
        break;
    }
    ++index;
  }
  // The old root lands on the new one and is let go: no path leads to it any more.
  if (chdir(plan.root) != 0 || syscall(SYS_pivot_root, ".", ".") != 0 || umount2(".", MNT_DETACH) != 0 ||
      chdir("/") != 0) {
    fail(plan.channel, k_pivot, errno);
  }
}

void hand_over(const Hold& plan) {
  constexpr std::array<const char*, k_handles> paths{"/proc/self/ns/mnt", "/proc/self/ns/pid", "/proc/self/ns/ipc",
                                                     "/proc/self/ns/uts", "/proc/self/ns/user", "/"};
  std::array<int, k_handles> handles{};
  for (int i = 0; i < k_handles; ++i) {
    handles[i] = open(paths[i], (i == k_root ? O_PATH | O_DIRECTORY : O_RDONLY) | O_CLOEXEC);
    if (handles[i] < 0) fail(plan.channel, k_handle, errno);
  }
  Made message;
  iovec text{&message, sizeof message};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof handles)] = {};
  msghdr header{};
  header.msg_iov = &text;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  cmsghdr* rights = CMSG_FIRSTHDR(&header);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof handles);
  std::memcpy(CMSG_DATA(rights), handles.data(), sizeof handles);
  if (sendmsg(plan.channel, &header, MSG_NOSIGNAL) < 0) _exit(127);
  for (const int fd : handles) close(fd);
}

void reset_signals() {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) sigaction(number, &standard, nullptr);
}

[[noreturn]] void fail_entering(int report, EnterStep step) {
  const Report message{step, errno, 0};
  (void)!write(report, &message, sizeof message);
  _exit(127);
}

bool keep_capabilities(std::uint64_t keep) {
  for (unsigned long number = 0; number < 64; ++number) {
    if (keep >> number & 1) continue;
    if (prctl(PR_CAPBSET_DROP, number) != 0 && errno != EINVAL) return false;
  }
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  struct {
    std::uint32_t version;
    std::int32_t pid;
  } header{0x20080522, 0};  // _LINUX_CAPABILITY_VERSION_3
  struct {
    std::uint32_t effective, permitted, inheritable;
  } sets[2]{};
  if (syscall(SYS_capget, &header, sets) != 0) return false;
  for (int half = 0; half < 2; ++half) {
    const auto kept = static_cast<std::uint32_t>(keep >> (32 * half));
    sets[half].effective &= kept;
    sets[half].permitted &= kept;
    sets[half].inheritable = 0;
  }
  return syscall(SYS_capset, &header, sets) == 0;
}

bool connect_streams(const Enter& plan) {
  const int wanted[3] = {plan.in, plan.out, plan.err};
  int moved[3];
  for (int i = 0; i < 3; ++i) {
    moved[i] = fcntl(wanted[i], F_DUPFD_CLOEXEC, 3);
    if (moved[i] < 0) return false;
  }
  for (int i = 0; i < 3; ++i) {
    if (dup2(moved[i], i) < 0) return false;
  }
  return true;
}

// A session of its own: the runner's terminal is not the step's, and cannot be typed into by it.
[[noreturn]] void run_program(const Enter& plan) {
  constexpr unsigned long join_session_keyring = 1;
  setsid();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  syscall(SYS_keyctl, join_session_keyring, nullptr);  // the machine's keys; where there are none, none is needed
  const int report = fcntl(plan.report, F_DUPFD_CLOEXEC, 3);
  if (report < 0 || !connect_streams(plan)) fail_entering(plan.report, EnterStep::set_up);
  if (syscall(SYS_close_range, 3U, UINT_MAX, CLOSE_RANGE_CLOEXEC) != 0) fail_entering(report, EnterStep::set_up);
  if (!keep_capabilities(plan.keep)) fail_entering(report, EnterStep::set_up);
  if (plan.user_namespace && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) fail_entering(report, EnterStep::set_up);
  if (chdir(plan.directory ? plan.directory : "/") != 0) fail_entering(report, EnterStep::directory);
  reset_signals();
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execve(plan.argv[0], plan.argv, plan.environment);
  fail_entering(report, EnterStep::exec);
}

}  // namespace

void hold(const Hold& plan) {
  // Copies of pipes kept open here would make their readers wait for us; two holders that are made at once would each
  // keep the other's channel from ending, and outlive a runner that is killed now.
  close_all_but(plan.channel);
  unsigned char go = 0;
  if (read(plan.channel, &go, 1) != 1) _exit(127);
  be_opaque();  // not before: the id maps of an opaque process are written by root alone
  setsid();
  reset_signals();
  sigset_t all, child_ended;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
  sigemptyset(&child_ended);
  sigaddset(&child_ended, SIGCHLD);
  prctl(PR_SET_NAME, "drydock-view");
  umask(022);
  std::memset(plan.arguments, 0, plan.arguments_size);
  make_view(plan);
  hand_over(plan);

  const int signals = static_cast<int>(signalfd(-1, &child_ended, SFD_CLOEXEC | SFD_NONBLOCK));
  for (;;) {
    pollfd waiting[2] = {{plan.channel, POLLIN, 0}, {signals, POLLIN, 0}};
    if (poll(waiting, 2, -1) < 0 && errno != EINTR) _exit(127);
    // The end of pid 1 is the end of all in its pid namespace.
    if (waiting[0].revents) _exit(0);
    signalfd_siginfo ignored;
    while (read(signals, &ignored, sizeof ignored) > 0) {
    }
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
    }
  }
}

void enter(const Enter& plan) {
  be_opaque();
  const auto into = [&plan](Handle handle) {
    if (setns(plan.handles[handle], 0) != 0) fail_entering(plan.report, EnterStep::name_spaces);
  };
  if (plan.user_namespace) into(k_user_namespace);
  into(k_ipc_namespace);
  into(k_uts_namespace);
  into(k_pid_namespace);
  into(k_mount_namespace);
  // A sibling of ours: the runner waits for it as for any child of its own. Until it becomes its program it lives in
  // our memory, itself a copy, and we wait.
  alignas(16) char stack[64 * 1024];
  const auto run = [](void* given) -> int { run_program(*static_cast<const Enter*>(given)); };
  const int pid = clone(run, stack + sizeof stack, CLONE_PARENT | CLONE_VM | CLONE_VFORK | SIGCHLD,
                        const_cast<Enter*>(&plan));
  if (pid < 0) fail_entering(plan.report, EnterStep::fork);
  const Report message{EnterStep::entered, 0, pid};
  (void)!write(plan.report, &message, sizeof message);
  _exit(0);
}

}  // namespace drydock::sandbox::view_child
