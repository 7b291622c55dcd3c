#pragma once
// Leg: one (target, platform) of a build: its stages' solvers, made when they are first needed. Owns them until the
// image has been exported. solve() runs on the leg's own thread; prefetched stages on threads that the leg joins.

#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "executors/build/build_context.h"
#include "executors/build/image_source.h"
#include "executors/build/stage_solver.h"
#include "parser/dockerfile/checks.h"

namespace drydock::build {

/// What all legs of a build share.
struct LegShared {
  SolverShared* solver = nullptr;
  BuildContext* context = nullptr;
  ImageSources* images = nullptr;
  const parser::dockerfile::Dockerfile* dockerfile = nullptr;
  std::string source;  // text of the Dockerfile, for messages
};

class Leg {
 public:
  Leg(LegShared& shared, Platform platform);
  ~Leg();

  /// Reads the graph for this platform; wrong FROMs, cycles and unknown targets are invalid_input with their place.
  Status plan();
  /// Makes all layers of the target.
  Result<Chain> solve();

  const Platform& platform() const { return platform_; }
  StageSolver& target() { return *target_; }
  LegCounters& counters() { return counters_; }
  const std::string& dockerfile_name() const { return shared_.context->dockerfile().name; }
  const std::string& dockerfile_text() const { return shared_.context->dockerfile().text; }
  /// Everything solved, for a cache export: the target's stage last.
  std::vector<StageSolver*> solvers();

 private:
  Result<StageSolver*> stage(std::size_t index);
  Result<StageSolver*> make_stage(std::size_t index);
  Result<StageSolver*> image(const std::string& name, const Platform& platform);
  void prefetch(std::size_t index);
  Error refusal(const parser::Diagnostics& diagnostics) const;
  StageOutside outside();

  LegShared& shared_;
  Engine& engine_;
  Platform platform_;
  parser::dockerfile::Scope globals_;
  parser::dockerfile::StageGraph graph_;
  std::vector<parser::dockerfile::ResolvedBase> bases_;
  std::set<std::string, std::less<>> named_contexts_;
  LegCounters counters_;
  std::recursive_mutex mutex_;
  std::map<std::size_t, std::unique_ptr<StageSolver>> stages_;
  std::map<std::string, std::unique_ptr<StageSolver>> images_;
  std::set<std::size_t> prefetched_;
  std::vector<std::thread> threads_;
  StageSolver* target_ = nullptr;
};

}  // namespace drydock::build
