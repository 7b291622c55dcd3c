#include "executors/container/pod_server.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "executors/base/masker.h"
#include "executors/container/message_channel.h"
#include "executors/container/pod.h"

namespace drydock::container {
namespace {

using nlohmann::json;

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto size = ::write(fd, text.data(), text.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(size));
  }
}

/// Each call is answered by a thread of its own, so that others can be made, and stopped, meanwhile.
class Server {
 public:
  explicit Server(int fd) : channel_(OwnedFd(fd)), bus_(std::make_shared<Masker>()) {
    bus_.listen([this](const Event& event) { (void)channel_.send({{"event", to_json(event)}}).ok(); });
  }

  int run() {
    while (auto message = channel_.receive()) take(std::move(*message));
    // The client is gone: whatever runs is to end.
    {
      const std::lock_guard lock(mutex_);
      for (auto& [id, stop] : calls_) stop.request_stop();
    }
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return calls_.empty(); });
    lock.unlock();
    pod_.reset();
    return 0;
  }

 private:
  void take(Message message) {
    const auto id = message.body.value("id", 0);
    const auto what = message.body.value("call", std::string());
    if (what == "stop") {
      const std::lock_guard lock(mutex_);
      if (const auto found = calls_.find(id); found != calls_.end()) found->second.request_stop();
      return;
    }
    std::stop_token stop;
    {
      const std::lock_guard lock(mutex_);
      stop = calls_[id].get_token();
    }
    auto held = std::make_shared<Message>(std::move(message));
    std::thread([this, id, what, held, stop] {
      answer(id, what, *held, stop);
      const std::lock_guard lock(mutex_);
      calls_.erase(id);
      changed_.notify_all();
    }).detach();
  }

  void answer(int id, const std::string& what, Message& message, std::stop_token stop) {
    const json body = message.body.value("body", json::object());
    if (what == "start") {
      int channel = -1;
      const auto started = start(body, channel, stop);
      reply(id, started, channel);
    } else if (what == "prepare") {
      reply(id, prepare(body, stop));
    } else if (what == "run") {
      reply(id, run(body, message, stop));
    } else if (what == "finish") {
      if (pod_) pod_->publish_logs();
      pod_.reset();
      reply(id, json::object());
    } else {
      reply(id, make_error(ErrorCode::internal, "no such call: " + what));
    }
  }

  void reply(int id, const Result<json>& result, int descriptor = -1) {
    json message = {{"id", id}};
    if (result) message["answer"] = *result;
    else message["error"] = to_json(result.error());
    std::vector<int> descriptors;
    if (descriptor >= 0) descriptors.push_back(descriptor);
    (void)channel_.send(message, descriptors).ok();
  }

  Result<json> start(const json& body, int& channel, std::stop_token stop) {
    DRYDOCK_ASSIGN(auto request, pod_request_from_json(body));
    pod_ = std::make_unique<Pod>(std::move(request), bus_);
    auto answer = pod_->start(std::move(stop));
    if (!answer) {
      pod_.reset();
      return std::move(answer).error();
    }
    channel = pod_->job_channel();
    return to_json(*answer);
  }

  Result<json> prepare(const json& body, std::stop_token stop) {
    DRYDOCK_ASSIGN(const auto action, action_request_from_json(body));
    DRYDOCK_TRY(pod_->prepare_action(action, std::move(stop)));
    return json::object();
  }

  Result<json> run(const json& body, Message& message, std::stop_token stop) {
    if (message.descriptors.size() != 2) return make_error(ErrorCode::internal, "a container action without its streams");
    DRYDOCK_ASSIGN(const auto action, action_request_from_json(body));
    const int out = message.descriptors[0].get(), err = message.descriptors[1].get();
    DRYDOCK_ASSIGN(const auto result, pod_->run_action(action, {[out](std::string_view piece) { write_all(out, piece); },
                                                                [err](std::string_view piece) { write_all(err, piece); }},
                                                       std::move(stop)));
    return json{{"exit_code", result.exit_code}, {"signal", result.signal}, {"stopped", result.stopped}};
  }

  MessageChannel channel_;
  Bus bus_;
  std::unique_ptr<Pod> pod_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<int, std::stop_source> calls_;
};

}  // namespace

int serve_pod(int fd) {
  ::signal(SIGPIPE, SIG_IGN);
  return Server(fd).run();
}

}  // namespace drydock::container
