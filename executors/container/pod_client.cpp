#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "executors/container/image_root.h"
#include "executors/container/message_channel.h"
#include "executors/container/pod_server.h"
#include "executors/sandbox/userns.h"

namespace drydock::container {
namespace {

using nlohmann::json;

struct Pipe {
  OwnedFd read_end, write_end;
  static Result<Pipe> open() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return errno_error("pipe", errno);
    return Pipe{OwnedFd(ends[0]), OwnedFd(ends[1])};
  }
};

/// Passes both pipes on until they end.
void pump(OwnedFd out, OwnedFd err, const std::function<void(std::string_view)>& on_out,
          const std::function<void(std::string_view)>& on_err) {
  std::vector<char> buffer(65536);
  const auto take = [&buffer](OwnedFd& fd, const std::function<void(std::string_view)>& listener) {
    const auto size = ::read(fd.get(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) return;
    if (size <= 0) return fd.reset();
    if (listener) listener({buffer.data(), static_cast<std::size_t>(size)});
  };
  while (out.get() >= 0 || err.get() >= 0) {
    std::array<pollfd, 2> items{{{out.get(), POLLIN, 0}, {err.get(), POLLIN, 0}}};
    if (::poll(items.data(), items.size(), -1) < 0 && errno != EINTR) return;
    if (items[0].revents) take(out, on_out);
    if (items[1].revents) take(err, on_err);
  }
}

}  // namespace

struct PodClient::State {
  Bus* bus = nullptr;
  std::unique_ptr<MessageChannel> channel;
  std::optional<sandbox::NamespaceProcess> process;
  std::thread reader;
  std::mutex mutex;
  std::condition_variable changed;
  int last = 0;
  bool ended = false;
  std::map<int, Message> answers;
  PodAnswer answer;
  OwnedFd job_channel;

  ~State() {
    if (channel) channel->close();
    if (process) (void)process->wait().ok();
    if (reader.joinable()) reader.join();
  }

  Status launch(const std::string& program, sandbox::ChildIds ids);
  void read_all();
  Result<Message> call(const std::string& what, const json& body, const std::vector<int>& descriptors, std::stop_token stop);
};

Status PodClient::State::launch(const std::string& program, sandbox::ChildIds ids) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return errno_error("socketpair", errno);
  channel = std::make_unique<MessageChannel>(OwnedFd(ends[0]));
  const OwnedFd theirs(ends[1]);
  sandbox::UserNamespaceOptions options;
  options.ids = ids;
  options.descriptors = {{theirs.get(), 0}, {STDERR_FILENO, 1}, {STDERR_FILENO, 2}};
  DRYDOCK_ASSIGN(auto started, sandbox::spawn_in_user_namespace({program, "containers", "--stdio"}, options));
  process.emplace(std::move(started));
  reader = std::thread([this] { read_all(); });
  return {};
}

void PodClient::State::read_all() {
  while (auto message = channel->receive()) {
    if (message->body.contains("event")) {
      Event event;
      std::string why;
      if (from_json(message->body["event"], event, why)) bus->publish(std::move(event));
      continue;
    }
    const std::lock_guard lock(mutex);
    answers.emplace(message->body.value("id", 0), std::move(*message));
    changed.notify_all();
  }
  const std::lock_guard lock(mutex);
  ended = true;
  changed.notify_all();
}

Result<Message> PodClient::State::call(const std::string& what, const json& body, const std::vector<int>& descriptors,
                                       std::stop_token stop) {
  int id;
  {
    const std::lock_guard lock(mutex);
    id = ++last;
  }
  DRYDOCK_TRY(channel->send({{"id", id}, {"call", what}, {"body", body}}, descriptors));
  const std::stop_callback on_stop(stop, [this, id] { (void)channel->send({{"id", id}, {"call", "stop"}}).ok(); });
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return ended || answers.contains(id); });
  auto found = answers.extract(id);
  if (found.empty()) {
    if (stop.stop_requested()) return make_error(ErrorCode::cancelled, "stopped");
    return make_error(ErrorCode::environment, "the process that holds the job's containers has ended",
                      "was it killed, or is the machine short of memory?");
  }
  Message message = std::move(found.mapped());
  if (message.body.contains("error")) return error_from_json(message.body["error"]);
  return message;
}

PodClient::PodClient() = default;

Result<std::unique_ptr<PodClient>> PodClient::start(const std::string& program, const PodRequest& request, Bus& bus,
                                                    std::stop_token stop) {
  auto ids = ::geteuid() == 0 && sandbox::in_initial_user_namespace() ? sandbox::ChildIds::machine
                                                                       : sandbox::ChildIds::own_namespace;
  for (;;) {
    std::unique_ptr<PodClient> made(new PodClient);
    made->state_ = std::make_unique<State>();
    made->state_->bus = &bus;
    DRYDOCK_TRY(made->state_->launch(program, ids));
    auto started = made->state_->call("start", to_json(request), {}, stop);
    if (!started) {
      if (started.error().message == k_needs_user_namespace && ids == sandbox::ChildIds::machine) {
        ids = sandbox::ChildIds::own_namespace;
        continue;
      }
      return std::move(started).error();
    }
    DRYDOCK_ASSIGN(made->state_->answer, pod_answer_from_json(started->body.value("answer", json::object())));
    if (!started->descriptors.empty()) made->state_->job_channel = std::move(started->descriptors.front());
    return made;
  }
}

PodClient::~PodClient() {
  if (state_ && state_->channel) (void)state_->call("finish", json::object(), {}, {}).ok();
}

const PodAnswer& PodClient::answer() const { return state_->answer; }
int PodClient::job_channel() const { return state_->job_channel.get(); }

Status PodClient::prepare_action(const ActionRequest& action, std::stop_token stop) {
  DRYDOCK_TRY(state_->call("prepare", to_json(action), {}, std::move(stop)));
  return {};
}

Result<ProcessResult> PodClient::run_action(const ActionRequest& action,
                                            const std::function<void(std::string_view)>& on_stdout,
                                            const std::function<void(std::string_view)>& on_stderr, std::stop_token stop) {
  DRYDOCK_ASSIGN(auto out, Pipe::open());
  DRYDOCK_ASSIGN(auto err, Pipe::open());
  // The pipes end when the other process has closed its copies, which it does after its answer.
  std::optional<Result<Message>> answer;
  std::thread caller([&] {
    answer.emplace(state_->call("run", to_json(action), {out.write_end.get(), err.write_end.get()}, stop));
    out.write_end.reset();
    err.write_end.reset();
  });
  pump(std::move(out.read_end), std::move(err.read_end), on_stdout, on_stderr);
  caller.join();
  if (!*answer) return std::move(*answer).error();
  const json& body = (*answer)->body["answer"];
  ProcessResult result;
  result.exit_code = body.value("exit_code", 0);
  result.signal = body.value("signal", 0);
  result.stopped = body.value("stopped", false);
  return result;
}

}  // namespace drydock::container
