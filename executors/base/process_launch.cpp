#include "executors/base/process_launch.h"

// Boost declares its vfork path everywhere and defines it only where it takes the platform to have vfork:
// Linux does.
#ifndef BOOST_POSIX_HAS_VFORK
#define BOOST_POSIX_HAS_VFORK 1
#endif
#include <boost/process.hpp>
#include <boost/process/extend.hpp>
#include <boost/process/posix.hpp>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace drydock {
namespace {

namespace bp = boost::process;

struct Pipe {
  OwnedFd read, write;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return errno_error("cannot make a pipe", errno);
  return Pipe{OwnedFd(ends[0]), OwnedFd(ends[1])};
}

/// All that the child does between vfork and execve. It shares the parent's memory: no allocation, no locks,
/// and what it writes to `failed` is seen by the parent.
struct ChildSetup {
  int in = -1, out = -1, err = -1;
  const char* directory = nullptr;
  char** argv = nullptr;
  char** environment = nullptr;
  pid_t parent = -1;
  mutable const char* failed = nullptr;  // what went wrong
  mutable int failed_errno = 0;

  [[noreturn]] void fail(const char* what) const {
    failed = what;
    failed_errno = errno;
    ::_exit(127);
  }

  static void reset_signals() {
    for (int number = 1; number < NSIG; ++number) {
      struct sigaction action {};
      if (::sigaction(number, nullptr, &action) != 0) continue;
      const bool caught = action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN;
      // A shell that starts us in the background has us ignore SIGINT; what we end by it must be able to take it, and a
      // shell cannot trap what it found ignored.
      const bool ends = number == SIGINT || number == SIGTERM;
      if (!caught && number != SIGPIPE && !ends) continue;
      action = {};
      action.sa_handler = SIG_DFL;
      ::sigaction(number, &action, nullptr);
    }
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
  }

  static void close_the_rest_on_exec() {
    constexpr unsigned flag_cloexec = 1U << 2;
    if (::syscall(SYS_close_range, 3U, ~0U, flag_cloexec) == 0) return;
    const long limit = ::sysconf(_SC_OPEN_MAX);
    for (int fd = 3; fd < limit && fd < 65536; ++fd) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  }

  void run() const {
    if (::setpgid(0, 0) != 0) fail("cannot make a process group");
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) fail("cannot tie it to its parent");
    if (::getppid() != parent) ::_exit(127);
    if (::dup2(in, 0) < 0 || ::dup2(out, 1) < 0 || ::dup2(err, 2) < 0) fail("cannot connect its streams");
    close_the_rest_on_exec();
    if (directory && ::chdir(directory) != 0) fail("cannot enter its directory");
    reset_signals();
  }
};

/// Blocks every signal while child and parent share memory.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

Error launch_error(const ProcessSpec& spec, const char* what, int why) {
  std::string text = "cannot start " + spec.argv[0] + ": " + what;
  if (!spec.directory.empty() && std::strstr(what, "directory")) text += " " + spec.directory;
  auto error = errno_error(text, why);
  if (why == ENOEXEC) {
    error.code = ErrorCode::environment;
    error.mend =
        "it is a program of another architecture without a registered emulator, or a script without a #! "
        "line";
  }
  return error;
}

}  // namespace

/// Standard input as an anonymous file: unlike a pipe it needs no writer, so it cannot deadlock or raise
/// SIGPIPE.
Result<OwnedFd> input_descriptor(const std::string& input) {
  if (input.empty()) {
    OwnedFd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (null.get() < 0) return errno_error("cannot open /dev/null", errno);
    return null;
  }
  OwnedFd file(::memfd_create("stdin", MFD_CLOEXEC));
  if (file.get() < 0) return errno_error("cannot make an anonymous file for standard input", errno);
  std::size_t done = 0;
  while (done < input.size()) {
    const auto count = ::write(file.get(), input.data() + done, input.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error("cannot write standard input", errno);
    done += static_cast<std::size_t>(count);
  }
  ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

Result<Launched> launch(const ProcessSpec& spec) {
  const auto program = find_program(spec.argv[0], spec.environment ? &*spec.environment : nullptr);
  if (!program) {
    return make_error(ErrorCode::not_found, "cannot start " + spec.argv[0] + ": no such program in PATH",
                      "install it, or name it with its path");
  }
  DRYDOCK_ASSIGN(auto input, input_descriptor(spec.input));
  DRYDOCK_ASSIGN(auto out, make_pipe());
  DRYDOCK_ASSIGN(auto err, make_pipe());

  std::vector<std::string> arguments = spec.argv;
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  std::vector<std::string> assignments;
  for (const auto& [name, value] : spec.environment ? *spec.environment : current_environment()) {
    assignments.push_back(name + "=" + value);
  }
  std::vector<char*> environment;
  for (auto& assignment : assignments) environment.push_back(assignment.data());
  environment.push_back(nullptr);

  ChildSetup setup;
  setup.in = input.get();
  setup.out = out.write.get();
  setup.err = err.write.get();
  setup.directory = spec.directory.empty() ? nullptr : spec.directory.c_str();
  setup.argv = argv.data();
  setup.environment = environment.data();
  setup.parent = ::getpid();

  Launched launched;
  std::error_code failure;
  try {
    SignalsBlocked blocked;
    // vfork: no copy of a large parent's page tables, and no error pipe that another thread's child could
    // inherit.
    bp::child child(
        bp::exe = *program, bp::posix::use_vfork, failure,
        bp::extend::on_exec_setup = [&setup](auto& executor) {
          executor.cmd_line = setup.argv;
          executor.env = setup.environment;
          setup.run();
        });
    launched.pid = child.id();
    if (setup.failed) {
      std::error_code ignored;
      child.wait(ignored);
    } else {
      child.detach();
    }
  } catch (const std::exception& exception) {
    return make_error(ErrorCode::io, "cannot start " + spec.argv[0] + ": " + exception.what());
  }
  if (setup.failed) return launch_error(spec, setup.failed, setup.failed_errno);
  if (failure) return launch_error(spec, "it cannot be executed", failure.value());
  launched.out = std::move(out.read);
  launched.err = std::move(err.read);
  return launched;
}

}  // namespace drydock
