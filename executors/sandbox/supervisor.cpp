#include "executors/sandbox/supervisor.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "executors/sandbox/supervisor_child.h"

namespace drydock::sandbox {
namespace {

/// Strings as execve wants them; alive for as long as this is.
struct CStrings {
  std::vector<std::string> texts;
  std::vector<char*> pointers;

  explicit CStrings(std::vector<std::string> values) : texts(std::move(values)) {
    for (auto& text : texts) pointers.push_back(text.data());
    pointers.push_back(nullptr);
  }
};

std::vector<std::string> assignments(const Environment& environment) {
  std::vector<std::string> lines;
  for (const auto& [name, value] : environment) lines.push_back(name + "=" + value);
  return lines;
}

struct Pipe {
  int read_end = -1, write_end = -1;
  ~Pipe() {
    if (read_end >= 0) close(read_end);
    if (write_end >= 0) close(write_end);
  }
  bool open() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return false;
    read_end = ends[0];
    write_end = ends[1];
    return true;
  }
  void close_read() { close(std::exchange(read_end, -1)); }
  void close_write() { close(std::exchange(write_end, -1)); }
};

bool read_message(int fd, child::Message& message) {
  ssize_t got;
  do {
    got = read(fd, &message, sizeof message);
  } while (got < 0 && errno == EINTR);
  return got == static_cast<ssize_t>(sizeof message);
}

const char* describe(StartStep step) {
  switch (step) {
    case StartStep::none: return "supervisor";
    case StartStep::propagation: return "making mounts private";
    case StartStep::proc: return "mounting /proc";
    case StartStep::fork: return "fork";
    case StartStep::directory: return "working directory";
    case StartStep::descriptors: return "handing over descriptors";
    case StartStep::exec: return "exec";
  }
  return "supervisor";
}

Error start_error(const SupervisedSpec& spec, const child::Message& message) {
  const auto step = static_cast<StartStep>(message.step);
  if (step == StartStep::exec) return errno_error("cannot start " + spec.argv.front(), message.error);
  if (step == StartStep::directory) {
    return errno_error("cannot start " + spec.argv.front() + " in " + spec.directory, message.error);
  }
  auto error = errno_error("cannot start " + spec.argv.front() + ": " + describe(step), message.error);
  error.code = ErrorCode::environment;
  return error;
}

void reap_process(pid_t pid) {
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace

Supervised::Supervised(Supervised&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      control_fd_(std::exchange(other.control_fd_, -1)),
      status_fd_(std::exchange(other.status_fd_, -1)),
      status_(other.status_) {}

Supervised& Supervised::operator=(Supervised&& other) noexcept {
  if (this != &other) {
    finish();
    pid_ = std::exchange(other.pid_, -1);
    control_fd_ = std::exchange(other.control_fd_, -1);
    status_fd_ = std::exchange(other.status_fd_, -1);
    status_ = other.status_;
  }
  return *this;
}

Supervised::~Supervised() { finish(); }

void Supervised::finish() {
  if (pid_ < 0) return;
  if (!status_) kill();
  wait();
}

void Supervised::signal(int number) {
  const auto byte = static_cast<unsigned char>(number);
  if (control_fd_ < 0) return;
  // MSG_NOSIGNAL does not exist for pipes; the reader lives until it has written its last message.
  sigset_t pipe_signal, before;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
  if (write(control_fd_, &byte, 1) < 0 && errno == EPIPE && !sigismember(&before, SIGPIPE)) {
    const timespec none{};
    sigtimedwait(&pipe_signal, nullptr, &none);
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Supervised::kill() { signal(SIGKILL); }

int Supervised::wait() {
  if (status_) return *status_;
  child::Message message;
  // No message: someone killed the supervisor itself, and with it the program.
  status_ = status_fd_ >= 0 && read_message(status_fd_, message) ? message.status : SIGKILL;
  if (control_fd_ >= 0) close(std::exchange(control_fd_, -1));
  if (status_fd_ >= 0) close(std::exchange(status_fd_, -1));
  if (pid_ > 0) reap_process(std::exchange(pid_, -1));
  return *status_;
}

Result<Supervised> Supervised::start(const SupervisedSpec& spec, StartFailure* failure) {
  Pipe control, status;
  if (!control.open() || !status.open()) return errno_error("pipe", errno);
  CStrings argv(spec.argv), environment(assignments(spec.environment)), last_words(spec.last_words);
  std::vector<int> sources, targets;
  child::Plan plan;
  for (const auto& [source, target] : spec.descriptors) {
    sources.push_back(source);
    targets.push_back(target);
    plan.first_free = std::max(plan.first_free, target + 1);
  }
  if (sources.size() > 64) return make_error(ErrorCode::internal, "too many descriptors to hand over");
  plan.argv = argv.pointers.data();
  plan.environment = environment.pointers.data();
  plan.last_words = spec.last_words.empty() ? nullptr : last_words.pointers.data();
  plan.directory = spec.directory.empty() ? nullptr : spec.directory.c_str();
  plan.sources = sources.data();
  plan.targets = targets.data();
  plan.count = static_cast<int>(sources.size());
  plan.control_fd = control.read_end;
  plan.status_fd = status.write_end;
  plan.user_namespace = spec.namespaces & CLONE_NEWUSER;
  plan.mount_namespace = spec.namespaces & CLONE_NEWNS;
  plan.pid_namespace = spec.namespaces & CLONE_NEWPID;

  const long pid = syscall(SYS_clone, spec.namespaces | SIGCHLD, 0, 0, 0, 0);
  if (pid == 0) {
    close(control.write_end);
    close(status.read_end);
    child::supervise(plan);
  }
  if (pid < 0) {
    auto error = errno_error("clone", errno);
    error.code = ErrorCode::environment;
    return error;
  }
  Supervised result;
  result.pid_ = static_cast<pid_t>(pid);
  control.close_read();
  status.close_write();
  if (spec.map_ids) {
    if (auto mapped = spec.map_ids(result.pid_); !mapped) {
      control.close_write();  // the supervisor, still waiting for its first byte, ends
      reap_process(std::exchange(result.pid_, -1));
      return std::move(mapped).error();
    }
  }
  result.control_fd_ = std::exchange(control.write_end, -1);
  result.status_fd_ = std::exchange(status.read_end, -1);
  result.signal(0);
  child::Message message;
  if (!read_message(result.status_fd_, message)) {
    result.status_ = SIGKILL;
    close(std::exchange(result.control_fd_, -1));
    close(std::exchange(result.status_fd_, -1));
    reap_process(std::exchange(result.pid_, -1));
    return make_error(ErrorCode::environment, "the supervisor of " + spec.argv.front() + " ended at once");
  }
  if (!message.started) {
    if (failure) *failure = {static_cast<StartStep>(message.step), message.error};
    result.status_ = SIGKILL;
    close(std::exchange(result.control_fd_, -1));
    close(std::exchange(result.status_fd_, -1));
    reap_process(std::exchange(result.pid_, -1));
    return start_error(spec, message);
  }
  return result;
}

}  // namespace drydock::sandbox
