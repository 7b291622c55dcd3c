#include "executors/build/stage_solver.h"

#include "executors/base/fs.h"
#include "executors/build/copy_files.h"
#include "executors/build/copy_step.h"
#include "executors/build/run_mounts.h"
#include "executors/build/run_step.h"

#include <numeric>

namespace drydock::build {

namespace {

/// Whether the overlay's upper directory holds anything at all.
bool is_empty_directory(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_empty(path, ignored);
}

constexpr const char* k_kind_layer = "layer";
constexpr const char* k_kind_empty = "empty";
constexpr const char* k_kind_alias = "alias";

}  // namespace

SingleFlight::Answer SingleFlight::run(const oci::Digest& key, const Make& make) {
  std::promise<Result<LayerPtr>> promise;
  std::shared_future<Result<LayerPtr>> other;
  {
    const std::lock_guard lock(mutex_);
    const auto found = running_.find(key);
    if (found != running_.end()) {
      other = found->second;
    } else {
      running_.emplace(key, promise.get_future().share());
    }
  }
  if (other.valid()) return {other.get(), true};
  auto result = make();
  promise.set_value(result);
  if (!result.ok()) {
    const std::lock_guard lock(mutex_);
    running_.erase(key);
  }
  return {std::move(result), false};
}

StageSolver::StageSolver(SolverShared& shared, StagePlan plan, StageSolver* base, StageOutside outside,
                         LegCounters& counters, std::string leg)
    : shared_(shared),
      engine_(*shared.engine),
      plan_(std::move(plan)),
      base_(base),
      outside_(std::move(outside)),
      counters_(&counters),
      leg_(std::move(leg)) {
  const auto count = plan_.steps.size();
  keys_.resize(count);
  definition_keys_.resize(count);
  layers_.resize(count);
  solved_.resize(count);
  executed_.resize(count);
}

StageSolver::StageSolver(SolverShared& shared, StagePlan plan, Chain base_chain, oci::Digest base_key)
    : shared_(shared),
      engine_(*shared.engine),
      plan_(std::move(plan)),
      base_chain_(std::move(base_chain)),
      base_key_(std::move(base_key)) {}

Result<Chain> StageSolver::chain_below(std::size_t step) {
  Chain chain = base_chain_;
  if (base_) {
    DRYDOCK_ASSIGN(chain, base_->solve());
  }
  for (std::size_t i = 0; i < step; ++i) {
    DRYDOCK_TRY(solve_step(i));
    if (layers_[i]) chain.push_back(layers_[i]);
  }
  return chain;
}

Result<Chain> StageSolver::solve() {
  const std::lock_guard lock(mutex_);
  return chain_below(plan_.steps.size());
}

Result<oci::Digest> StageSolver::final_key() {
  const std::lock_guard lock(mutex_);
  return parent_key(plan_.steps.size());
}

bool StageSolver::executed_anything() const {
  const std::lock_guard lock(mutex_);
  return fresh_below(plan_.steps.size());
}

bool StageSolver::fresh_below(std::size_t step) const {
  if (base_ && base_->executed_anything()) return true;
  return std::any_of(executed_.begin(), executed_.begin() + static_cast<std::ptrdiff_t>(step),
                     [](char executed) { return executed != 0; });
}

Result<std::shared_ptr<FileTree>> StageSolver::tree() {
  const std::lock_guard lock(mutex_);
  if (tree_) return tree_;
  DRYDOCK_TRY(engine_.want_execution());
  DRYDOCK_ASSIGN(const auto chain, solve());
  DRYDOCK_ASSIGN(auto lower, unpack_chain(engine_, chain));
  DRYDOCK_ASSIGN(const auto empty, engine_.empty_directory());
  // A view without an upper directory needs two lower ones.
  lower.emplace_back(empty);
  if (lower.size() == 1) {
    DRYDOCK_ASSIGN(const auto second, engine_.new_directory("empty"));
    lower.emplace_back(second);
  }
  DRYDOCK_ASSIGN(const auto target, engine_.new_directory("view"));
  DRYDOCK_ASSIGN(tree_mount_, sandbox::mount_overlay({std::move(lower), {}, {}, sandbox::default_marks()}, target,
                                                     engine_.journal));
  DRYDOCK_ASSIGN(tree_, FileTree::open(target));
  return tree_;
}

bool StageSolver::is_solved() const {
  const std::lock_guard lock(mutex_);
  return std::all_of(solved_.begin(), solved_.end(), [](char solved) { return solved != 0; });
}

std::vector<SolvedStep> StageSolver::solved_steps() {
  const std::lock_guard lock(mutex_);
  std::vector<SolvedStep> steps;
  for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
    if (!keys_[i]) continue;
    SolvedStep step{*keys_[i], definition_keys_[i], solved_[i] != 0, layers_[i], plan_.steps[i].title};
    if (!step.known) {
      bool empty = false;
      if (auto found = find(*keys_[i], empty)) {
        step.known = true;
        step.layer = *found;
      }
    }
    steps.push_back(std::move(step));
  }
  return steps;
}

// --- keys ----------------------------------------------------------------------------------------------------

Result<oci::Digest> StageSolver::parent_key(std::size_t step) {
  if (step > 0) return key(step - 1);
  if (base_) return base_->final_key();
  return base_key_ ? *base_key_ : scratch_key();
}

Result<oci::Digest> StageSolver::key(std::size_t step) {
  if (!keys_[step]) {
    DRYDOCK_ASSIGN(keys_[step], make_key(step));
  }
  return *keys_[step];
}

Result<oci::Digest> StageSolver::make_key(std::size_t index) {
  const auto& step = plan_.steps[index];
  if (const auto* run = std::get_if<RunPlan>(&step.work)) return make_run_key(index, step, *run);
  if (const auto* copy = std::get_if<CopyPlan>(&step.work)) return make_copy_key(index, step, *copy);
  DRYDOCK_ASSIGN(const auto parent, parent_key(index));
  return directory_key(parent, std::get<DirectoryPlan>(step.work).path, step.user);
}

Result<oci::Digest> StageSolver::make_run_key(std::size_t index, const Step& step, const RunPlan& plan) {
  DRYDOCK_ASSIGN(const auto parent, parent_key(index));
  std::vector<oci::Digest> mounts;
  for (const auto& mount : plan.mounts) {
    if (!mount.has_source) continue;
    if (mount.source.kind == FileSource::Kind::stage) {
      DRYDOCK_ASSIGN(auto* stage, outside_.stage(mount.source.stage));
      DRYDOCK_ASSIGN(auto source_key, stage->final_key());
      mounts.push_back(std::move(source_key));
    } else if (mount.source.kind == FileSource::Kind::image) {
      DRYDOCK_ASSIGN(auto* image, outside_.image(mount.source.name));
      DRYDOCK_ASSIGN(auto source_key, image->final_key());
      mounts.push_back(std::move(source_key));
    } else {
      DRYDOCK_ASSIGN(const auto tree, outside_.tree(mount.source));
      DRYDOCK_ASSIGN(auto content, path_digest(engine_, *tree, mount.mount.source, Ownership::ignored));
      mounts.push_back(std::move(content));
    }
  }
  return run_key(parent, step, plan, plan_.platform, mounts, engine_.request.add_hosts);
}

Result<oci::Digest> StageSolver::make_copy_key(std::size_t index, const Step& step, const CopyPlan& plan) {
  DRYDOCK_ASSIGN(const auto parent, parent_key(index));
  const bool from_stage = plan.source.kind == FileSource::Kind::stage;
  if (!from_stage && plan.source.kind != FileSource::Kind::image) {
    DRYDOCK_ASSIGN(const auto tree, source_tree(plan.source));
    DRYDOCK_ASSIGN(const auto content, copy_content(engine_, step, plan, tree));
    return copy_key(parent, step, plan, content);
  }
  StageSolver* source = nullptr;
  if (from_stage) {
    DRYDOCK_ASSIGN(source, outside_.stage(plan.source.stage));
  } else {
    DRYDOCK_ASSIGN(source, outside_.image(plan.source.name));
  }
  if (fresh_below(index)) prefetch_from(index);
  DRYDOCK_ASSIGN(const auto source_key, source->final_key());
  const auto definition = copy_definition_key(parent, step, plan, source_key);
  definition_keys_[index] = definition;
  if (!ignores_cache() && !source->executed_anything()) {
    DRYDOCK_ASSIGN(const auto record, engine_.records->find(definition));
    if (record && record->extra.contains("leads_to")) {
      if (auto key = oci::Digest::parse(record->extra["leads_to"].get<std::string>()); key.ok()) return key;
    }
    const auto* imported = shared_.imports->find(definition);
    if (imported && imported->leads_to) return *imported->leads_to;
  }
  DRYDOCK_TRY(engine_.want_execution());
  prefetch_from(index);
  DRYDOCK_ASSIGN(const auto tree, source->tree());
  DRYDOCK_ASSIGN(const auto content, copy_content(engine_, step, plan, tree));
  const auto key = copy_key(parent, step, plan, content);
  oci::CacheRecord alias;
  alias.key = definition;
  alias.kind = k_kind_alias;
  alias.description = step.title;
  alias.extra = {{"schema", 1}, {"leads_to", key.to_string()}};
  DRYDOCK_TRY(engine_.records->put(alias));
  return key;
}

bool StageSolver::ignores_cache() const {
  if (engine_.request.no_cache) return true;
  const auto& filters = engine_.request.no_cache_filters;
  return std::find(filters.begin(), filters.end(), plan_.name) != filters.end();
}

// --- results -------------------------------------------------------------------------------------------------

std::optional<LayerPtr> StageSolver::find(const oci::Digest& key, bool& empty) {
  empty = false;
  auto found = engine_.records->find(key);
  if (found.ok() && *found) {
    const auto& record = **found;
    if (record.kind == k_kind_empty) {
      empty = true;
      return LayerPtr{};
    }
    auto layer = std::make_shared<LayerRef>();
    layer->key = key;
    layer->description = record.description;
    layer->created = record.created;
    layer->diff_id = record.diff_id;
    layer->blob = record.blob;
    if (record.snapshot) {
      auto snapshot = engine_.snapshots->get(*record.snapshot);
      if (snapshot.ok() && *snapshot && (*snapshot)->committed) layer->snapshot = **snapshot;
    }
    if (layer->blob) {
      if (auto sources = engine_.records->sources(layer->blob->digest); sources.ok()) layer->sources = *sources;
    }
    const bool local_blob = layer->blob && engine_.store->has_blob(layer->blob->digest);
    if (layer->snapshot || local_blob || (layer->blob && !layer->sources.empty())) return layer;
  }
  const auto* imported = shared_.imports->find(key);
  if (!imported || (!imported->empty && !imported->blob)) return std::nullopt;
  oci::CacheRecord record;
  record.key = key;
  record.description = imported->description;
  record.created = imported->created;
  record.kind = imported->empty ? k_kind_empty : k_kind_layer;
  record.diff_id = imported->diff_id;
  record.blob = imported->blob;
  if (auto put = engine_.records->put(record); !put.ok()) engine_.scope.bus->warning(put.error().to_string());
  if (imported->empty) {
    empty = true;
    return LayerPtr{};
  }
  auto layer = std::make_shared<LayerRef>();
  layer->key = key;
  layer->description = imported->description;
  layer->created = imported->created;
  layer->diff_id = imported->diff_id;
  layer->blob = imported->blob;
  layer->sources = imported->sources;
  for (const auto& source : imported->sources) (void)engine_.records->add_source(imported->blob->digest, source).ok();
  return layer;
}

std::string StageSolver::vertex_name(std::size_t step) const {
  const auto total = std::to_string(plan_.steps.size() + 1);
  const auto where = engine_.request.platforms.size() > 1 ? plan_.platform.to_string() + " " : std::string{};
  return "[" + where + plan_.name + " " + std::to_string(step + 2) + "/" + total + "] " + plan_.steps[step].title;
}

Status StageSolver::solve_step(std::size_t index) {
  if (solved_[index]) return {};
  // Several ask for a stage: what failed once is not done again for each of them.
  if (failure_) return *failure_;
  auto status = solve_step_anew(index);
  if (!status.ok()) failure_ = status.error();
  return status;
}

Status StageSolver::solve_step_anew(std::size_t index) {
  if (engine_.stop.stop_requested()) return make_error(ErrorCode::cancelled, "stopped");
  DRYDOCK_ASSIGN(const auto step_key, key(index));
  const auto* copy = std::get_if<CopyPlan>(&plan_.steps[index].work);
  const bool stale = fresh_below(index) && !(copy && copy->transfer.link);
  bool empty = false;
  if (!ignores_cache() && !stale) {
    if (auto layer = find(step_key, empty)) {
      Vertex vertex(engine_.scope, {engine_.new_id("v"), leg_, vertex_name(index), Execution::none,
                                    plan_.steps[index].place});
      vertex.cached();
      ++counters_->cached;
      layers_[index] = *layer;
      solved_[index] = 1;
      return {};
    }
  }
  DRYDOCK_TRY(engine_.want_execution());
  prefetch_from(index);
  DRYDOCK_ASSIGN(const auto below, chain_below(index));
  DRYDOCK_TRY(unpack_chain(engine_, below));
  auto answer = shared_.flights.run(step_key, [&] { return execute(index, step_key); });
  if (!answer.layer.ok()) return std::move(answer.layer).error();
  layers_[index] = std::move(answer.layer).value();
  executed_[index] = 1;
  solved_[index] = 1;
  return {};
}

void StageSolver::prefetch_from(std::size_t step) {
  for (auto i = step; i < plan_.steps.size(); ++i) {
    if (const auto* copy = std::get_if<CopyPlan>(&plan_.steps[i].work)) {
      if (copy->source.kind == FileSource::Kind::stage) outside_.prefetch(copy->source.stage);
    } else if (const auto* run = std::get_if<RunPlan>(&plan_.steps[i].work)) {
      for (const auto& mount : run->mounts) {
        if (mount.has_source && mount.source.kind == FileSource::Kind::stage) outside_.prefetch(mount.source.stage);
      }
    }
  }
}

Result<LayerPtr> StageSolver::execute(std::size_t index, const oci::Digest& step_key) {
  const auto& step = plan_.steps[index];
  const bool is_run = std::holds_alternative<RunPlan>(step.work);
  Vertex vertex(engine_.scope, {engine_.new_id("v"), leg_, vertex_name(index),
                                is_run ? engine_.execution(plan_.platform) : Execution::none, step.place});
  vertex.missed(ignores_cache() ? "told not to use the cache"
                                : fresh_below(index) ? "a step below was done anew" : "no result for this step and its inputs");
  ++counters_->run;
  for (int attempts = 1;; ++attempts) {
    bool again = attempts == 1;
    auto layer = attempt(index, step_key, vertex, again);
    if (layer.ok()) {
      vertex.succeeded();
      return layer;
    }
    if (again && attempts == 1) {
      vertex.output(Stream::err, "drydock: " + layer.error().message + "; trying once more\n");
      continue;
    }
    if (layer.error().code == ErrorCode::cancelled) return std::move(layer).error();
    vertex.failed(layer.error().message);
    auto error = std::move(layer).error();
    // Where several platforms are built, what failed may have said its last far above.
    if (const auto last = vertex.last_output(); !last.empty()) error.message += "; the last it said:" + last;
    return std::move(error).while_("in " + vertex_name(index) + ", " + step.place.file + ":" +
                                           std::to_string(step.place.line));
  }
}

Result<LayerPtr> StageSolver::attempt(std::size_t index, const oci::Digest& step_key, Vertex& vertex, bool& again) {
  const bool may_retry = std::exchange(again, false);
  const auto& step = plan_.steps[index];
  DRYDOCK_ASSIGN(const auto below, chain_below(index));
  DRYDOCK_ASSIGN(auto lower, unpack_chain(engine_, below));
  DRYDOCK_ASSIGN(auto snapshot, engine_.snapshots->prepare(parent_snapshot(below)));
  if (lower.empty()) {
    DRYDOCK_ASSIGN(const auto empty, engine_.empty_directory());
    lower.emplace_back(empty);
  }
  auto work = [&]() -> Status {
    DRYDOCK_ASSIGN(const auto root, engine_.new_directory("root"));
    DRYDOCK_ASSIGN(const auto mount,
                   sandbox::mount_overlay({lower, snapshot.fs, snapshot.work, sandbox::default_marks()}, root,
                                          engine_.journal));
    bool crashed = false;
    auto done = perform(step, root, vertex, crashed);
    again = crashed && may_retry;
    return done;
  }();
  if (!work.ok()) {
    if (auto abandoned = engine_.snapshots->abandon(snapshot.id); !abandoned.ok()) {
      engine_.scope.bus->warning(abandoned.error().to_string());
    }
    return std::move(work).error();
  }
  oci::CacheRecord record;
  record.key = step_key;
  record.description = step.title;
  // Whole seconds, as image histories carry them through every tool.
  record.created = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  LayerPtr layer;
  if (is_empty_directory(snapshot.fs)) {
    DRYDOCK_TRY(engine_.snapshots->abandon(snapshot.id));
    record.kind = k_kind_empty;
  } else {
    DRYDOCK_ASSIGN(snapshot, engine_.snapshots->commit(snapshot.id));
    layer = std::make_shared<LayerRef>();
    layer->key = step_key;
    layer->description = step.title;
    layer->snapshot = snapshot;
    layer->fresh = true;
    layer->created = record.created;
    record.kind = k_kind_layer;
    record.snapshot = snapshot.id;
  }
  // An older result under the same key (told not to use the cache) must not shine through.
  DRYDOCK_TRY(engine_.records->erase(step_key));
  DRYDOCK_TRY(engine_.records->put(record));
  return layer;
}

// --- doing it ------------------------------------------------------------------------------------------------

Status StageSolver::perform(const Step& step, const std::filesystem::path& root, Vertex& vertex, bool& again) {
  if (const auto* run = std::get_if<RunPlan>(&step.work)) return perform_run(step, *run, root, vertex, again);
  if (const auto* copy = std::get_if<CopyPlan>(&step.work)) {
    DRYDOCK_ASSIGN(const auto tree, source_tree(copy->source));
    return perform_copy_step(engine_, step, *copy, tree, root);
  }
  std::optional<Owner> owner;
  if (!step.user.empty()) {
    DRYDOCK_ASSIGN(const auto user, sandbox::resolve_user(root, step.user));
    owner = Owner{user.uid, user.gid};
  }
  return make_directories_in(root, std::get<DirectoryPlan>(step.work).path, owner);
}

Status StageSolver::perform_run(const Step& step, const RunPlan& plan, const std::filesystem::path& root,
                                Vertex& vertex, bool& again) {
  DRYDOCK_TRY(engine_.check_platform(plan_.platform));
  RunMounts mounts(engine_, [this](const FileSource& source) { return source_tree(source); });
  RunJob job;
  job.root = root;
  job.platform = plan_.platform;
  job.arguments = plan.arguments;
  job.script = plan.script;
  job.script_path = plan.script_path;
  job.env = plan.env;
  job.hidden_env = plan.hidden_env;
  job.directory = step.directory;
  job.user = step.user;
  job.network = plan.network;
  job.security = plan.security;
  // Locks of cache mounts are taken in one order by all steps, or two could wait for each other.
  std::vector<std::size_t> order(plan.mounts.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return cache_mount_id(plan.mounts[a].mount) < cache_mount_id(plan.mounts[b].mount);
  });
  std::vector<std::optional<ReadyMount>> ready(order.size());
  for (const auto i : order) {
    DRYDOCK_ASSIGN(ready[i], mounts.ready(plan.mounts[i]));
  }
  for (auto& mount : ready) {
    if (mount) job.mounts.push_back(std::move(*mount));
  }
  const Slots::Hold slot(engine_.run_slots);
  DRYDOCK_ASSIGN(auto outcome, execute_run(engine_, job, vertex, engine_.stop.get_token()));
  again = outcome.emulator_crashed;
  if (!outcome.succeeded) return std::move(outcome.error);
  return {};
}

Result<std::shared_ptr<FileTree>> StageSolver::source_tree(const FileSource& source) {
  if (source.kind == FileSource::Kind::stage) {
    DRYDOCK_ASSIGN(auto* stage, outside_.stage(source.stage));
    return stage->tree();
  }
  if (source.kind == FileSource::Kind::image) {
    DRYDOCK_ASSIGN(auto* image, outside_.image(source.name));
    return image->tree();
  }
  return outside_.tree(source);
}

}  // namespace drydock::build
