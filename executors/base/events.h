#pragma once
// Everything that happens is an Event on one Bus; printers, JSON and history are listeners.
// The bus masks secrets before any listener sees a text. Thread-safe: events are delivered one at a
// time, in the order in which publish() was entered.

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace drydock {

class Masker;

enum class EventKind {
  run_started, run_finished,
  job_started, job_finished,
  step_started, step_finished,
  build_started, build_finished,    // one docker build: several legs
  vertex_started, vertex_finished,  // one instruction of one leg, a pull, a push, an export
  progress,                         // bytes or items of a vertex
  log,                              // output of a step or vertex, whole lines or pieces
  message,                          // notice, warning, error or debug text, perhaps with a place in a file
  group_started, group_finished,
  leg_finished,                     // a platform's result: digest
  published,                        // an index or tag was pushed
};

enum class Outcome { none, success, failure, cancelled, skipped };
enum class CacheState { none, hit, miss };
enum class Execution { none, native, emulated, remote };
enum class Level { debug, notice, warning, error };
enum class Stream { out, err };

std::string_view name_of(EventKind kind);
std::string_view name_of(Outcome outcome);
std::string_view name_of(CacheState state);
std::string_view name_of(Execution execution);
std::string_view name_of(Level level);

/// A place in a user's file; line and column count from 1, 0 when unknown.
struct Place {
  std::string file;
  int line = 0;
  int column = 0;
};

struct Event {
  EventKind kind = EventKind::message;
  std::chrono::system_clock::time_point time{};  // set by the bus when left empty

  // Where it belongs; empty when it does not apply.
  std::string job;     // job key, "build" or "build (linux, 22)" for a matrix leg
  std::string step;    // position of the step in its job, "3", "3.post"
  std::string vertex;  // unique within one build; several builds of a run are told apart by job and step
  std::string leg;     // platform, "linux/arm64"

  std::string name;    // what a person calls it: job name, step name, "[build 3/7] RUN npm ci"
  std::string text;    // log piece, message; masked by the bus
  Outcome outcome = Outcome::none;
  CacheState cache = CacheState::none;
  std::string cache_reason;            // why a miss: "input changed: package.json"
  Execution execution = Execution::none;
  Level level = Level::notice;
  Stream stream = Stream::out;
  Place place;
  std::int64_t current = 0, total = 0;  // progress, bytes
  std::chrono::milliseconds elapsed{0};  // of finished things
  std::string digest;                   // leg_finished, published
  std::string reference;                // published: the tag or index reference
};

/// One event as a JSON object: {"schema":1,"kind":…,"time":RFC 3339 with ms,…}; empty fields are left out.
nlohmann::json to_json(const Event& event);
/// Reads what to_json wrote; an unknown schema or kind is an error text in `why` and false.
bool from_json(const nlohmann::json& json, Event& event, std::string& why);

using Listener = std::function<void(const Event&)>;

class Bus {
 public:
  explicit Bus(std::shared_ptr<Masker> masker);
  ~Bus();
  Bus(const Bus&) = delete;
  Bus& operator=(const Bus&) = delete;

  void listen(Listener listener);
  void publish(Event event);
  Masker& masker() { return *masker_; }
  const std::shared_ptr<Masker>& shared_masker() const { return masker_; }

  void warning(std::string text, Place place = {});
  void error(std::string text, Place place = {});
  void notice(std::string text, Place place = {});

 private:
  struct State;
  std::shared_ptr<Masker> masker_;
  std::unique_ptr<State> state_;
};

}  // namespace drydock
