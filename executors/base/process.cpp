#include "executors/base/process.h"

#include "executors/base/process_launch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>

extern char** environ;

namespace drydock {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// A background process that the child left behind may hold the streams open for ever; so long is waited for
/// it.
constexpr milliseconds k_linger{5000};
constexpr std::size_t k_chunk = 64 * 1024;

class Run {
 public:
  Run(const ProcessSpec& spec, RunningProgram& program, OwnedFd out, OwnedFd err)
      : spec_(spec), program_(program), out_(std::move(out)), err_(std::move(err)), buffer_(k_chunk) {
    wake_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (spec.timeout) deadline_ = Clock::now() + *spec.timeout;
  }

  Result<ProcessResult> to_end(std::stop_token stop) {
    std::stop_callback on_stop(stop, [this] {
      const std::uint64_t one = 1;
      [[maybe_unused]] const auto count = ::write(wake_.get(), &one, sizeof one);
    });
    while (!finished()) {
      if (stop.stop_requested() && stage_ == Stage::running) begin_ending(result_.stopped);
      if (deadline_ && Clock::now() >= *deadline_ && stage_ == Stage::running)
        begin_ending(result_.timed_out);
      if (stage_ != Stage::running && Clock::now() >= next_stage_at_) escalate();
      wait_for_something(stop);
    }
    // The group may hold processes that closed their streams and ignored the softer signals.
    if (stage_ != Stage::running) program_.signal(SIGKILL);
    return reap();
  }

 private:
  enum class Stage { running, interrupted, terminated, killed };

  bool streams_open() const { return out_.get() >= 0 || err_.get() >= 0; }

  bool finished() const {
    if (!exited_) return false;
    if (!streams_open()) return true;
    // What was written is taken, however late this process comes to look.
    return Clock::now() >= give_up_at_ && !anything_to_read();
  }

  bool anything_to_read() const {
    std::array<pollfd, 2> fds{{{out_.get(), POLLIN, 0}, {err_.get(), POLLIN, 0}}};
    return ::poll(fds.data(), fds.size(), 0) > 0;
  }

  void begin_ending(bool& reason) {
    if (exited_) return;
    reason = true;
    stage_ = Stage::interrupted;
    program_.signal(SIGINT);
    next_stage_at_ = Clock::now() + spec_.interrupt_grace;
  }

  void escalate() {
    if (stage_ == Stage::interrupted) {
      stage_ = Stage::terminated;
      program_.signal(SIGTERM);
      next_stage_at_ = Clock::now() + spec_.terminate_grace;
    } else if (stage_ == Stage::terminated) {
      stage_ = Stage::killed;
      program_.signal(SIGKILL);
      next_stage_at_ = Clock::time_point::max();
    }
  }

  int poll_timeout() const {
    auto next = Clock::time_point::max();
    if (deadline_ && stage_ == Stage::running) next = std::min(next, *deadline_);
    if (stage_ != Stage::running) next = std::min(next, next_stage_at_);
    if (exited_) next = std::min(next, give_up_at_);
    // Without a pidfd (old kernel, strict seccomp) the child's end must be asked for.
    if (program_.end_descriptor() < 0 && !exited_) next = std::min(next, Clock::now() + milliseconds(10));
    if (next == Clock::time_point::max()) return -1;
    const auto left = std::chrono::ceil<milliseconds>(next - Clock::now()).count();
    return left < 0 ? 0 : static_cast<int>(std::min<std::int64_t>(left, 60'000));
  }

  void wait_for_something(const std::stop_token& stop) {
    std::array<pollfd, 4> fds{{{out_.get(), POLLIN, 0},
                               {err_.get(), POLLIN, 0},
                               {exited_ ? -1 : program_.end_descriptor(), POLLIN, 0},
                               {stop.stop_requested() ? -1 : wake_.get(), POLLIN, 0}}};
    const int ready = ::poll(fds.data(), fds.size(), poll_timeout());
    if (ready < 0) return;
    if (fds[0].revents) take(out_, spec_.on_stdout, result_.out);
    if (fds[1].revents) take(err_, spec_.on_stderr, result_.err);
    if (!exited_ && (fds[2].revents || program_.end_descriptor() < 0)) notice_exit();
  }

  void take(OwnedFd& fd, const std::function<void(std::string_view)>& callback, std::string& collected) {
    const auto count = ::read(fd.get(), buffer_.data(), buffer_.size());
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (count <= 0) {
      fd.reset();
      return;
    }
    if (exited_) give_up_at_ = Clock::now() + k_linger;
    const std::string_view piece(buffer_.data(), static_cast<std::size_t>(count));
    if (callback) {
      callback(piece);
    } else {
      collected.append(piece);
    }
  }

  void notice_exit() {
    if (!program_.ended()) return;
    exited_ = true;
    give_up_at_ = Clock::now() + k_linger;
  }

  Result<ProcessResult> reap() {
    DRYDOCK_ASSIGN(const int status, program_.status());
    if (WIFSIGNALED(status)) {
      result_.signal = WTERMSIG(status);
      result_.exit_code = 128 + result_.signal;
    } else {
      result_.exit_code = WEXITSTATUS(status);
    }
    return std::move(result_);
  }

  const ProcessSpec& spec_;
  RunningProgram& program_;
  OwnedFd out_, err_, wake_;
  std::vector<char> buffer_;
  ProcessResult result_;
  Stage stage_ = Stage::running;
  bool exited_ = false;
  std::optional<Clock::time_point> deadline_;
  Clock::time_point next_stage_at_ = Clock::time_point::max();
  Clock::time_point give_up_at_ = Clock::time_point::max();
};

/// A child of this process that leads its own process group.
class Child : public RunningProgram {
 public:
  Child(std::string name, pid_t pid)
      : name_(std::move(name)), pid_(pid), pidfd_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {}

  int end_descriptor() const override { return pidfd_.get(); }
  /// Leaves the zombie in place, so that its process group's number stays ours until the end.
  bool ended() override {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid != 0;
  }
  void signal(int number) override { ::kill(-pid_, number); }
  Result<int> status() override {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0) {
      if (errno != EINTR) return errno_error("cannot wait for " + name_, errno);
    }
    return status;
  }

 private:
  std::string name_;
  pid_t pid_;
  OwnedFd pidfd_;
};

bool is_executable_file(const std::string& path) {
  return ::access(path.c_str(), X_OK) == 0 && ::access((path + "/.").c_str(), F_OK) != 0;
}

}  // namespace

Environment current_environment() {
  Environment environment;
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (equals != std::string_view::npos && equals > 0) {
      environment.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
  }
  return environment;
}

std::optional<std::string> find_program(std::string_view name, const Environment* environment) {
  if (name.empty()) return std::nullopt;
  if (name.find('/') != std::string_view::npos) return std::string(name);
  std::string path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  if (environment) {
    if (const auto found = environment->find("PATH"); found != environment->end()) path = found->second;
  } else if (const char* value = ::getenv("PATH")) {
    path = value;
  }
  std::string_view rest = path;
  for (;;) {
    const auto colon = rest.find(':');
    std::string candidate(rest.substr(0, colon));
    candidate = (candidate.empty() ? "." : candidate) + "/" + std::string(name);
    if (is_executable_file(candidate)) {
      if (candidate[0] == '/') return candidate;
      char* absolute = ::realpath(candidate.c_str(), nullptr);
      if (absolute) candidate = absolute;
      ::free(absolute);
      return candidate;
    }
    if (colon == std::string_view::npos) return std::nullopt;
    rest.remove_prefix(colon + 1);
  }
}

std::string process_token() {
  struct stat pid_namespace {};
  (void)::stat("/proc/self/ns/pid", &pid_namespace);
  return std::to_string(::getpid()) + "." + std::to_string(pid_namespace.st_ino);
}

Result<ProcessResult> run_process(const ProcessSpec& spec, std::stop_token stop) {
  if (spec.argv.empty() || spec.argv[0].empty())
    return make_error(ErrorCode::internal, "no program was given");
  for (const auto& argument : spec.argv) {
    if (argument.find('\0') != std::string::npos) {
      return make_error(ErrorCode::usage, "an argument of " + spec.argv[0] + " contains a NUL byte");
    }
  }
  if (stop.stop_requested())
    return make_error(ErrorCode::cancelled, spec.argv[0] + " was not started: asked to stop");
  DRYDOCK_ASSIGN(auto launched, launch(spec));
  return run_launched(spec, std::move(launched), std::move(stop));
}

Result<ProcessResult> run_launched(const ProcessSpec& spec, Launched launched, std::stop_token stop) {
  Child child(spec.argv[0], launched.pid);
  return run_to_end(spec, child, std::move(launched.out), std::move(launched.err), std::move(stop));
}

Result<ProcessResult> run_to_end(const ProcessSpec& spec, RunningProgram& program, OwnedFd out, OwnedFd err,
                                 std::stop_token stop) {
  return Run(spec, program, std::move(out), std::move(err)).to_end(std::move(stop));
}

}  // namespace drydock
