#include "runner/events/printer.h"

#include <fcntl.h>
#include <pty.h>
#include <unistd.h>

#include <regex>
#include <sstream>
#include <thread>

#include <nlohmann/json.hpp>

#include "executors/base/fs.h"
#include "runner/events/history.h"
#include "runner/events/live_printer.h"
#include "runner/events/plain_printer.h"
#include "tests/support/catch.h"

using namespace drydock;
using namespace drydock::runner;

namespace {

/// A stream whose text can be read back.
class Page {
 public:
  Page() : file_(::tmpfile()) { REQUIRE(file_); }
  ~Page() { std::fclose(file_); }
  std::FILE* file() { return file_; }
  std::string text() {
    std::fflush(file_);
    std::string text(static_cast<std::size_t>(std::ftell(file_)), '\0');
    std::rewind(file_);
    const auto got = std::fread(text.data(), 1, text.size(), file_);
    text.resize(got);
    return text;
  }

 private:
  std::FILE* file_;
};

Event make(EventKind kind, const std::string& vertex = {}, const std::string& name = {}) {
  Event event;
  event.kind = kind;
  event.vertex = vertex;
  event.name = name;
  event.time = std::chrono::system_clock::time_point(std::chrono::milliseconds(1700000000123));
  return event;
}

Event said(const std::string& vertex, const std::string& text, Stream stream = Stream::out) {
  auto event = make(EventKind::log, vertex, "[build 2/3] RUN make");
  event.text = text;
  event.stream = stream;
  return event;
}

Event ended(const std::string& vertex, const std::string& name, Outcome outcome,
            CacheState cache = CacheState::none) {
  auto event = make(EventKind::vertex_finished, vertex, name);
  event.outcome = outcome;
  event.cache = cache;
  event.elapsed = std::chrono::milliseconds(1234);
  return event;
}

/// One of everything that a run shows.
std::vector<Event> a_run() {
  std::vector<Event> events;
  events.push_back(make(EventKind::run_started, {}, "Build"));
  auto job = make(EventKind::job_started, {}, "build");
  job.job = "build";
  events.push_back(job);
  auto step = make(EventKind::step_started, {}, "Compile");
  step.job = "build";
  step.step = "1";
  events.push_back(step);
  auto log = make(EventKind::log);
  log.job = "build";
  log.step = "1";
  log.text = "hello\nwor";
  events.push_back(log);
  log.text = "ld\r\n10%\r50%\r100%\nno end";
  events.push_back(log);
  step.kind = EventKind::step_finished;
  step.outcome = Outcome::success;
  step.elapsed = std::chrono::milliseconds(61'500);
  events.push_back(step);
  events.push_back(make(EventKind::vertex_started, "v1", "[build 2/3] COPY a /a"));
  events.push_back(ended("v1", "[build 2/3] COPY a /a", Outcome::success, CacheState::hit));
  auto emulated = make(EventKind::vertex_started, "v2", "[linux/arm64 3/3] RUN make");
  emulated.execution = Execution::emulated;
  events.push_back(emulated);
  emulated = ended("v2", "[linux/arm64 3/3] RUN make", Outcome::success, CacheState::miss);
  emulated.execution = Execution::emulated;
  events.push_back(emulated);
  events.push_back(make(EventKind::vertex_started, "v3", "[build 3/3] RUN false"));
  auto failed = ended("v3", "[build 3/3] RUN false", Outcome::failure);
  failed.text = "exit code 1";
  events.push_back(failed);
  events.push_back(make(EventKind::vertex_started, "v4", "push"));
  events.push_back(ended("v4", "push", Outcome::cancelled));
  auto message = make(EventKind::message);
  message.level = Level::warning;
  message.text = "careful";
  message.place = {"w.yml", 3, 5};
  events.push_back(message);
  message.level = Level::debug;
  message.text = "asked for";
  events.push_back(message);
  auto leg = make(EventKind::leg_finished, {}, "linux/arm64");
  leg.leg = "linux/arm64";
  leg.digest = "sha256:abc";
  leg.text = "1 steps run, 1 cached";
  events.push_back(leg);
  auto published = make(EventKind::published);
  published.reference = "r.example/app:1";
  published.digest = "sha256:def";
  events.push_back(published);
  job.kind = EventKind::job_finished;
  job.outcome = Outcome::failure;
  job.elapsed = std::chrono::milliseconds(3'720'000);
  events.push_back(job);
  return events;
}

}  // namespace

TEST_CASE("plain text of a run") {
  Page page;
  PlainPrinter printer(page.file(), Colour::never);
  for (const auto& event : a_run()) printer.on_event(event);
  printer.finish();
  CHECK(page.text() ==
        "Build\n"
        "[build] job build\n"
        "[build] step Compile\n"
        "[build] hello\n"
        "[build] world\n"
        "[build] 100%\n"
        "[build] no end\n"
        "[build] success  Compile  1m01s\n"
        "#1 [build 2/3] COPY a /a\n"
        "#1 CACHED\n"
        "#2 [linux/arm64 3/3] RUN make (emulated)\n"
        "#2 DONE 1.2s\n"
        "#3 [build 3/3] RUN false\n"
        "#3 ERROR: exit code 1\n"
        "#4 push\n"
        "#4 CANCELED\n"
        "warning: w.yml:3:5: careful\n"
        "debug: w.yml:3:5: asked for\n"
        "linux/arm64 sha256:abc  1 steps run, 1 cached\n"
        "published r.example/app:1 sha256:def\n"
        "[build] job failure in 1h02m\n");
}

TEST_CASE("output of vertices side by side keeps whole lines") {
  Page page;
  PlainPrinter printer(page.file(), Colour::never);
  printer.on_event(make(EventKind::vertex_started, "a", "A"));
  printer.on_event(make(EventKind::vertex_started, "b", "B"));
  const auto say = [&](const char* vertex, const char* text, Stream stream) {
    auto event = said(vertex, text, stream);
    event.name = vertex;
    printer.on_event(event);
  };
  say("a", "one ", Stream::out);
  say("b", "other\n", Stream::out);
  say("a", "err\n", Stream::err);
  say("a", "two\n", Stream::out);
  printer.on_event(ended("a", "a", Outcome::success));
  const auto text = std::regex_replace(page.text(), std::regex("[0-9]+\\.[0-9]s"), "T");
  CHECK(text == "#1 a\n#2 b\n#2 T other\n#1 T err\n#1 T one two\n#1 DONE T\n");
}

TEST_CASE("colours only where they were asked for") {
  Page plain, coloured;
  PlainPrinter never(plain.file(), Colour::never), always(coloured.file(), Colour::always);
  for (const auto& event : a_run()) {
    never.on_event(event);
    always.on_event(event);
  }
  const auto text = coloured.text();
  CHECK(plain.text().find('\x1b') == std::string::npos);
  CHECK(text.find("\x1b[31m") != std::string::npos);
  CHECK(std::regex_replace(text, std::regex("\x1b\\[[0-9]+m"), "") == plain.text());
}

TEST_CASE("JSON: each line is an event that can be read back") {
  Page page;
  const auto printer = make_printer(ProgressMode::json, page.file());
  auto events = a_run();
  events.back().text = "not UTF-8: \xff";
  for (const auto& event : events) printer->on_event(event);
  printer->finish();
  std::istringstream lines(page.text());
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    CAPTURE(line);
    REQUIRE(count < events.size());
    const auto json = nlohmann::json::parse(line);
    Event event;
    std::string why;
    REQUIRE(from_json(json, event, why));
    CHECK(event.kind == events[count].kind);
    CHECK(event.vertex == events[count].vertex);
    CHECK(event.outcome == events[count].outcome);
  }
  CHECK(count == events.size());
}

TEST_CASE("the live view leaves the terminal as it was") {
  int leader = -1, follower = -1;
  winsize size{24, 60, 0, 0};
  REQUIRE(::openpty(&leader, &follower, nullptr, nullptr, &size) == 0);
  std::string text;
  std::thread reader([&] {
    char piece[4096];
    for (ssize_t got; (got = ::read(leader, piece, sizeof piece)) > 0;)
      text.append(piece, static_cast<std::size_t>(got));
  });
  {
    auto* terminal = ::fdopen(follower, "w");
    {
      LivePrinter printer(terminal);
      printer.on_event(make(EventKind::vertex_started, "v", "[build 2/3] RUN make " + std::string(200, 'x')));
      printer.on_event(make(EventKind::vertex_started, "w", "[build 2/3] RUN other"));
      printer.on_event(said("v", "working \x1b[31mred\x1b[0m\n"));
      std::this_thread::sleep_for(std::chrono::milliseconds(250));
      auto failed = ended("v", "[build 2/3] RUN make", Outcome::failure);
      failed.text = "exit code 1";
      printer.on_event(failed);
      std::this_thread::sleep_for(std::chrono::milliseconds(150));
      printer.finish();
      printer.finish();
    }
    std::fclose(terminal);
  }
  reader.join();
  ::close(leader);
  CHECK(text.find("=> [build 2/3] RUN make") != std::string::npos);
  // Output of a vertex that failed is shown; of one that goes on only its last line.
  CHECK(text.find("working red") != std::string::npos);
  CHECK(text.find("exit code 1") != std::string::npos);
  // Rows are cut to the terminal, since a wrapped one could not be erased.
  std::istringstream rows(std::regex_replace(text, std::regex("\x1b\\[[0-9]*[A-Za-z]"), ""));
  for (std::string row; std::getline(rows, row);) {
    if (row.find("=>") == std::string::npos) continue;
    if (row.ends_with('\r')) row.pop_back();
    CAPTURE(row);
    CHECK(row.size() <= 61);
  }
  // Whatever was hidden is shown again, and nothing is left of the moving rows.
  const auto hidden = text.rfind("\x1b[?25l"), shown = text.rfind("\x1b[?25h");
  CHECK((hidden == std::string::npos || (shown != std::string::npos && shown > hidden)));
  const auto last_row = text.rfind("=> ");
  CHECK(text.find("\x1b[J", last_row) != std::string::npos);
}

TEST_CASE("progress modes") {
  const std::pair<const char*, ProgressMode> known[] = {
      {"auto", ProgressMode::automatic}, {"tty", ProgressMode::tty},      {"plain", ProgressMode::plain},
      {"json", ProgressMode::json},      {"rawjson", ProgressMode::json}, {"quiet", ProgressMode::quiet},
  };
  for (const auto& [text, mode] : known) {
    const auto parsed = parse_progress(text);
    REQUIRE(parsed.ok());
    CHECK(*parsed == mode);
  }
  const auto wrong = parse_progress("fancy");
  REQUIRE_FALSE(wrong.ok());
  CHECK(wrong.error().code == ErrorCode::usage);
  Page page;
  make_printer(ProgressMode::quiet, page.file())->on_event(a_run().front());
  CHECK(page.text().empty());
  const auto automatic = make_printer(ProgressMode::automatic, page.file());
  CHECK(dynamic_cast<LivePrinter*>(automatic.get()) == nullptr);
}

TEST_CASE("times for people") {
  const std::pair<long, const char*> times[] = {
      {0, "0.0s"},           {49, "0.0s"},         {1234, "1.2s"},
      {59'999, "59.9s"},     {60'000, "1m00s"},    {123'456, "2m03s"},
      {3'599'000, "59m59s"}, {3'720'000, "1h02m"}, {90'000'000, "25h00m"}};
  for (const auto& [ms, text] : times) CHECK(format_elapsed(std::chrono::milliseconds(ms)) == text);
}

TEST_CASE("a run's history is its events, line by line") {
  auto scratch = TempDir::create("/tmp", "drydock-test-history-");
  REQUIRE(scratch.ok());
  {
    auto history = History::open(scratch->path());
    REQUIRE(history.ok());
    for (const auto& event : a_run()) (*history)->on_event(event);
  }
  {
    auto history = History::open(scratch->path());
    REQUIRE(history.ok());
    (*history)->on_event(a_run().front());
  }
  const auto text = read_file(scratch->path() + "/events.jsonl");
  REQUIRE(text.ok());
  std::istringstream lines(*text);
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count)
    CHECK(nlohmann::json::parse(line)["schema"] == 1);
  CHECK(count == a_run().size() + 1);
  CHECK_FALSE(History::open(scratch->path() + "/none").ok());
}
