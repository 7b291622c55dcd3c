#pragma once
// Vertex: one instruction of one leg (or a pull, push, export) as the event bus shows it. Publishes its start when
// made and its end once; destroyed without one, it ends as cancelled. Output pieces go through line-safe masking.

#include <chrono>
#include <string>
#include <string_view>

#include "executors/base/events.h"
#include "executors/base/masker.h"

namespace drydock::build {

/// What all vertices of a build have in common.
struct VertexScope {
  Bus* bus = nullptr;
  std::string job, step;
};

struct VertexStart {
  std::string id;    // unique in the build
  std::string leg;   // platform, empty when shared
  std::string name;  // "[linux/arm64 build 3/7] RUN npm ci"
  Execution execution = Execution::none;
  Place place;
};

class Vertex {
 public:
  Vertex(const VertexScope& scope, VertexStart start);
  ~Vertex();
  Vertex(const Vertex&) = delete;
  Vertex& operator=(const Vertex&) = delete;

  void output(Stream stream, std::string_view piece);
  void progress(std::int64_t current, std::int64_t total);
  void cached();
  /// Why it had to be done: "input changed", "no record".
  void missed(std::string reason);
  void succeeded();
  void failed(const std::string& why);
  /// The end of the output, masked, each line indented; empty when there was none.
  std::string last_output() const;

 private:
  Event event(EventKind kind) const;
  void finish(Outcome outcome, std::string text);
  void keep_tail(std::string_view text);

  VertexScope scope_;
  VertexStart start_;
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  Masker::Stream out_, err_;
  CacheState cache_ = CacheState::none;
  std::string reason_;
  std::string tail_;
  std::int64_t told_ = -1;
  bool finished_ = false;
};

}  // namespace drydock::build
