#include "executors/base/events.h"

#include <condition_variable>
#include <deque>
#include <map>
#include <thread>
#include <tuple>

#include "executors/base/masker.h"

namespace drydock {
namespace {

/// A stream of output: secrets are masked across the pieces of one stream, never across two.
using StreamKey =
    std::tuple<std::string, std::string, std::string, std::string, Stream>;  // job, step, vertex, leg

StreamKey key_of(const Event& event) {
  return {event.job, event.step, event.vertex, event.leg, event.stream};
}

/// Whether `finished` ends the stream: the job, the step or the vertex it belongs to is over.
bool ends(const Event& finished, const StreamKey& key) {
  const auto& [job, step, vertex, leg, stream] = key;
  switch (finished.kind) {
    case EventKind::run_finished:
      return true;
    case EventKind::job_finished:
      return finished.job == job;
    case EventKind::step_finished:
      return finished.job == job && finished.step == step;
    case EventKind::vertex_finished:
      return finished.vertex == vertex && !vertex.empty();
    default:
      return false;
  }
}

struct OpenStream {
  explicit OpenStream(const Masker& masker) : masked(masker) {}
  Masker::Stream masked;
  Event last;  // tells where a rest belongs
};

}  // namespace

struct Bus::State {
  std::mutex mutex;
  std::condition_variable turn;
  std::uint64_t next_ticket = 0, serving = 0;
  std::thread::id owner;
  std::deque<Event> from_listeners;  // published while an event was being delivered
  std::vector<Listener> listeners;
  std::map<StreamKey, OpenStream> streams;

  void deliver(const Event& event) {
    for (const auto& listener : listeners) listener(event);
  }

  void flush_streams(const Event& finished) {
    for (auto entry = streams.begin(); entry != streams.end();) {
      if (!ends(finished, entry->first)) {
        ++entry;
        continue;
      }
      Event rest = std::move(entry->second.last);
      rest.text = entry->second.masked.flush();
      rest.time = finished.time;
      entry = streams.erase(entry);
      if (!rest.text.empty()) deliver(rest);
    }
  }

  void mask_and_deliver(Event event, Masker& masker) {
    if (event.time == std::chrono::system_clock::time_point{}) event.time = std::chrono::system_clock::now();
    for (auto* text : {&event.name, &event.cache_reason, &event.reference, &event.place.file}) {
      if (!text->empty()) *text = masker.mask(*text);
    }
    if (event.kind != EventKind::log) {
      if (!event.text.empty()) event.text = masker.mask(event.text);
      flush_streams(event);
      deliver(event);
      return;
    }
    auto& stream = streams.try_emplace(key_of(event), masker).first->second;
    auto safe = stream.masked.feed(event.text);
    event.text.clear();
    stream.last = event;
    event.text = std::move(safe);
    if (!event.text.empty()) deliver(event);
  }
};

Bus::Bus(std::shared_ptr<Masker> masker) : masker_(std::move(masker)), state_(std::make_unique<State>()) {
  if (!masker_) masker_ = std::make_shared<Masker>();
}

Bus::~Bus() = default;

void Bus::listen(Listener listener) {
  std::lock_guard lock(state_->mutex);
  state_->listeners.push_back(std::move(listener));
}

void Bus::publish(Event event) {
  auto& state = *state_;
  std::unique_lock lock(state.mutex);
  if (state.serving != state.next_ticket && state.owner == std::this_thread::get_id()) {
    state.from_listeners.push_back(std::move(event));  // a listener publishes: after the event it is hearing
    return;
  }
  const auto ticket = state.next_ticket++;
  state.turn.wait(lock, [&] { return state.serving == ticket; });
  state.owner = std::this_thread::get_id();
  lock.unlock();

  state.mask_and_deliver(std::move(event), *masker_);
  lock.lock();
  while (!state.from_listeners.empty()) {
    auto next = std::move(state.from_listeners.front());
    state.from_listeners.pop_front();
    lock.unlock();
    state.mask_and_deliver(std::move(next), *masker_);
    lock.lock();
  }
  state.owner = {};
  ++state.serving;
  lock.unlock();
  state.turn.notify_all();
}

void Bus::warning(std::string text, Place place) {
  publish({.kind = EventKind::message,
           .text = std::move(text),
           .level = Level::warning,
           .place = std::move(place)});
}

void Bus::error(std::string text, Place place) {
  publish({.kind = EventKind::message,
           .text = std::move(text),
           .level = Level::error,
           .place = std::move(place)});
}

void Bus::notice(std::string text, Place place) {
  publish({.kind = EventKind::message,
           .text = std::move(text),
           .level = Level::notice,
           .place = std::move(place)});
}

}  // namespace drydock
