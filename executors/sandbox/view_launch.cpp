#include "executors/sandbox/view_launch.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "executors/sandbox/files.h"

namespace drydock::sandbox {
namespace {

// What installing packages and changing users takes. None of these reaches out of the view: no mounts
// (SYS_ADMIN), no file handles (DAC_READ_SEARCH opens any file of a shared file system by number), no devices, modules,
// tracing, clock, reboot or network settings.
constexpr std::uint64_t k_kept_capabilities =
    1ull << CAP_CHOWN | 1ull << CAP_DAC_OVERRIDE | 1ull << CAP_FOWNER | 1ull << CAP_FSETID | 1ull << CAP_KILL |
    1ull << CAP_SETGID | 1ull << CAP_SETUID | 1ull << CAP_SETPCAP | 1ull << CAP_NET_BIND_SERVICE |
    1ull << CAP_NET_RAW | 1ull << CAP_SYS_CHROOT | 1ull << CAP_AUDIT_WRITE | 1ull << CAP_SETFCAP;

struct ReportPipe {
  OwnedFd read, write;
};

Result<ReportPipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return errno_error("cannot make a pipe", errno);
  return ReportPipe{OwnedFd(ends[0]), OwnedFd(ends[1])};
}

Error start_error(const ProcessSpec& spec, const view_child::Report& report) {
  const std::string what = "cannot start " + spec.argv[0];
  switch (report.step) {
    case view_child::EnterStep::directory: return errno_error(what + ": cannot enter its directory " + spec.directory, report.error);
    case view_child::EnterStep::exec: break;
    case view_child::EnterStep::fork: return errno_error(what + ": fork", report.error);
    default: return errno_error(what + ": cannot enter the view", report.error);
  }
  auto error = errno_error(what + ": it cannot be executed", report.error);
  if (report.error == ENOEXEC) {
    error.code = ErrorCode::environment;
    error.mend = "it is a program of another architecture without a registered emulator, or a script without a #! line";
  }
  return error;
}

bool read_report(int fd, view_child::Report& report) {
  ssize_t size;
  do {
    size = ::read(fd, &report, sizeof report);
  } while (size < 0 && errno == EINTR);
  return size == static_cast<ssize_t>(sizeof report);
}

void reap(pid_t pid) {
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

/// The pid of the program; it is our child.
Result<pid_t> start(const view_child::Enter& plan, ReportPipe& report, const ProcessSpec& spec) {
  long helper;
  {
    const SignalsHeld held;
    helper = ::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (helper == 0) view_child::enter(plan);
  }
  if (helper < 0) return errno_error("cannot start " + spec.argv[0] + ": fork", errno);
  report.write.reset();
  pid_t program = -1;
  std::optional<view_child::Report> failure;
  for (view_child::Report one; read_report(report.read.get(), one);) {
    if (one.step == view_child::EnterStep::entered) program = one.pid;
    else failure = one;
  }
  reap(static_cast<pid_t>(helper));
  if (failure || program < 0) {
    if (program > 0) reap(program);
    return start_error(spec, failure.value_or(view_child::Report{view_child::EnterStep::name_spaces, ESRCH, 0}));
  }
  return program;
}

}  // namespace

Result<Launched> launch_in_view(const ViewLaunch& launch, const ProcessSpec& spec) {
  DRYDOCK_ASSIGN(auto input, input_descriptor(spec.input));
  DRYDOCK_ASSIGN(auto out, make_pipe());
  DRYDOCK_ASSIGN(auto err, make_pipe());
  DRYDOCK_ASSIGN(auto report, make_pipe());

  std::vector<std::string> arguments = spec.argv, assignments;
  arguments[0] = launch.program;
  for (const auto& [name, value] : *launch.environment) assignments.push_back(name + "=" + value);
  std::vector<char*> argv, environment;
  for (auto& argument : arguments) argv.push_back(argument.data());
  for (auto& assignment : assignments) environment.push_back(assignment.data());
  argv.push_back(nullptr);
  environment.push_back(nullptr);

  view_child::Enter plan;
  plan.handles = launch.handles;
  plan.in = input.get();
  plan.out = out.write.get();
  plan.err = err.write.get();
  plan.report = report.write.get();
  plan.directory = spec.directory.empty() ? nullptr : spec.directory.c_str();
  plan.argv = argv.data();
  plan.environment = environment.data();
  plan.user_namespace = launch.user_namespace;
  if (!launch.user_namespace) plan.keep = k_kept_capabilities;
  DRYDOCK_ASSIGN(const pid_t pid, start(plan, report, spec));
  Launched launched;
  launched.pid = pid;
  launched.out = std::move(out.read);
  launched.err = std::move(err.read);
  return launched;
}

}  // namespace drydock::sandbox
