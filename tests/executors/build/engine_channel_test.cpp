#include "executors/build/engine_channel.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include <nlohmann/json.hpp>

#include "executors/base/masker.h"
#include "tests/executors/build/support.h"

using namespace drydock;
using namespace drydock::build;
using namespace drydock::build::test;

namespace {

struct Pipe {
  int ends[2] = {-1, -1};
  Pipe() { REQUIRE(::pipe2(ends, O_CLOEXEC) == 0); }
  ~Pipe() {
    close_read();
    close_write();
  }
  int take_write() { return std::exchange(ends[1], -1); }
  void close_read() {
    if (ends[0] >= 0) ::close(std::exchange(ends[0], -1));
  }
  void close_write() {
    if (ends[1] >= 0) ::close(std::exchange(ends[1], -1));
  }
};

std::string read_line(int fd) {
  std::string line;
  for (char byte; ::read(fd, &byte, 1) == 1 && byte != '\n';) line += byte;
  return line;
}
void send(int fd, const std::string& text) {
  REQUIRE(::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

EngineCall a_call() {
  EngineCall call;
  call.request.context.source = "/src";
  call.request.secrets = {{"s", "hunter2-secret"}};
  call.options.store_root = "/store";
  call.options.mirrors = {{"docker.io", {"http://m:1"}}};
  call.options.plain_http = {"r:5000"};
  call.options.host_trust = HostTrust::visible;
  call.options.host_registration = sandbox::HostRegistration::allowed;
  call.options.offline = true;
  call.options.parallel_runs = 3;
  return call;
}

/// call_engine against a fake engine that gets both ends of the pipes.
struct Fake {
  Pipe in, out;
  std::string heard;
  std::vector<Event> events;
  std::stop_source stop;

  Result<EngineResult> call(const std::function<void(Fake&)>& engine) {
    Bus bus(std::make_shared<Masker>());
    bus.listen([this](const Event& event) { events.push_back(event); });
    std::thread thread([&] {
      heard = read_line(in.ends[0]);
      engine(*this);
      in.close_read();
      out.close_write();
    });
    auto answer = call_engine(a_call(), in.take_write(), out.ends[0], bus, stop.get_token());
    thread.join();
    return answer;
  }
};

}  // namespace

TEST_CASE("an engine call survives its line") {
  const auto call = a_call();
  const auto line = encode(call);
  CHECK(line.ends_with('\n'));
  CHECK(line.find('\n') == line.size() - 1);
  const auto back = decode_call(line);
  REQUIRE(back.ok());
  CHECK(to_json(back->request) == to_json(call.request));
  CHECK(to_json(back->options) == to_json(call.options));
  CHECK(back->options.host_trust == HostTrust::visible);
  CHECK(back->options.parallel_runs == 3);
  for (const auto* wrong : {"", "{", "{}", "[]", R"({"schema":99})", R"({"schema":1})",
                            R"({"schema":1,"request":{},"options":{}})"}) {
    CAPTURE(wrong);
    CHECK_FALSE(decode_call(wrong).ok());
  }
}

TEST_CASE("secrets of any bytes survive the line") {
  auto call = a_call();
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  call.request.secrets = {{"binary", bytes}};
  const auto back = decode_call(encode(call));
  REQUIRE(back.ok());
  CHECK(back->request.secrets.at(0).value == bytes);
}

TEST_CASE("events come through, then the answer") {
  Fake fake;
  const auto answer = fake.call([](Fake& f) {
    Event event;
    event.kind = EventKind::vertex_finished;
    event.vertex = "v1";
    event.name = "[1/2] RUN x";
    event.cache = CacheState::hit;
    EngineResult result;
    result.repositories = {"r/a"};
    send(f.out.ends[1], nlohmann::json{{"event", to_json(event)}}.dump() + "\nnot json\n{\"unknown\":1}\n");
    const auto line = nlohmann::json{{"result", to_json(result)}}.dump() + "\n";
    // In two pieces: lines are put together again.
    send(f.out.ends[1], line.substr(0, 10));
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    send(f.out.ends[1], line.substr(10));
  });
  REQUIRE(answer.ok());
  CHECK(answer->repositories == std::vector<std::string>{"r/a"});
  REQUIRE(fake.events.size() == 1);
  CHECK(fake.events[0].vertex == "v1");
  CHECK(fake.events[0].cache == CacheState::hit);
  CHECK(decode_call(fake.heard).ok());
}

TEST_CASE("errors keep code, context and mend") {
  Fake fake;
  const auto answer = fake.call([](Fake& f) {
    send(f.out.ends[1], nlohmann::json{{"error",
                                        {{"code", static_cast<int>(ErrorCode::failed)},
                                         {"message", "it failed"},
                                         {"mend", "do this"},
                                         {"context", {"in RUN", "in leg"}}}}}
                                .dump() +
                            "\n");
  });
  REQUIRE_FALSE(answer.ok());
  CHECK(answer.error().code == ErrorCode::failed);
  CHECK(answer.error().message == "it failed");
  CHECK(answer.error().mend == "do this");
  CHECK(answer.error().context == std::vector<std::string>{"in RUN", "in leg"});
}

TEST_CASE("an engine that dies is an error, not a hang") {
  Fake fake;
  const auto answer = fake.call([](Fake&) {});
  REQUIRE_FALSE(answer.ok());
  CHECK(answer.error().code == ErrorCode::internal);
}

TEST_CASE("a stop request closes the engine's input") {
  Fake fake;
  std::atomic<bool> saw_end{false};
  const auto answer = fake.call([&](Fake& f) {
    f.stop.request_stop();
    char byte;
    saw_end = ::read(f.in.ends[0], &byte, 1) == 0;
  });
  REQUIRE_FALSE(answer.ok());
  CHECK(answer.error().code == ErrorCode::cancelled);
  CHECK(saw_end);
}

TEST_CASE("the real engine behind its pipes") {
  Bench bench;
  bench.dockerfile("FROM scratch\nNONSENSE\n");
  Pipe in, out;
  int status = -1;
  std::thread engine([&] {
    status = serve_engine(in.ends[0], out.ends[1]);
    out.close_write();
  });
  Bus bus(std::make_shared<Masker>());
  const auto answer = call_engine({bench.request, bench.options}, in.take_write(), out.ends[0], bus, {});
  engine.join();
  CHECK(status == 1);
  REQUIRE_FALSE(answer.ok());
  CHECK(answer.error().code == ErrorCode::invalid_source);
  CHECK(answer.error().message.find("Dockerfile:2:1") != std::string::npos);
}

TEST_CASE("a request that is none is answered with an error") {
  Pipe in, out;
  send(in.ends[1], "{\"schema\":7}\n");
  CHECK(serve_engine(in.ends[0], out.ends[1]) == 2);
  const auto message = Json::parse(read_line(out.ends[0]));
  REQUIRE(message.contains("error"));
  CHECK(message["error"]["code"] == static_cast<int>(ErrorCode::unsupported));
  Pipe empty;
  empty.close_write();
  CHECK(serve_engine(empty.ends[0], out.ends[1]) == 2);
}
