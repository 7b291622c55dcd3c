#include "executors/sandbox/supervisor_child.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

#include "executors/sandbox/supervisor.h"

namespace drydock::sandbox::child {
namespace {

// glibc's fork() takes locks that another thread may have held at the clone.
pid_t bare_fork() { return static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)); }

void send(int fd, const Message& message) {
  while (write(fd, &message, sizeof message) < 0 && errno == EINTR) {
  }
}

[[noreturn]] void fail(int fd, StartStep step, int error) {
  Message message;
  message.step = static_cast<std::int32_t>(step);
  message.error = error;
  send(fd, message);
  _exit(127);
}

void reset_signals() {
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) sigaction(number, &standard, nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

// Closes at exec whatever is not handed over on purpose.
void close_all_at_exec() {
  if (syscall(SYS_close_range, 0U, UINT_MAX, CLOSE_RANGE_CLOEXEC) == 0) return;
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  for (unsigned fd = 0; fd < limit.rlim_cur && fd < 65536; ++fd) fcntl(static_cast<int>(fd), F_SETFD, FD_CLOEXEC);
}

void close_range_now(unsigned first, unsigned last) {
  if (first > last || syscall(SYS_close_range, first, last, 0U) == 0) return;
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  for (unsigned fd = first; fd <= last && fd < limit.rlim_cur && fd < 65536; ++fd) close(static_cast<int>(fd));
}

bool is_kept(const Plan& plan, int fd) {
  if (fd == plan.control_fd || fd == plan.status_fd) return true;
  for (int i = 0; i < plan.count; ++i) {
    if (fd == plan.sources[i]) return true;
  }
  return false;
}

// Other supervisors that are made at once must not find their pipes held open here: neither would see its owner die.
void close_strangers(const Plan& plan) {
  int highest = plan.control_fd > plan.status_fd ? plan.control_fd : plan.status_fd;
  for (int i = 0; i < plan.count; ++i) {
    if (plan.sources[i] > highest) highest = plan.sources[i];
  }
  for (int fd = 3; fd < highest; ++fd) {
    if (!is_kept(plan, fd)) close(fd);
  }
  close_range_now(static_cast<unsigned>(highest) + 1, UINT_MAX);
}

void close_all_but(int a, int b) {
  const unsigned low = static_cast<unsigned>(a < b ? a : b), high = static_cast<unsigned>(a < b ? b : a);
  if (low > 0) close_range_now(0, low - 1);
  close_range_now(low + 1, high - 1);
  close_range_now(high + 1, UINT_MAX);
}

[[noreturn]] void run_program(const Plan& plan, int report_fd) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() == 1 && !plan.pid_namespace) _exit(127);  // the supervisor ended before the line above
  reset_signals();
  if (plan.directory && chdir(plan.directory) != 0) fail(report_fd, StartStep::directory, errno);
  close_all_at_exec();
  const int report = fcntl(report_fd, F_DUPFD_CLOEXEC, plan.first_free);
  int moved[64];
  for (int i = 0; i < plan.count; ++i) {
    moved[i] = fcntl(plan.sources[i], F_DUPFD_CLOEXEC, plan.first_free);
    if (moved[i] < 0) fail(report, StartStep::descriptors, errno);
  }
  for (int i = 0; i < plan.count; ++i) {
    if (dup2(moved[i], plan.targets[i]) < 0) fail(report, StartStep::descriptors, errno);
  }
  execve(plan.argv[0], plan.argv, plan.environment);
  fail(report, StartStep::exec, errno);
}

// Kills every child; orphans of theirs come to us in turn, being their reaper.
void kill_children(bool pid_namespace) {
  if (pid_namespace) {
    kill(-1, SIGKILL);
    return;
  }
  const int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  char text[4096];
  ssize_t size;
  long pid = 0;
  while ((size = read(fd, text, sizeof text)) > 0) {
    for (ssize_t i = 0; i < size; ++i) {
      if (text[i] >= '0' && text[i] <= '9') {
        pid = pid * 10 + (text[i] - '0');
      } else if (pid > 0) {
        kill(static_cast<pid_t>(pid), SIGKILL);
        pid = 0;
      }
    }
  }
  close(fd);
}

// Ends and reaps everything below us. `program` may be among them: its status goes to *status.
void end_everything(bool pid_namespace, pid_t program, int* status) {
  for (;;) {
    kill_children(pid_namespace);
    int one = 0;
    const pid_t pid = waitpid(-1, &one, 0);
    if (pid == program && status) *status = one;
    if (pid < 0 && errno != EINTR) return;
  }
}

void run_last_words(const Plan& plan) {
  if (!plan.last_words) return;
  const pid_t pid = bare_fork();
  if (pid == 0) {
    reset_signals();
    const int null = open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; ++fd) dup2(null, fd);
    close_all_at_exec();
    for (int fd = 0; fd < 3; ++fd) fcntl(fd, F_SETFD, 0);
    execve(plan.last_words[0], plan.last_words, plan.environment);
    _exit(127);
  }
  while (pid > 0 && waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

// Until the program ends (its status is returned) or the owner does (then nothing returns).
int watch(const Plan& plan, pid_t program, int signals) {
  for (;;) {
    pollfd waiting[2] = {{plan.control_fd, POLLIN, 0}, {signals, POLLIN, 0}};
    if (poll(waiting, 2, -1) < 0 && errno != EINTR) _exit(127);
    if (waiting[0].revents) {
      unsigned char number = 0;
      const ssize_t got = read(plan.control_fd, &number, 1);
      if (got == 1) {
        if (number == SIGKILL) {
          int status = SIGKILL;
          end_everything(plan.pid_namespace, program, &status);
          return status;
        }
        kill(program, number);
      } else if (got == 0) {
        end_everything(plan.pid_namespace, program, nullptr);
        run_last_words(plan);
        _exit(127);
      }
    }
    if (waiting[1].revents) {
      signalfd_siginfo ignored;
      if (read(signals, &ignored, sizeof ignored) < 0 && errno != EAGAIN && errno != EINTR) _exit(127);
      int status = 0;
      pid_t pid;
      while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == program) {
          const int result = status;
          end_everything(plan.pid_namespace, -1, nullptr);
          return result;
        }
      }
    }
  }
}

void enter_namespaces(const Plan& plan) {
  if (plan.user_namespace && (syscall(SYS_setresgid, 0, 0, 0) != 0 || syscall(SYS_setresuid, 0, 0, 0) != 0)) {
    fail(plan.status_fd, StartStep::propagation, errno);
  }
  if (plan.mount_namespace && mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    fail(plan.status_fd, StartStep::propagation, errno);
  }
  if (plan.pid_namespace && mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0) {
    fail(plan.status_fd, StartStep::proc, errno);
  }
}

}  // namespace

void supervise(const Plan& plan) {
  close_strangers(plan);
  unsigned char go = 0;
  if (read(plan.control_fd, &go, 1) != 1) _exit(127);
  setsid();
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  prctl(PR_SET_NAME, "drydock-super");
  enter_namespaces(plan);

  // Every signal is blocked: the terminal and strangers end us through our owner only. SIGCHLD is read.
  reset_signals();
  sigset_t all, child_ended;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
  sigemptyset(&child_ended);
  sigaddset(&child_ended, SIGCHLD);

  int report[2];
  if (pipe2(report, O_CLOEXEC) != 0) fail(plan.status_fd, StartStep::fork, errno);
  const pid_t program = bare_fork();
  if (program < 0) fail(plan.status_fd, StartStep::fork, errno);
  if (program == 0) run_program(plan, report[1]);

  close(report[1]);
  Message message;
  ssize_t got;
  do {
    got = read(report[0], &message, sizeof message);
  } while (got < 0 && errno == EINTR);
  if (got == static_cast<ssize_t>(sizeof message)) {
    send(plan.status_fd, message);
    _exit(127);
  }
  // Pipes of the program must not stay open here, or their readers would wait for us.
  close_all_but(plan.control_fd, plan.status_fd);
  message = Message{};
  message.started = 1;
  send(plan.status_fd, message);

  const int signals = static_cast<int>(signalfd(-1, &child_ended, SFD_CLOEXEC | SFD_NONBLOCK));
  message.ended = 1;
  message.status = watch(plan, program, signals);
  send(plan.status_fd, message);
  _exit(0);
}

}  // namespace drydock::sandbox::child
