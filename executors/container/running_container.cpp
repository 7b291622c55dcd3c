#include "executors/container/running_container.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <string_view>

#include "executors/base/fs.h"
#include "executors/container/exec.h"
#include "executors/container/init_program.h"
#include "executors/container/init_protocol.h"

namespace drydock::container {
namespace {

constexpr const char* k_inside = "/dev/.drydock-init";

/// Waits for the container's Hello; false when it ended instead.
bool hear_hello(int channel) {
  init::Hello hello;
  ssize_t size;
  do {
    size = ::recv(channel, &hello, sizeof hello, 0);
  } while (size < 0 && errno == EINTR);
  return size == static_cast<ssize_t>(sizeof hello);
}

}  // namespace

Result<std::filesystem::path> init_program(const std::filesystem::path& state_dir) {
  const auto path = state_dir / "init";
  const std::string wanted(init_binary());
  if (const auto there = read_file_if_exists(path.string()); there && *there && **there == wanted) return path;
  DRYDOCK_TRY(make_directories(state_dir.string()));
  DRYDOCK_TRY(write_file_atomic(path.string(), wanted, 0755));
  return path;
}

Result<std::unique_ptr<RunningContainer>> RunningContainer::start(const sandbox::Runtime& runtime,
                                                                  sandbox::ContainerSpec spec,
                                                                  const std::filesystem::path& state_dir) {
  DRYDOCK_ASSIGN(const auto program, init_program(state_dir));
  spec.args = {k_inside};
  spec.mounts.push_back({"bind", program.string(), k_inside, {"bind", "ro"}});
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return errno_error("socketpair", errno);
  std::unique_ptr<RunningContainer> made(new RunningContainer);
  made->id_ = spec.id;
  made->channel_.reset(ends[0]);
  auto theirs = std::make_shared<OwnedFd>(ends[1]);
  // The runtime's own complaint comes as the result; what the first process says there is nothing to anybody.
  made->thread_ = std::thread([&runtime, spec = std::move(spec), theirs, self = made.get()] {
    sandbox::ContainerIo io;
    io.more = {theirs->get()};
    self->ended_ = runtime.run(spec, io, self->stop_.get_token());
    theirs->reset();
  });
  if (hear_hello(made->channel())) return made;
  made->thread_.join();
  if (!made->ended_) return std::move(made->ended_).error();
  return make_error(ErrorCode::environment, "container " + made->id_ + " ended at once, with status " +
                                                std::to_string(made->ended_->exit_code));
}

RunningContainer::~RunningContainer() {
  stop_.request_stop();
  if (thread_.joinable()) thread_.join();
}

Result<ProcessResult> RunningContainer::run(const ProcessSpec& spec, std::stop_token stop) const {
  return run_in_container(channel(), spec, std::move(stop));
}

}  // namespace drydock::container
