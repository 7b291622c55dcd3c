#include "executors/build/engine_channel.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include <nlohmann/json.hpp>

#include "executors/base/json.h"
#include "executors/build/build_engine.h"
#include "executors/build/file_tree.h"

namespace drydock::build {

namespace {

constexpr int k_call_schema = 1;

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto put = ::write(fd, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

/// Lines of a descriptor; empty at its end.
class LineReader {
 public:
  explicit LineReader(int fd) : fd_(fd) {}
  std::optional<std::string> next() {
    for (;;) {
      if (const auto end = buffer_.find('\n', searched_); end != std::string::npos) {
        auto line = buffer_.substr(0, end);
        buffer_.erase(0, end + 1);
        searched_ = 0;
        return line;
      }
      searched_ = buffer_.size();
      char piece[65536];
      const auto got = ::read(fd_, piece, sizeof piece);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return std::nullopt;
      buffer_.append(piece, static_cast<std::size_t>(got));
    }
  }

 private:
  int fd_;
  std::string buffer_;
  std::size_t searched_ = 0;
};

nlohmann::json error_to_json(const Error& error) {
  return {{"code", static_cast<int>(error.code)},
          {"message", error.message},
          {"mend", error.mend},
          {"context", error.context}};
}

Error error_from_json(const nlohmann::json& json) {
  Error error;
  error.code = static_cast<ErrorCode>(json.value("code", static_cast<int>(ErrorCode::internal)));
  error.message = json.value("message", "");
  error.mend = json.value("mend", "");
  error.context = json.value("context", std::vector<std::string>{});
  return error;
}

/// Masks output that comes from the engine: it knows the build's secrets alone, the caller's bus knows them all. One
/// stream for each vertex and descriptor, for a secret may come in two pieces.
class OutputMask {
 public:
  explicit OutputMask(Bus& bus) : bus_(bus) {}

  void publish(Event event) {
    if (event.kind == EventKind::log) {
      const auto found = streams_.try_emplace({event.vertex, event.stream}, event, bus_.masker()).first;
      event.text = found->second.stream.feed(event.text);
      if (event.text.empty()) return;
    }
    if (event.kind == EventKind::vertex_finished) release(event.vertex);
    bus_.publish(std::move(event));
  }

 private:
  struct Output {
    Output(const Event& first, const Masker& masker) : event(first), stream(masker) {}
    Event event;
    Masker::Stream stream;
  };

  void release(const std::string& vertex) {
    for (const auto stream : {Stream::out, Stream::err}) {
      auto found = streams_.extract({vertex, stream});
      if (found.empty()) continue;
      auto event = std::move(found.mapped().event);
      event.text = found.mapped().stream.flush();
      if (!event.text.empty()) bus_.publish(std::move(event));
    }
  }

  Bus& bus_;
  std::map<std::pair<std::string, Stream>, Output> streams_;
};

}  // namespace

std::string encode(const EngineCall& call) {
  return nlohmann::json{{"schema", k_call_schema}, {"request", to_json(call.request)}, {"options", to_json(call.options)}}
             .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) +
         "\n";
}

Result<EngineCall> decode_call(const std::string& line) {
  DRYDOCK_ASSIGN(const auto json, parse_json(line, "engine call"));
  DRYDOCK_ASSIGN(const auto schema, json_get<int>(json, "schema", "engine call"));
  if (schema != k_call_schema) return make_error(ErrorCode::unsupported, "engine call of schema " + std::to_string(schema));
  EngineCall call;
  DRYDOCK_ASSIGN(call.request, build_request_from_json(json.value("request", nlohmann::json::object())));
  DRYDOCK_ASSIGN(call.options, engine_options_from_json(json.value("options", nlohmann::json::object())));
  return call;
}

int serve_engine(int in_fd, int out_fd) {
  ::signal(SIGPIPE, SIG_IGN);
  LineReader reader(in_fd);
  const auto line = reader.next();
  if (!line) return 2;
  std::mutex mutex;
  const auto send = [&](const nlohmann::json& message) {
    const auto text = message.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    const std::lock_guard lock(mutex);
    write_all(out_fd, text);
  };
  auto call = decode_call(*line);
  if (!call.ok()) {
    send({{"error", error_to_json(call.error())}});
    return 2;
  }
  auto masker = std::make_shared<Masker>();
  for (const auto& secret : call->request.secrets) masker->add(secret.value);
  Bus bus(masker);
  bus.listen([&](const Event& event) { send({{"event", to_json(event)}}); });
  std::stop_source stop;
  const OwnedFd finished(::eventfd(0, EFD_CLOEXEC));
  std::jthread watcher([&] {
    // The caller closes its end to stop us, or has died.
    for (;;) {
      pollfd items[2] = {{in_fd, POLLIN, 0}, {finished.get(), POLLIN, 0}};
      if (::poll(items, 2, -1) < 0 && errno == EINTR) continue;
      if (items[1].revents != 0) return;
      char byte;
      if (::read(in_fd, &byte, 1) <= 0) {
        stop.request_stop();
        return;
      }
    }
  });
  const auto result = run_engine(call->request, call->options, EngineSetting::own_namespace, bus, stop.get_token());
  ::eventfd_write(finished.get(), 1);
  if (result.ok()) {
    send({{"result", to_json(*result)}});
    return 0;
  }
  send({{"error", error_to_json(result.error())}});
  return 1;
}

Result<EngineResult> call_engine(const EngineCall& call, int in_fd, int out_fd, Bus& bus, std::stop_token stop) {
  // The caller's descriptor; a copy of ours is closed to stop the engine.
  int own = ::fcntl(in_fd, F_DUPFD_CLOEXEC, 3);
  if (own < 0) return errno_error("engine channel", errno);
  std::mutex mutex;
  const auto close_own = [&] {
    const std::lock_guard lock(mutex);
    if (own >= 0) ::close(std::exchange(own, -1));
  };
  ::close(in_fd);
  if (!write_all(own, encode(call))) {
    close_own();
    return make_error(ErrorCode::environment, "the build engine ended before it took its request",
                      "run `drydock doctor` to see what this machine can build");
  }
  const std::stop_callback on_stop(stop, close_own);
  LineReader reader(out_fd);
  std::optional<Result<EngineResult>> answer;
  OutputMask output(bus);
  while (const auto line = reader.next()) {
    const auto json = parse_json(*line, "engine message");
    if (!json.ok()) continue;
    if (json->contains("event")) {
      Event event;
      std::string why;
      if (from_json((*json)["event"], event, why)) output.publish(std::move(event));
    } else if (json->contains("result")) {
      answer = engine_result_from_json((*json)["result"]);
    } else if (json->contains("error")) {
      answer = Result<EngineResult>(error_from_json((*json)["error"]));
    }
  }
  close_own();
  if (answer) return std::move(*answer);
  if (stop.stop_requested()) return make_error(ErrorCode::cancelled, "stopped");
  return make_error(ErrorCode::internal, "the build engine ended without an answer");
}

}  // namespace drydock::build
