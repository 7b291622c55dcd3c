#include "executors/build/build_engine.h"

#include <algorithm>
#include <map>
#include <set>
#include <thread>

#include <nlohmann/json.hpp>

#include "executors/base/json.h"
#include "executors/build/annotations.h"
#include "executors/build/archive_export.h"
#include "executors/build/cache_export.h"
#include "executors/build/image_export.h"
#include "executors/build/leg.h"
#include "parser/dockerfile/instructions.h"

namespace drydock::build {

namespace {

constexpr int k_schema = 1;

/// A key that changed what is written and is passed over would give another image than was asked for.
Status refuse_unsupported_output(const OutputSpec& output) {
  static const std::map<std::string, std::set<std::string>> keys{
      {"image", {"name", "push", "push-by-digest", "name-canonical", "compression", "compression-level"}},
      {"oci", {"dest", "compression", "compression-level"}},
      {"docker", {"dest", "compression", "compression-level"}},
      {"local", {"dest"}},
      {"tar", {"dest"}}};
  // What is done anyway may be said.
  static const std::map<std::string, std::string> given{
      {"tar", "true"}, {"oci-mediatypes", "true"}, {"unpack", "false"}, {"platform-split", "true"}};
  const auto known = keys.find(output.type);
  if (known == keys.end()) {
    return make_error(ErrorCode::unsupported, "output type=" + output.type + " is not supported",
                      "use image, oci, docker, local or tar");
  }
  for (const auto& [key, value] : output.attributes) {
    const auto fixed = given.find(key);
    if (known->second.contains(key) || (fixed != given.end() && fixed->second == value)) continue;
    return make_error(ErrorCode::unsupported, "output type=" + output.type + " with " + key + "=" + value + " is not supported",
                      "leave " + key + " out");
  }
  return {};
}

/// A request whose meaning this engine does not have is refused before anything is done.
Status check_supported(const BuildRequest& request) {
  if (!request.ssh.empty()) return make_error(ErrorCode::unsupported, "ssh forwarding (--ssh) is not supported yet");
  if (!request.sbom.empty() && request.sbom != "false") {
    return make_error(ErrorCode::unsupported, "sbom attestations are not supported yet", "leave sbom out, or set it to false");
  }
  if (request.load) {
    return make_error(ErrorCode::unsupported, "load is not supported: there is no Docker engine here",
                      "write an archive for `docker load` with an output type=docker,dest=FILE");
  }
  for (const auto& entitlement : request.allow) {
    if (entitlement != "network.host" && entitlement != "security.insecure") {
      return make_error(ErrorCode::unsupported, "the entitlement " + entitlement + " is not supported");
    }
  }
  if (!request.network.empty() && request.network != "default" && request.network != "none" && request.network != "host") {
    return make_error(ErrorCode::unsupported, "network " + request.network + " is not supported", "use default, host or none");
  }
  for (const auto* specs : {&request.cache_from, &request.cache_to}) {
    for (const auto& spec : *specs) {
      if (spec.type != "registry") {
        return make_error(ErrorCode::unsupported, "cache type=" + spec.type + " is not supported yet",
                          "use type=registry,ref=…");
      }
      if (!spec.attributes.contains("ref")) {
        return make_error(ErrorCode::usage, "cache type=registry needs ref=…", "write type=registry,ref=HOST/NAME:TAG");
      }
    }
  }
  for (const auto& output : request.outputs) DRYDOCK_TRY(refuse_unsupported_output(output));
  return {};
}

class Build {
 public:
  Build(const BuildRequest& request, const EngineOptions& options, EngineSetting setting, Bus& bus, std::stop_token stop,
        ExecutionPolicy execution)
      : request_(request),
        setting_(setting),
        engine_(request_, options, bus, stop_),
        on_stop_(stop, [this] { stop_.request_stop(); }),
        images_(engine_) {
    if (request_.platforms.empty()) request_.platforms = {host_platform()};
    engine_.may_execute = execution == ExecutionPolicy::allowed;
  }

  Result<EngineResult> run() {
    DRYDOCK_TRY(check_supported(request_));
    DRYDOCK_ASSIGN(annotations_, parse_annotations(request_.annotations));
    if (wants_push(request_)) {
      DRYDOCK_ASSIGN(targets_, push_targets(request_));
    }
    DRYDOCK_TRY(engine_.open());
    if (!engine_.may_execute) return look();
    if (setting_ == EngineSetting::own_namespace) {
      DRYDOCK_ASSIGN(auto emulators, sandbox::set_up_emulation(request_.platforms));
      engine_.emulators.emplace(std::move(emulators));
    } else {
      DRYDOCK_TRY(open_journal());
      // Where the operator lets us, a missing emulator is registered on the host for as long as the build takes.
      if (engine_.options.host_registration == sandbox::HostRegistration::allowed) {
        DRYDOCK_ASSIGN(auto emulators, sandbox::set_up_emulation(request_.platforms, engine_.options.host_registration,
                                                                 engine_.journal));
        engine_.emulators.emplace(std::move(emulators));
      }
    }
    DRYDOCK_TRY(plan());
    if (request_.check_only) return EngineResult{};
    for (const auto& platform : request_.platforms) DRYDOCK_TRY(preflight(platform));
    DRYDOCK_TRY(reach_targets());
    imports_.load(engine_, request_.platforms);
    return build();
  }

 private:
  Status plan() {
    DRYDOCK_ASSIGN(context_, BuildContext::open(engine_));
    DRYDOCK_TRY(read_dockerfile());
    for (const auto& platform : request_.platforms) legs_.push_back(std::make_unique<Leg>(shared_, platform));
    for (auto& leg : legs_) DRYDOCK_TRY(leg->plan());
    return {};
  }

  /// A registry that is down is told of before the build, not after it. Whether it takes the push, it says itself:
  /// what a log-in may do differs from registry to registry.
  Status reach_targets() {
    for (const auto& target : targets_) {
      auto reached = engine_.registry->ping(target.domain, stop_.get_token());
      if (!reached.ok() && reached.error().code == ErrorCode::network) {
        return std::move(reached).error().while_("looking for the registry to push to; nothing was built");
      }
    }
    return {};
  }

  /// Execution is forbidden: what the caches cannot serve is left to somebody who may.
  Result<EngineResult> look() {
    EngineResult unserved;
    unserved.needs_execution = true;
    if (request_.no_cache || request_.check_only) return unserved;
    const bool files = std::any_of(request_.outputs.begin(), request_.outputs.end(),
                                   [](const OutputSpec& output) { return output.type == "local" || output.type == "tar"; });
    if (files) return unserved;
    DRYDOCK_TRY(plan());
    imports_.load(engine_, request_.platforms);
    auto built = build();
    if (engine_.needs_execution) return unserved;
    return built;
  }

  Status open_journal() {
    DRYDOCK_ASSIGN(const auto state, engine_.store->directory("state"));
    DRYDOCK_ASSIGN(const auto reaped, sandbox::reap(state));
    for (const auto& line : reaped.left) engine_.scope.bus->warning("left by an earlier run: " + line);
    DRYDOCK_ASSIGN(engine_.journal, sandbox::Journal::open(state));
    return {};
  }

  Status read_dockerfile() {
    const auto& file = context_->dockerfile();
    auto parsed = parser::dockerfile::parse_dockerfile(file.text, file.name);
    if (!parsed.ok()) {
      std::string text;
      for (const auto& problem : parsed.diagnostics) {
        if (problem.severity == parser::Severity::error) {
          text += (text.empty() ? "" : "\n") + format_with_source(problem, file.text);
        }
      }
      return make_error(ErrorCode::invalid_source, text);
    }
    dockerfile_ = std::move(parsed.dockerfile);
    solver_.engine = &engine_;
    solver_.imports = &imports_;
    shared_ = {&solver_, context_.get(), &images_, &dockerfile_, file.text};
    return {};
  }

  /// A platform that nothing here can run is refused before the first step of any leg.
  Status preflight(const Platform& platform) {
    if (platform.os != "linux") {
      return make_error(ErrorCode::environment, "this machine cannot build " + platform.to_string() + ": only Linux images",
                        "take " + platform.to_string() + " out of `platforms`");
    }
    if (runs_natively(platform, engine_.host)) return {};
    const auto& stages = dockerfile_.stages;
    const bool runs = std::any_of(stages.begin(), stages.end(), [](const auto& stage) {
      return std::any_of(stage.commands.begin(), stage.commands.end(), [](const auto& c) { return c.name == "RUN"; });
    });
    if (!runs) return {};
    if (engine_.emulators) {
      for (const auto& plan : engine_.emulators->plans) {
        if (plan.platform == platform && plan.way == sandbox::EmulationWay::refused) return refuse(platform, plan);
      }
      return {};
    }
    const auto plan = sandbox::plan_emulation(platform, engine_.options.host_registration);
    return plan.way == sandbox::EmulationWay::refused ? refuse(platform, plan) : Status{};
  }

  static Status refuse(const Platform& platform, const sandbox::EmulationPlan& plan) {
    return make_error(ErrorCode::environment, "this machine cannot run " + platform.to_string() + ": " + plan.why, plan.mend);
  }

  Result<EngineResult> build() {
    std::vector<Result<EngineLeg>> answers(legs_.size(), make_error(ErrorCode::cancelled, "stopped"));
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < legs_.size(); ++i) {
      threads.emplace_back([this, i, &answers] {
        answers[i] = build_leg(*legs_[i]);
        // One platform short, nothing will be published: the others need not go on.
        if (!answers[i].ok()) stop_.request_stop();
      });
    }
    for (auto& thread : threads) thread.join();
    // What was done is kept even when a leg failed, so that the next try goes on from there.
    if (auto synced = engine_.snapshots->sync_all(); !synced.ok()) engine_.scope.bus->warning(synced.error().to_string());
    DRYDOCK_TRY(first_failure(answers));
    EngineResult result;
    for (auto& answer : answers) result.legs.push_back(std::move(*answer));
    for (const auto& target : targets_) result.repositories.push_back(target.name());
    DRYDOCK_TRY(write_files(result));
    std::vector<Leg*> legs;
    for (auto& leg : legs_) legs.push_back(leg.get());
    DRYDOCK_TRY(export_caches(engine_, legs));
    return result;
  }

  /// The cause, not the cancellations that followed from it.
  static Status first_failure(std::vector<Result<EngineLeg>>& answers) {
    Result<EngineLeg>* failure = nullptr;
    for (auto& answer : answers) {
      if (answer.ok()) continue;
      if (!failure || failure->error().code == ErrorCode::cancelled) failure = &answer;
    }
    if (failure) return std::move(*failure).error();
    return {};
  }

  Result<EngineLeg> build_leg(Leg& leg) {
    const auto name = leg.platform().to_string();
    auto done = [&]() -> Result<EngineLeg> {
      DRYDOCK_TRY(leg.solve());
      DRYDOCK_ASSIGN(auto image, assemble_image(engine_, leg, images_, annotations_));
      for (const auto& target : targets_) DRYDOCK_TRY(push_image(engine_, image, target));
      EngineLeg finished;
      finished.manifest = image.manifest.descriptor;
      if (image.attestation) finished.attestation = image.attestation->descriptor;
      finished.result.platform = leg.platform();
      finished.result.manifest_digest = image.manifest.descriptor.digest.to_string();
      finished.result.manifest_size = image.manifest.descriptor.size;
      finished.result.config_digest = image.config.descriptor.digest.to_string();
      finished.result.execution = engine_.execution(leg.platform());
      finished.result.steps_run = leg.counters().run;
      finished.result.steps_cached = leg.counters().cached;
      const std::lock_guard lock(mutex_);
      built_.emplace(name, std::move(image));
      return finished;
    }();
    if (!done.ok()) return done;
    Event event;
    event.kind = EventKind::leg_finished;
    event.job = request_.job;
    event.step = request_.step;
    event.leg = name;
    event.name = name;
    event.digest = done->result.manifest_digest;
    event.execution = done->result.execution;
    event.outcome = Outcome::success;
    event.text = std::to_string(done->result.steps_run) + " steps run, " + std::to_string(done->result.steps_cached) + " cached";
    engine_.scope.bus->publish(std::move(event));
    return done;
  }

  Status write_files(EngineResult& result) {
    std::vector<const LegImage*> images;
    for (const auto& leg : legs_) images.push_back(&built_.at(leg->platform().to_string()));
    for (const auto& output : request_.outputs) {
      if (output.type == "image") continue;
      std::vector<Leg*> legs;
      for (auto& leg : legs_) legs.push_back(leg.get());
      DRYDOCK_ASSIGN(auto file, export_archive(engine_, output, images, legs));
      result.files.push_back(std::move(file));
    }
    return {};
  }

  BuildRequest request_;
  EngineSetting setting_;
  std::stop_source stop_;
  Engine engine_;
  std::stop_callback<std::function<void()>> on_stop_;
  ImageSources images_;
  CacheImports imports_;
  std::vector<Annotation> annotations_;
  std::vector<oci::Reference> targets_;
  std::unique_ptr<BuildContext> context_;
  parser::dockerfile::Dockerfile dockerfile_;
  SolverShared solver_;
  LegShared shared_;
  std::vector<std::unique_ptr<Leg>> legs_;
  std::mutex mutex_;
  std::map<std::string, LegImage> built_;
};

}  // namespace

bool wants_push(const BuildRequest& request) {
  if (request.push) return true;
  return std::any_of(request.outputs.begin(), request.outputs.end(), [](const OutputSpec& output) {
    const auto found = output.attributes.find("push");
    return output.type == "image" && found != output.attributes.end() && found->second == "true";
  });
}

std::vector<std::string> image_names(const BuildRequest& request) {
  auto names = request.tags;
  for (const auto& output : request.outputs) {
    const auto found = output.attributes.find("name");
    if (output.type != "image" || found == output.attributes.end()) continue;
    for (std::size_t begin = 0; begin <= found->second.size();) {
      const auto end = std::min(found->second.find(',', begin), found->second.size());
      if (end > begin) names.push_back(found->second.substr(begin, end - begin));
      begin = end + 1;
    }
  }
  return names;
}

Result<std::vector<oci::Reference>> push_targets(const BuildRequest& request) {
  std::vector<oci::Reference> targets;
  for (const auto& name : image_names(request)) {
    DRYDOCK_ASSIGN(auto reference, oci::parse_reference(name));
    reference.tag.clear();
    reference.digest = {};
    if (std::find(targets.begin(), targets.end(), reference) == targets.end()) targets.push_back(std::move(reference));
  }
  if (targets.empty()) {
    return make_error(ErrorCode::usage, "push was asked for and no tag is given", "name one with -t (the action's input `tags`)");
  }
  return targets;
}

Result<EngineResult> run_engine(const BuildRequest& request, const EngineOptions& options, EngineSetting setting,
                                Bus& bus, std::stop_token stop, ExecutionPolicy execution) {
  return Build(request, options, setting, bus, std::move(stop), execution).run();
}

nlohmann::json to_json(const EngineResult& result) {
  auto legs = nlohmann::json::array();
  BuildResult carried;
  for (const auto& leg : result.legs) {
    nlohmann::json item{{"manifest", nlohmann::json::parse(dump_json(oci::to_json(leg.manifest)))}};
    if (leg.attestation) item["attestation"] = nlohmann::json::parse(dump_json(oci::to_json(*leg.attestation)));
    legs.push_back(std::move(item));
    carried.legs.push_back(leg.result);
  }
  return {{"schema", k_schema}, {"legs", legs},           {"results", to_json(carried)},
          {"repositories", result.repositories}, {"files", result.files}};
}

Result<EngineResult> engine_result_from_json(const nlohmann::json& json) {
  try {
    if (json.at("schema").get<int>() != k_schema) {
      return make_error(ErrorCode::unsupported, "engine result of an unknown schema " + json.at("schema").dump());
    }
    EngineResult result;
    DRYDOCK_ASSIGN(auto carried, build_result_from_json(json.at("results")));
    for (std::size_t i = 0; i < carried.legs.size(); ++i) {
      const auto& item = json.at("legs").at(i);
      EngineLeg leg;
      leg.result = std::move(carried.legs[i]);
      DRYDOCK_ASSIGN(leg.manifest, oci::descriptor_from_json(item.at("manifest"), "leg manifest"));
      if (item.contains("attestation")) {
        DRYDOCK_ASSIGN(leg.attestation, oci::descriptor_from_json(item["attestation"], "leg attestation"));
      }
      result.legs.push_back(std::move(leg));
    }
    json.at("repositories").get_to(result.repositories);
    json.at("files").get_to(result.files);
    return result;
  } catch (const nlohmann::json::exception& e) {
    return make_error(ErrorCode::invalid_input, std::string("engine result: ") + e.what());
  }
}

}  // namespace drydock::build
