#include "executors/build/vertex.h"

#include <utility>

namespace drydock::build {

Vertex::Vertex(const VertexScope& scope, VertexStart start)
    : scope_(scope), start_(std::move(start)), out_(scope.bus->masker()), err_(scope.bus->masker()) {
  scope_.bus->publish(event(EventKind::vertex_started));
}

Vertex::~Vertex() {
  if (!finished_) finish(Outcome::cancelled, {});
}

Event Vertex::event(EventKind kind) const {
  Event event;
  event.kind = kind;
  event.job = scope_.job;
  event.step = scope_.step;
  event.vertex = start_.id;
  event.leg = start_.leg;
  event.name = start_.name;
  event.execution = start_.execution;
  event.place = start_.place;
  return event;
}

void Vertex::output(Stream stream, std::string_view piece) {
  auto log = event(EventKind::log);
  log.stream = stream;
  log.text = (stream == Stream::out ? out_ : err_).feed(piece);
  keep_tail(log.text);
  if (!log.text.empty()) scope_.bus->publish(std::move(log));
}

void Vertex::keep_tail(std::string_view text) {
  constexpr std::size_t k_kept = 2000;
  tail_.append(text);
  if (tail_.size() > 2 * k_kept) tail_.erase(0, tail_.size() - k_kept);
}

std::string Vertex::last_output() const {
  constexpr int k_lines = 10;
  auto end = tail_.find_last_not_of("\r\n");
  if (end == std::string::npos) return {};
  std::string text;
  for (int line = 0; line < k_lines; ++line) {
    const auto before = tail_.rfind('\n', end);
    const auto begin = before == std::string::npos ? 0 : before + 1;
    text.insert(0, "\n    " + tail_.substr(begin, end - begin + 1));
    if (before == std::string::npos || before == 0) break;
    end = before - 1;
  }
  return text;
}

void Vertex::progress(std::int64_t current, std::int64_t total) {
  // Transfers tell at every tick, also of none.
  if (std::exchange(told_, current) == current) return;
  auto update = event(EventKind::progress);
  update.current = current;
  update.total = total;
  scope_.bus->publish(std::move(update));
}

void Vertex::cached() {
  cache_ = CacheState::hit;
  finish(Outcome::success, {});
}

void Vertex::missed(std::string reason) {
  cache_ = CacheState::miss;
  reason_ = std::move(reason);
}

void Vertex::succeeded() { finish(Outcome::success, {}); }

void Vertex::failed(const std::string& why) { finish(Outcome::failure, why); }

void Vertex::finish(Outcome outcome, std::string text) {
  if (finished_) return;
  finished_ = true;
  for (auto [stream, held] : {std::pair{Stream::out, &out_}, std::pair{Stream::err, &err_}}) {
    auto log = event(EventKind::log);
    log.stream = stream;
    log.text = held->flush();
    keep_tail(log.text);
    if (!log.text.empty()) scope_.bus->publish(std::move(log));
  }
  auto end = event(EventKind::vertex_finished);
  end.outcome = outcome;
  end.text = std::move(text);
  end.cache = cache_;
  end.cache_reason = reason_;
  end.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun_);
  scope_.bus->publish(std::move(end));
}

}  // namespace drydock::build
