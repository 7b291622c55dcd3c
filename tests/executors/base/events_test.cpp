#include "executors/base/events.h"

#include "executors/base/json.h"
#include "executors/base/masker.h"
#include "tests/support/catch.h"

#include <set>
#include <thread>

using namespace drydock;

namespace {

Event log_piece(const std::string& step, const std::string& text, Stream stream = Stream::out) {
  Event event;
  event.kind = EventKind::log;
  event.job = "build";
  event.step = step;
  event.text = text;
  event.stream = stream;
  return event;
}

}  // namespace

TEST_CASE("secrets are masked over pieces of one stream, and never across two") {
  auto masker = std::make_shared<Masker>();
  masker->add("hunter2");
  Bus bus(masker);
  std::map<std::string, std::string> seen;
  bus.listen([&](const Event& event) {
    seen[event.step + (event.stream == Stream::err ? "e" : "o")] += event.text;
    CHECK(event.text.find("hunter2") == std::string::npos);
  });
  bus.publish(log_piece("1", "the pass is hun"));
  bus.publish(log_piece("2", "ter2 is h"));
  bus.publish(log_piece("1", "nothing", Stream::err));
  bus.publish(log_piece("1", "ter2, done hunt"));
  CHECK(seen["1o"] == "the pass is ***, done ");
  CHECK(seen["2o"] == "ter2 is ");  // the h may begin the secret
  Event done;
  done.kind = EventKind::step_finished;
  done.job = "build";
  done.step = "1";
  bus.publish(done);
  CHECK(seen["1o"] == "the pass is ***, done hunt");
  CHECK(seen["1e"] == "nothing");
  CHECK(seen["2o"] == "ter2 is ");
  done.kind = EventKind::run_finished;
  bus.publish(done);
  CHECK(seen["2o"] == "ter2 is h");
}

TEST_CASE("names, references and messages are masked too") {
  auto masker = std::make_shared<Masker>();
  masker->add("hunter2");
  Bus bus(masker);
  std::vector<Event> events;
  bus.listen([&](const Event& event) { events.push_back(event); });
  bus.warning("bad: hunter2", {"hunter2.yml", 3, 4});
  Event named;
  named.name = "RUN echo hunter2";
  named.reference = "host/hunter2:x";
  bus.publish(named);
  REQUIRE(events.size() == 2);
  CHECK(events[0].text == "bad: ***");
  CHECK(events[0].level == Level::warning);
  CHECK(events[0].place.file == "***.yml");
  CHECK(events[0].time != std::chrono::system_clock::time_point{});
  CHECK(events[1].name == "RUN echo ***");
  CHECK(events[1].reference == "host/***:x");
}

TEST_CASE("a listener may publish; its event comes after the one it hears") {
  Bus bus(nullptr);
  std::vector<std::string> order;
  bus.listen([&](const Event& event) {
    if (event.text == "first") bus.notice("second");
  });
  bus.listen([&](const Event& event) { order.push_back(event.text); });
  bus.notice("first");
  bus.notice("third");
  CHECK(order == std::vector<std::string>{"first", "second", "third"});
}

TEST_CASE("events of many threads come one at a time, each thread's in its order") {
  Bus bus(nullptr);
  std::map<std::string, std::int64_t> last;
  int inside = 0, count = 0;
  bool alone = true, ordered = true;
  bus.listen([&](const Event& event) {
    alone = alone && ++inside == 1;
    ordered = ordered && event.current == ++last[event.vertex];
    ++count;
    --inside;
  });
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&bus, t] {
      for (int i = 1; i <= 500; ++i) {
        Event event;
        event.kind = EventKind::progress;
        event.vertex = std::to_string(t);
        event.current = i;
        bus.publish(event);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(alone);
  CHECK(ordered);
  CHECK(count == 2000);
}

TEST_CASE("events survive JSON") {
  Event event;
  event.kind = EventKind::vertex_finished;
  event.time = std::chrono::system_clock::time_point(std::chrono::milliseconds(1'700'000'000'123));
  event.job = "build (linux, 22)";
  event.step = "3.post";
  event.vertex = "v7";
  event.leg = "linux/arm64";
  event.name = "[build 3/7] RUN npm ci";
  event.outcome = Outcome::failure;
  event.cache = CacheState::miss;
  event.cache_reason = "input changed: package.json";
  event.execution = Execution::emulated;
  event.place = {"Dockerfile", 7, 1};
  event.current = 10;
  event.total = 20;
  event.elapsed = std::chrono::milliseconds(1500);
  event.digest = "sha256:x";
  event.reference = "host/app:1";
  const auto json = to_json(event);
  CHECK(json["schema"] == 1);
  CHECK(json["time"] == "2023-11-14T22:13:20.123Z");
  CHECK_FALSE(json.contains("text"));
  Event back;
  std::string why;
  REQUIRE(from_json(json, back, why));
  CHECK(to_json(back) == json);
  CHECK(back.time == event.time);
  CHECK(back.outcome == Outcome::failure);

  for (int kind = 0; kind <= static_cast<int>(EventKind::published); ++kind) {
    Event each;
    each.kind = static_cast<EventKind>(kind);
    REQUIRE(from_json(to_json(each), back, why));
    CHECK(back.kind == each.kind);
  }
}

TEST_CASE("unknown schemas and kinds are refused") {
  Event back;
  std::string why;
  const auto time = "2023-11-14T22:13:20.123Z";
  CHECK_FALSE(from_json({{"schema", 2}, {"kind", "log"}, {"time", time}}, back, why));
  CHECK(why == "unknown schema 2 of an event");
  CHECK_FALSE(from_json({{"schema", 1}, {"kind", "party"}, {"time", time}}, back, why));
  CHECK(why == "unknown kind \"party\"");
  CHECK_FALSE(from_json({{"schema", 1}, {"kind", "log"}, {"time", "soon"}}, back, why));
  CHECK_FALSE(from_json(Json::array(), back, why));
}
