#include "executors/base/orphans.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <mutex>

#include "executors/base/process.h"

namespace drydock {
namespace {

// What follows is also done by the watching process, a bare clone of one with many threads: system calls and the
// stack, no allocation, no locks.

struct Entry {  // of getdents64(2)
  std::uint64_t inode;
  std::int64_t offset;
  unsigned short length;
  unsigned char type;
  char name[1];
};

/// Whether the environment in /proc/<pid>/environ has an assignment that begins with `mark`.
bool carries(int proc, const char* pid, const char* mark, std::size_t length) {
  std::array<char, 32> path;
  std::size_t used = 0;
  for (; pid[used] != '\0' && used < 16; ++used) path[used] = pid[used];
  std::memcpy(path.data() + used, "/environ", sizeof "/environ");
  const int file = ::openat(proc, path.data(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  std::array<char, 16384> buffer;
  buffer[0] = '\0';  // so that the first assignment, too, has an end of another before it
  std::size_t have = 1;
  bool found = false;
  while (!found) {
    const auto count = ::read(file, buffer.data() + have, buffer.size() - have);
    if (count <= 0) break;
    have += static_cast<std::size_t>(count);
    for (std::size_t i = 0; !found && i + 1 + length <= have; ++i) {
      found = buffer[i] == '\0' && std::memcmp(buffer.data() + i + 1, mark, length) == 0;
    }
    const std::size_t keep = have < length ? have : length;
    std::memmove(buffer.data(), buffer.data() + have - keep, keep);
    have = keep;
  }
  ::close(file);
  return found;
}

pid_t number_of(const char* name) {
  pid_t number = 0;
  for (; *name >= '0' && *name <= '9'; ++name) number = number * 10 + (*name - '0');
  return *name == '\0' ? number : 0;
}

/// One look at all processes.
int kill_marked(const char* mark, std::size_t length) {
  const int proc = ::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (proc < 0) return 0;
  alignas(Entry) std::array<char, 8192> buffer;
  const pid_t own = ::getpid();
  int killed = 0;
  for (long count; (count = ::syscall(SYS_getdents64, proc, buffer.data(), buffer.size())) > 0;) {
    for (long at = 0; at < count;) {
      const auto* entry = reinterpret_cast<const Entry*>(buffer.data() + at);
      at += entry->length;
      const pid_t pid = number_of(entry->name);
      if (pid <= 1 || pid == own || !carries(proc, entry->name, mark, length)) continue;
      if (::kill(pid, SIGKILL) == 0) ++killed;
    }
  }
  ::close(proc);
  return killed;
}

/// Until a look finds nothing; one that is being killed is still seen for a while.
int kill_all_marked(const char* mark, std::size_t length) {
  constexpr int k_looks = 100;
  int killed = 0;
  for (int look = 0; look < k_looks; ++look) {
    const int now = kill_marked(mark, length);
    if (now == 0) break;
    if (look == 0) killed = now;
    const timespec pause{0, 5'000'000};
    ::nanosleep(&pause, nullptr);
  }
  return killed;
}

[[noreturn]] void watch(int pipe, const char* mark, std::size_t length) {
  ::setsid();
  ::prctl(PR_SET_NAME, "drydock-watch");
  ::syscall(SYS_close_range, 0U, static_cast<unsigned>(pipe) - 1, 0U);
  ::syscall(SYS_close_range, static_cast<unsigned>(pipe) + 1, UINT_MAX, 0U);
  char byte;
  ssize_t told;
  while ((told = ::read(pipe, &byte, 1)) < 0 && errno == EINTR) {
  }
  // A byte comes from one that ends in order, and has seen to its jobs itself.
  if (told == 0) kill_all_marked(mark, length);
  ::_exit(0);
}

struct Watcher {
  std::string prefix;       // of every tracking id of this process
  std::string assignment;   // "RUNNER_TRACKING_ID=<prefix>"; read by the watching process
  int pipe = -1;            // closed by the kernel when this process ends
  pid_t pid = -1;

  Watcher() : prefix("github_" + process_token() + "_"), assignment(std::string(k_tracking_variable) + "=" + prefix) {
    // Orphans come to this process, which then knows whether there are any.
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return;
    sigset_t all, before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    // No signal at its end: nobody waits for it, and it is no child that a wait for any child would see.
    pid = static_cast<pid_t>(::syscall(SYS_clone, 0, 0, 0, 0, 0));
    if (pid == 0) watch(ends[0], assignment.c_str(), assignment.size());
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    ::close(ends[0]);
    pipe = ends[1];
  }

  void dismiss() const {
    if (pid <= 0 || ::write(pipe, "", 1) != 1) return;
    while (::waitpid(pid, nullptr, __WALL) < 0 && errno == EINTR) {
    }
  }
};

const Watcher& watcher() {
  static const Watcher* one = [] {
    auto* made = new Watcher;  // never destroyed: its pipe is the kernel's to close
    std::atexit([] { watcher().dismiss(); });
    return made;
  }();
  return *one;
}

}  // namespace

std::string new_tracking_id() {
  static std::atomic<unsigned> next{0};
  return watcher().prefix + std::to_string(++next);
}

int end_orphans(const std::string& tracking_id) {
  siginfo_t info{};
  if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 && errno == ECHILD) return 0;
  std::string assignment = std::string(k_tracking_variable) + "=" + tracking_id;
  // Its end, too, so that job 1 does not end what job 12 has.
  return kill_all_marked(assignment.c_str(), assignment.size() + 1);
}

}  // namespace drydock
