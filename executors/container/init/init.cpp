// The first process of a job's container: starts programs as it is told, passes on how they ended, and reaps what is
// left. Everything it starts inherits what the OCI runtime set up for it: namespaces, user, capabilities, seccomp,
// control groups. Static, so that it runs in any image. See init_protocol.h.

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>

#include "executors/container/init_protocol.h"

namespace {

using namespace drydock::container::init;

struct Running {
  pid_t pid;
  int control;
};

// Grows as needed; a container runs few programs at a time.
Running* g_running = nullptr;
int g_count = 0, g_room = 0;
pollfd* g_poll = nullptr;

void add(Running entry) {
  if (g_count == g_room) {
    g_room = g_room ? g_room * 2 : 16;
    g_running = static_cast<Running*>(realloc(g_running, sizeof(Running) * static_cast<unsigned>(g_room)));
    g_poll = static_cast<pollfd*>(realloc(g_poll, sizeof(pollfd) * static_cast<unsigned>(g_room + 2)));
    if (!g_running || !g_poll) _exit(125);
  }
  g_running[g_count++] = entry;
}

void report(int control, Event event, Step step, int value) {
  const Report message{event, step, value};
  while (send(control, &message, sizeof message, MSG_NOSIGNAL) < 0 && errno == EINTR) {
  }
}

bool is_program(const char* path) {
  struct stat status {};
  return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

const char* k_standard_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The program as execve wants it, in `buffer`; null, with errno, when it is nowhere.
const char* find_program(const char* name, char** environment, char* buffer, size_t size) {
  if (strchr(name, '/')) return name;
  const char* path = k_standard_path;
  for (char** entry = environment; *entry; ++entry) {
    if (strncmp(*entry, "PATH=", 5) == 0) path = *entry + 5;
  }
  errno = ENOENT;
  for (const char* start = path;;) {
    const char* end = strchrnul(start, ':');
    const size_t length = static_cast<size_t>(end - start), rest = strlen(name);
    if (length > 0 && length + rest + 2 <= size) {
      memcpy(buffer, start, length);
      buffer[length] = '/';
      memcpy(buffer + length + 1, name, rest + 1);
      if (is_program(buffer)) return buffer;
    }
    if (!*end) break;
    start = end + 1;
  }
  errno = ENOENT;
  return nullptr;
}

void reset_signals() {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) sigaction(number, &standard, nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

[[noreturn]] void fail(int control, Step step, int error) {
  report(control, Event::failed, step, error);
  _exit(127);
}

/// The child: never returns. `fds` are in, out, err, payload, control.
[[noreturn]] void become(const Start& start, const int* fds) {
  setsid();
  reset_signals();
  prctl(PR_SET_DUMPABLE, 1);
  const int control = fcntl(fds[4], F_DUPFD_CLOEXEC, 10);
  char* text = static_cast<char*>(mmap(nullptr, start.size ? start.size : 1, PROT_READ | PROT_WRITE, MAP_PRIVATE, fds[3], 0));
  if (text == MAP_FAILED) fail(control, Step::exec, errno);
  char** words = static_cast<char**>(calloc(start.arguments + start.assignments + 3, sizeof(char*)));
  if (!words) fail(control, Step::exec, ENOMEM);
  const char* directory = text;
  char *at = text + strlen(text) + 1, **argv = words, **environment = words + start.arguments + 1;
  for (unsigned i = 0; i < start.arguments; ++i, at += strlen(at) + 1) argv[i] = at;
  for (unsigned i = 0; i < start.assignments; ++i, at += strlen(at) + 1) environment[i] = at;
  for (int i = 0; i < 3; ++i) dup2(fds[i], i);
  syscall(SYS_close_range, 3U, static_cast<unsigned>(control) - 1, 0U);
  syscall(SYS_close_range, static_cast<unsigned>(control) + 1, UINT_MAX, 0U);
  if (*directory && chdir(directory) != 0) fail(control, Step::directory, errno);
  static char buffer[PATH_MAX];
  const char* program = find_program(argv[0], environment, buffer, sizeof buffer);
  if (start.task == Task::locate) {
    if (!program || !is_program(program)) _exit(1);
    (void)!write(1, program, strlen(program));
    _exit(0);
  }
  if (!program) fail(control, Step::exec, errno);
  execve(program, argv, environment);
  fail(control, Step::exec, errno);
}

/// Takes one Start; false at the end of the channel.
bool take_start() {
  Start start;
  alignas(cmsghdr) char space[CMSG_SPACE(sizeof(int) * k_descriptors)] = {};
  iovec part{&start, sizeof start};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = space;
  header.msg_controllen = sizeof space;
  const ssize_t size = recvmsg(k_channel, &header, MSG_CMSG_CLOEXEC);
  if (size < 0) return errno == EINTR || errno == EAGAIN;
  if (size == 0) return false;
  const cmsghdr* rights = CMSG_FIRSTHDR(&header);
  if (size != static_cast<ssize_t>(sizeof start) || !rights || rights->cmsg_type != SCM_RIGHTS) return true;
  int fds[k_descriptors];
  const size_t given = (rights->cmsg_len - CMSG_LEN(0)) / sizeof(int);
  memcpy(fds, CMSG_DATA(rights), sizeof(int) * (given < k_descriptors ? given : k_descriptors));
  if (given == k_descriptors) {
    const pid_t pid = fork();
    if (pid == 0) become(start, fds);
    if (pid < 0) {
      report(fds[4], Event::failed, Step::exec, errno);
      close(fds[4]);
    } else {
      report(fds[4], Event::started, Step::none, pid);
      add({pid, fds[4]});
    }
    for (int i = 0; i < k_descriptors - 1; ++i) close(fds[i]);
  }
  return true;
}

void reap() {
  int status = 0;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    for (int i = 0; i < g_count; ++i) {
      if (g_running[i].pid != pid) continue;
      report(g_running[i].control, Event::ended, Step::none, status);
      close(g_running[i].control);
      g_running[i] = g_running[--g_count];
      break;
    }
  }
}

/// A Signal, or the end of whoever wanted the program.
void take_signal(int index) {
  Signal message;
  const ssize_t size = recv(g_running[index].control, &message, sizeof message, MSG_DONTWAIT);
  if (size == static_cast<ssize_t>(sizeof message)) {
    kill(-g_running[index].pid, message.number);
  } else if (size == 0) {
    kill(-g_running[index].pid, SIGKILL);
    close(g_running[index].control);
    g_running[index] = g_running[--g_count];
  }
}

}  // namespace

int main() {
  // Steps must not look into this process or trace it, whoever they run as.
  prctl(PR_SET_DUMPABLE, 0);
  prctl(PR_SET_NAME, "drydock-init");
  fcntl(k_channel, F_SETFD, FD_CLOEXEC);
  sigset_t all, child_ended;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
  sigemptyset(&child_ended);
  sigaddset(&child_ended, SIGCHLD);
  const int signals = signalfd(-1, &child_ended, SFD_CLOEXEC | SFD_NONBLOCK);
  g_room = 0;
  g_poll = static_cast<pollfd*>(malloc(sizeof(pollfd) * 2));
  const Hello hello;
  if (send(k_channel, &hello, sizeof hello, MSG_NOSIGNAL) < 0) return 125;
  for (;;) {
    g_poll[0] = {k_channel, POLLIN, 0};
    g_poll[1] = {signals, POLLIN, 0};
    const int count = g_count;
    for (int i = 0; i < count; ++i) g_poll[2 + i] = {g_running[i].control, POLLIN, 0};
    if (poll(g_poll, static_cast<nfds_t>(2 + count), -1) < 0) continue;
    // From the last to the first: what is removed is replaced by one that was looked at.
    for (int i = count - 1; i >= 0; --i) {
      if (g_poll[2 + i].revents) take_signal(i);
    }
    if (g_poll[1].revents) {
      signalfd_siginfo ignored;
      while (read(signals, &ignored, sizeof ignored) > 0) {
      }
      reap();
    }
    if (g_poll[0].revents && !take_start()) return 0;
  }
}
