#pragma once
// StageSolver: finds or makes the layers of one stage for one platform, on demand. Keys first: a step whose key has a
// record is not done, and stages that only feed such steps are never looked at. Results of equal keys are made once
// and shared by all legs.
// Thread-safe: one lock a stage; stages wait only for stages they depend on.

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

#include "executors/build/cache_import.h"
#include "executors/build/file_tree.h"
#include "executors/build/layer_chain.h"
#include "executors/build/stage_plan.h"
#include "executors/build/step_keys.h"

namespace drydock::build {

/// Steps being done right now, by key: whoever comes second waits for the first.
class SingleFlight {
 public:
  using Make = std::function<Result<LayerPtr>()>;
  struct Answer {
    Result<LayerPtr> layer;
    bool shared = false;  // made by another leg
  };
  Answer run(const oci::Digest& key, const Make& make);

 private:
  std::mutex mutex_;
  std::map<oci::Digest, std::shared_future<Result<LayerPtr>>> running_;
};

/// What a leg counts for its result.
struct LegCounters {
  std::atomic<int> run{0}, cached{0};
};

/// A record that a cache export writes: key → result.
struct SolvedStep {
  oci::Digest key;
  std::optional<oci::Digest> definition_key;
  bool known = false;  // there is a result: made, or found by its key
  LayerPtr layer;      // null: changed nothing
  std::string description;
};

class StageSolver;

/// How a stage reaches what is outside it; given by the leg.
struct StageOutside {
  std::function<Result<StageSolver*>(std::size_t stage)> stage;
  std::function<Result<std::shared_ptr<FileTree>>(const FileSource&)> tree;       // context, named context
  std::function<Result<StageSolver*>(const std::string& image)> image;            // COPY --from=image
  std::function<void(std::size_t stage)> prefetch;                                // begin solving it in the background
};

/// What all stages of a build share.
struct SolverShared {
  Engine* engine = nullptr;
  const CacheImports* imports = nullptr;
  SingleFlight flights;
};

class StageSolver {
 public:
  /// `base` is the solver of the stage or image below, null for scratch.
  StageSolver(SolverShared& shared, StagePlan plan, StageSolver* base, StageOutside outside, LegCounters& counters,
              std::string leg);

  /// A bare image: its chain is its result.
  StageSolver(SolverShared& shared, StagePlan plan, Chain base_chain, oci::Digest base_key);

  /// Makes every layer. Empty layers are left out of the chain.
  Result<Chain> solve();
  /// The key of the finished stage; makes layers only where a key depends on a result.
  Result<oci::Digest> final_key();
  /// True when a step was really executed in this build (results of earlier builds by definition do not fit then).
  bool executed_anything() const;
  /// A read-only mount of the finished stage.
  Result<std::shared_ptr<FileTree>> tree();

  /// After solve(): the layer of each step; null when it changed nothing.
  const std::vector<LayerPtr>& step_layers() const { return layers_; }
  const StagePlan& plan() const { return plan_; }
  /// Also steps that were only keyed, since all that needs them was served from the cache: with the results that
  /// their keys have.
  std::vector<SolvedStep> solved_steps();
  /// Every step was made or found.
  bool is_solved() const;
  /// The stage or image below; null for scratch and for an image itself.
  StageSolver* base_stage() { return base_; }

 private:
  Result<oci::Digest> key(std::size_t step);      // of the state after `step`
  Result<oci::Digest> parent_key(std::size_t step);
  Result<oci::Digest> make_key(std::size_t step);
  Result<oci::Digest> make_copy_key(std::size_t index, const Step& step, const CopyPlan& plan);
  Result<oci::Digest> make_run_key(std::size_t index, const Step& step, const RunPlan& plan);
  Status solve_step(std::size_t step);
  Status solve_step_anew(std::size_t step);
  std::optional<LayerPtr> find(const oci::Digest& key, bool& empty);
  Result<LayerPtr> execute(std::size_t step, const oci::Digest& key);
  Result<LayerPtr> attempt(std::size_t step, const oci::Digest& key, Vertex& vertex, bool& again);
  Status perform(const Step& step, const std::filesystem::path& root, Vertex& vertex, bool& again);
  Status perform_run(const Step& step, const RunPlan& plan, const std::filesystem::path& root, Vertex& vertex,
                     bool& again);
  Result<std::shared_ptr<FileTree>> source_tree(const FileSource& source);
  Result<Chain> chain_below(std::size_t step);
  void prefetch_from(std::size_t step);
  std::string vertex_name(std::size_t step) const;
  bool ignores_cache() const;
  bool fresh_below(std::size_t step) const;

  SolverShared& shared_;
  Engine& engine_;
  StagePlan plan_;
  StageSolver* base_ = nullptr;
  Chain base_chain_;
  std::optional<oci::Digest> base_key_;
  StageOutside outside_;
  LegCounters* counters_ = nullptr;
  std::string leg_;

  mutable std::recursive_mutex mutex_;
  std::vector<std::optional<oci::Digest>> keys_;
  std::vector<std::optional<oci::Digest>> definition_keys_;
  std::vector<LayerPtr> layers_;
  std::vector<char> solved_, executed_;
  std::optional<Error> failure_;
  std::shared_ptr<FileTree> tree_;
  sandbox::Mount tree_mount_;
};

}  // namespace drydock::build
