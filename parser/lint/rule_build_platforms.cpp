#include "parser/lint/build_facts.h"
#include "parser/lint/walk.h"

#include <algorithm>
#include <set>

namespace drydock::parser::lint {

namespace {

constexpr std::string_view k_rule = "build-platforms";

/// Every architecture the job may run on; an unknown one is "".
std::set<std::string_view> architectures(const workflow::Job& job) {
  std::set<std::string_view> found;
  if (!job.runs_on) return found;
  for (const auto& label : job.runs_on->labels) {
    for (const auto& value : leg_values(job, label.source)) found.insert(architecture_of(value));
  }
  if (found.size() > 1) found.erase("");  // [self-hosted, arm64]: one label tells
  return found;
}

bool contains(const std::vector<std::string>& list, std::string_view text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

/// Whether a runner of that processor runs the platform by itself.
bool runs_natively(std::string_view architecture, std::string_view platform) {
  if (platform.starts_with("linux/amd64") || platform == "linux/386") return architecture == "amd64";
  return platform.starts_with("linux/arm64") && architecture == "arm64";
}

/// What the steps before the build have prepared in its job.
struct Prepared {
  bool all_emulators = false;
  std::string emulators;       // the list given to setup-qemu-action
  bool other_workers = false;  // builders elsewhere, which may be native
};

Prepared prepared_before(const BuildStep& build) {
  Prepared prepared;
  std::size_t position = 0;
  each_step(build.job->steps, [&](const workflow::Step& step) {
    if (position++ >= build.position || !step.uses) return;
    const auto uses = lower(step.uses->source);
    const auto input = [&](std::string_view name) {
      const auto* token = step.with ? step.with->find(name) : nullptr;
      return token == nullptr ? std::string{} : token->source;
    };
    if (uses.starts_with("docker/setup-qemu-action@")) {
      const auto list = input("platforms");
      prepared.all_emulators |= list.empty() || list == "all" || has_template(list);
      prepared.emulators += "," + list;
    } else if (uses.starts_with("docker/setup-buildx-action@")) {
      const auto driver = input("driver");
      prepared.other_workers |= !input("append").empty() || !input("endpoint").empty() ||
                                driver == "remote" || driver == "cloud" || driver == "kubernetes";
    } else if (uses.find("setup-qemu") != std::string::npos || uses.find("binfmt") != std::string::npos ||
               uses.find("buildx") != std::string::npos) {
      prepared.all_emulators = true;  // another action of that kind: trusted
    }
  });
  each_step(build.job->steps, [&](const workflow::Step& step) {
    if (step.run && step.run->source.find("binfmt") != std::string::npos) prepared.all_emulators = true;
  });
  return prepared;
}

bool is_emulated(const Prepared& prepared, std::string_view platform) {
  if (prepared.all_emulators || prepared.other_workers) return true;
  const auto slash = platform.find('/');
  const auto architecture = platform.substr(slash == std::string_view::npos ? 0 : slash + 1);
  const auto family = architecture.substr(0, architecture.find('/'));
  return prepared.emulators.find(family) != std::string::npos;
}

void check_missing(LintContext& context, const BuildStep& build) {
  if (!build.pushes || build.by_digest || build.input("platforms") != nullptr) return;
  const auto& native = context.options.platforms.native;
  const bool facts_say_arm =
      !native.empty() && contains(native, "linux/arm64") && !contains(native, "linux/amd64");
  const auto found = architectures(*build.job);
  const bool by_label = found.contains("arm64");
  const bool own_machine = found.empty() || (found.size() == 1 && found.contains(""));
  if (!by_label && !(own_machine && facts_say_arm)) return;
  if (found.contains("amd64") && std::any_of(build.tags.begin(), build.tags.end(), names_matrix)) return;
  context.report(k_rule, build.step->uses->range.start,
                 "this pushes an image for linux/arm64 alone, that of its runner: a server with an Intel or "
                 "AMD processor will say "
                 "\"no matching manifest for linux/amd64 in the manifest list entries\"",
                 "name every platform that is needed: platforms: linux/amd64,linux/arm64");
}

void check_emulation(LintContext& context, const BuildStep& build) {
  const auto* token = build.input("platforms");
  if (token == nullptr) return;
  const auto found = architectures(*build.job);
  const bool runner_by_leg =
      build.job->runs_on &&
      std::any_of(build.job->runs_on->labels.begin(), build.job->runs_on->labels.end(),
                  [](const workflow::Token& label) { return has_template(label.source); });
  const auto prepared = prepared_before(build);
  const auto& facts = context.options.platforms;
  std::vector<std::string> lacking;
  for (const auto& written : build.platforms) {
    if (runner_by_leg && has_template(written)) continue;  // each leg on a runner of its own
    for (const auto& platform : leg_values(*build.job, written)) {
      if (has_template(platform) || !platform.starts_with("linux/") || is_emulated(prepared, platform))
        continue;
      if (contains(facts.native, platform) || contains(facts.emulated, platform)) continue;
      const bool somewhere_native = std::any_of(
          found.begin(), found.end(), [&](auto a) { return a.empty() || runs_natively(a, platform); });
      if (!somewhere_native && !found.empty() && !contains(lacking, platform)) lacking.push_back(platform);
    }
  }
  if (lacking.empty()) return;
  context.report(k_rule, token->range.start,
                 "the runner has no emulator for " + quoted_list(lacking) +
                     ": the build will end with \"exec format error\"",
                 "put docker/setup-qemu-action before it, or build on a runner of that platform");
}

}  // namespace

void check_build_platforms(LintContext& context, const std::vector<BuildStep>& builds) {
  for (const auto& build : builds) {
    check_missing(context, build);
    check_emulation(context, build);
  }
}

}  // namespace drydock::parser::lint
