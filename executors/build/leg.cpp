#include "executors/build/leg.h"

#include "executors/base/text.h"

#include <algorithm>

namespace drydock::build {

namespace df = parser::dockerfile;

namespace {

df::PlatformFacts facts_of(const Platform& platform) {
  return {platform.to_string(), platform.os, platform.architecture, platform.variant, platform.os_version};
}

df::Variables variables_of(const std::map<std::string, std::string>& args) { return {args.begin(), args.end()}; }

constexpr std::string_view k_docker_image = "docker-image://";

}  // namespace

Leg::Leg(LegShared& shared, Platform platform)
    : shared_(shared), engine_(*shared.solver->engine), platform_(std::move(platform)) {}

Leg::~Leg() {
  // A stage that is still being solved in the background may ask for further ones.
  for (;;) {
    std::vector<std::thread> threads;
    {
      const std::lock_guard lock(mutex_);
      threads.swap(threads_);
    }
    if (threads.empty()) return;
    for (auto& thread : threads) thread.join();
  }
}

Error Leg::refusal(const parser::Diagnostics& diagnostics) const {
  std::string text;
  for (const auto& problem : diagnostics) {
    if (problem.severity != parser::Severity::error) continue;
    text += (text.empty() ? "" : "\n") + format_with_source(problem, shared_.source);
  }
  return make_error(ErrorCode::invalid_source, text);
}

Status Leg::plan() {
  const auto& request = engine_.request;
  const auto build_args = variables_of(request.build_args);
  const auto automatic =
      df::automatic_args(facts_of(engine_.host), facts_of(platform_), request.target, build_args);
  globals_ = df::global_scope(*shared_.dockerfile, automatic, build_args);
  auto problems = globals_.diagnostics;
  df::GraphRequest graph;
  graph.target = request.target;
  for (const auto& stage : shared_.dockerfile->stages) {
    bases_.push_back(df::resolve_base(*shared_.dockerfile, stage, globals_));
    problems.insert(problems.end(), bases_.back().diagnostics.begin(), bases_.back().diagnostics.end());
    graph.base_names.push_back(bases_.back().base_name);
  }
  for (const auto& [name, source] : request.named_contexts) named_contexts_.insert(lower(name));
  graph.named_contexts = named_contexts_;
  graph_ = df::build_stage_graph(*shared_.dockerfile, graph);
  problems.insert(problems.end(), graph_.diagnostics.begin(), graph_.diagnostics.end());
  parser::sort_unique(problems);
  if (parser::has_errors(problems)) return refusal(problems);
  return {};
}

Result<Chain> Leg::solve() {
  DRYDOCK_ASSIGN(target_, stage(graph_.target));
  return target_->solve();
}

Result<StageSolver*> Leg::stage(std::size_t index) {
  const std::lock_guard lock(mutex_);
  if (const auto found = stages_.find(index); found != stages_.end()) return found->second.get();
  return make_stage(index);
}

StageOutside Leg::outside() {
  StageOutside outside;
  outside.stage = [this](std::size_t index) { return stage(index); };
  outside.image = [this](const std::string& name) { return image(name, platform_); };
  outside.tree = [this](const FileSource& source) {
    return source.kind == FileSource::Kind::named_context ? shared_.context->named(source.name) : shared_.context->tree();
  };
  outside.prefetch = [this](std::size_t index) { prefetch(index); };
  return outside;
}

Result<StageSolver*> Leg::make_stage(std::size_t index) {
  const auto& stage_text = shared_.dockerfile->stages[index];
  Platform platform = platform_;
  if (!bases_[index].platform.empty()) {
    auto parsed = parse_platform(bases_[index].platform);
    if (!parsed.ok()) {
      return refusal({{parser::Severity::error, shared_.context->dockerfile().name, stage_text.range, "platform",
                       parsed.error().message, parsed.error().mend}});
    }
    platform = *parsed;
  }
  const auto& input = graph_.nodes[index].inputs.front();
  StagePlanRequest request;
  request.dockerfile = shared_.dockerfile;
  request.graph = &graph_;
  request.globals = &globals_;
  request.stage = index;
  request.file = shared_.context->dockerfile().name;
  request.platform = platform;
  request.base = source_of(input, named_contexts_);
  request.base_title = "FROM " + bases_[index].base_name;
  request.build_args = variables_of(engine_.request.build_args);
  request.named_contexts = named_contexts_;
  StageSolver* base = nullptr;
  if (request.base.kind == FileSource::Kind::stage) {
    DRYDOCK_ASSIGN(base, stage(request.base.stage));
    request.base_config = base->plan().config;
    request.base_args = base->plan().args;
    if (bases_[index].platform.empty()) request.platform = base->plan().platform;
  } else if (request.base.kind == FileSource::Kind::image) {
    auto found = image(request.base.name, platform);
    if (!found.ok()) {
      return std::move(found).error().while_("reading " + request.file + ":" +
                                             std::to_string(stage_text.range.start.line));
    }
    base = *found;
    request.base_config = base->plan().config;
  } else if (request.base.kind == FileSource::Kind::named_context) {
    const auto& contexts = engine_.request.named_contexts;
    const auto given = std::find_if(contexts.begin(), contexts.end(),
                                    [&](const auto& item) { return lower(item.first) == request.base.name; });
    if (given == contexts.end() || !given->second.starts_with(k_docker_image)) {
      return make_error(ErrorCode::unsupported, "FROM the build context \"" + request.base.name +
                                                    "\": only docker-image:// contexts can be a base",
                        "copy from it instead: COPY --from=" + request.base.name);
    }
    DRYDOCK_ASSIGN(base, image(given->second.substr(k_docker_image.size()), platform));
    request.base_config = base->plan().config;
  }
  auto planned = plan_stage(request);
  if (parser::has_errors(planned.diagnostics)) return refusal(planned.diagnostics);
  for (const auto& problem : planned.diagnostics) {
    engine_.scope.bus->warning(problem.message, {problem.file, problem.range.start.line, problem.range.start.column});
  }
  auto solver = std::make_unique<StageSolver>(*shared_.solver, std::move(planned.plan), base, outside(), counters_,
                                              platform_.to_string());
  auto* made = solver.get();
  stages_[index] = std::move(solver);
  return made;
}

Result<StageSolver*> Leg::image(const std::string& name, const Platform& platform) {
  const std::lock_guard lock(mutex_);
  const auto key = name + " " + platform.to_string();
  if (const auto found = images_.find(key); found != images_.end()) return found->second.get();
  DRYDOCK_ASSIGN(auto source, shared_.images->get(name, platform));
  StagePlan plan;
  plan.name = name;
  plan.platform = platform;
  plan.config = source.config;
  auto base = base_key(source.config.diff_ids);
  auto solver = std::make_unique<StageSolver>(*shared_.solver, std::move(plan), std::move(source.chain), std::move(base));
  auto* made = solver.get();
  images_[key] = std::move(solver);
  return made;
}

void Leg::prefetch(std::size_t index) {
  const std::lock_guard lock(mutex_);
  if (!prefetched_.insert(index).second) return;
  threads_.emplace_back([this, index] {
    auto solver = stage(index);
    // An error comes again, and is reported, where the stage is needed.
    if (solver.ok()) (void)(*solver)->solve().ok();
  });
}

std::vector<StageSolver*> Leg::solvers() {
  const std::lock_guard lock(mutex_);
  std::vector<StageSolver*> all;
  for (const auto index : graph_.order) {
    if (const auto found = stages_.find(index); found != stages_.end()) all.push_back(found->second.get());
  }
  return all;
}

}  // namespace drydock::build
