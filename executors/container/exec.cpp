#include "executors/container/exec.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "executors/base/process_launch.h"
#include "executors/container/init_protocol.h"

namespace drydock::container {
namespace {

struct Ends {
  OwnedFd ours, theirs;
};

Result<Ends> output_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return errno_error("pipe", errno);
  return Ends{OwnedFd(ends[0]), OwnedFd(ends[1])};
}

Result<Ends> control_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return errno_error("socketpair", errno);
  return Ends{OwnedFd(ends[0]), OwnedFd(ends[1])};
}

Result<OwnedFd> payload_of(const ProcessSpec& spec, init::Start& start) {
  std::string text = spec.directory;
  text += '\0';
  for (const auto& argument : spec.argv) {
    if (argument.find('\0') != std::string::npos) {
      return make_error(ErrorCode::usage, "an argument of " + spec.argv[0] + " contains a NUL byte");
    }
    text += argument + '\0';
  }
  const Environment none;
  const Environment& environment = spec.environment ? *spec.environment : none;
  for (const auto& [name, value] : environment) text += name + "=" + value + '\0';
  start.arguments = static_cast<std::uint32_t>(spec.argv.size());
  start.assignments = static_cast<std::uint32_t>(environment.size());
  start.size = text.size();
  OwnedFd file(::memfd_create("drydock-start", MFD_CLOEXEC));
  if (file.get() < 0) return errno_error("memfd", errno);
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto size = ::write(file.get(), rest.data(), rest.size());
    if (size < 0) return errno_error("memfd", errno);
    rest.remove_prefix(static_cast<std::size_t>(size));
  }
  return file;
}

Error gone(const std::string& program) {
  return make_error(ErrorCode::environment, "cannot start " + program + ": the container has ended",
                    "the events before this tell why; a container ends when the machine's memory is short, for one");
}

/// The program as its control socket shows it.
class Remote : public RunningProgram {
 public:
  Remote(const ProcessSpec& spec, OwnedFd control) : spec_(spec), control_(std::move(control)) {}

  int end_descriptor() const override { return control_.get(); }
  bool ended() override {
    while (!status_ && !failure_ && take(MSG_DONTWAIT)) {
    }
    return status_ || failure_;
  }
  void signal(int number) override {
    const init::Signal message{number};
    ::send(control_.get(), &message, sizeof message, MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  Result<int> status() override {
    if (failure_) return *failure_;
    return *status_;
  }

 private:
  bool take(int flags) {
    init::Report report;
    const auto size = ::recv(control_.get(), &report, sizeof report, flags);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (size != static_cast<ssize_t>(sizeof report)) {
      if (!failure_) failure_ = gone(spec_.argv[0]);
      return false;
    }
    if (report.event == init::Event::failed) failure_ = start_error(report);
    if (report.event == init::Event::ended) status_ = report.value;
    return true;
  }

  Error start_error(const init::Report& report) const {
    const std::string& program = spec_.argv[0];
    if (report.step == init::Step::directory) {
      return make_error(ErrorCode::not_found, "cannot start " + program + ": working directory " + spec_.directory +
                                                  " does not exist in the container");
    }
    if (report.value == ENOENT && program.find('/') == std::string::npos) {
      return make_error(ErrorCode::not_found, "cannot start " + program + ": no such program in the container's PATH",
                        "install it in an earlier step, or use an image that has it");
    }
    auto error = errno_error("cannot start " + program + " in the container", report.value);
    if (report.value == ENOEXEC) {
      error.code = ErrorCode::environment;
      error.mend = "it is a program of another architecture without a registered emulator, or a script without a #! line";
    }
    return error;
  }

  const ProcessSpec& spec_;
  OwnedFd control_;
  std::optional<int> status_;
  std::optional<Error> failure_;
};

struct Started {
  OwnedFd out, err, control;
};

Result<Started> start(int channel, init::Task task, const ProcessSpec& spec) {
  init::Start message;
  message.task = task;
  DRYDOCK_ASSIGN(const auto payload, payload_of(spec, message));
  DRYDOCK_ASSIGN(const auto input, input_descriptor(spec.input));
  DRYDOCK_ASSIGN(auto out, output_pipe());
  DRYDOCK_ASSIGN(auto err, output_pipe());
  DRYDOCK_ASSIGN(auto control, control_pair());
  const int handed[init::k_descriptors] = {input.get(), out.theirs.get(), err.theirs.get(), payload.get(),
                                           control.theirs.get()};
  alignas(cmsghdr) char space[CMSG_SPACE(sizeof handed)] = {};
  iovec part{&message, sizeof message};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = space;
  header.msg_controllen = sizeof space;
  cmsghdr* rights = CMSG_FIRSTHDR(&header);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof handed);
  std::memcpy(CMSG_DATA(rights), handed, sizeof handed);
  ssize_t sent;
  do {
    sent = ::sendmsg(channel, &header, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return gone(spec.argv[0]);
  return Started{std::move(out.ours), std::move(err.ours), std::move(control.ours)};
}

}  // namespace

Result<ProcessResult> run_in_container(int channel, const ProcessSpec& spec, std::stop_token stop) {
  if (spec.argv.empty() || spec.argv[0].empty()) return make_error(ErrorCode::internal, "no program was given");
  if (stop.stop_requested()) {
    return make_error(ErrorCode::cancelled, spec.argv[0] + " was not started: asked to stop");
  }
  DRYDOCK_ASSIGN(auto started, start(channel, init::Task::run, spec));
  Remote remote(spec, std::move(started.control));
  return run_to_end(spec, remote, std::move(started.out), std::move(started.err), std::move(stop));
}

std::optional<std::string> find_in_container(int channel, std::string_view name, const Environment& environment) {
  if (name.empty()) return {};
  if (name.find('/') != std::string_view::npos) return std::string(name);
  ProcessSpec spec;
  spec.argv = {std::string(name)};
  spec.environment = environment;
  auto started = start(channel, init::Task::locate, spec);
  if (!started) return {};
  Remote remote(spec, std::move(started->control));
  auto result = run_to_end(spec, remote, std::move(started->out), std::move(started->err), {});
  if (!result || result->exit_code != 0) return {};
  return result->out;
}

}  // namespace drydock::container
