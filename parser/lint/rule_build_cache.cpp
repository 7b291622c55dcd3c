#include "parser/lint/build_facts.h"
#include "parser/lint/walk.h"

#include <algorithm>

namespace drydock::parser::lint {

namespace {

constexpr std::string_view k_rule = "build-cache";

std::string shown(const CacheRef& ref) {
  return ref.kind == "gha" ? "scope \"" + ref.name + "\" of the gha cache"
                           : "the " + ref.kind + " cache \"" + ref.name + "\"";
}

std::string text_of(const BuildStep& build, std::string_view input) {
  const auto* token = build.input(input);
  return token == nullptr ? std::string{} : token->source;
}

/// Two steps that build the same thing (to try it, then to push it) share a cache rightly.
bool builds_same(const BuildStep& a, const BuildStep& b) {
  for (const auto* input : {"context", "file", "target", "platforms", "build-args"}) {
    if (text_of(a, input) != text_of(b, input)) return false;
  }
  return true;
}

/// Whether the legs of the build's matrix build different things.
bool differs_by_leg(const BuildStep& build) {
  if (!has_legs(*build.job)) return false;
  for (const auto* input : {"context", "file", "target", "platforms", "build-args"}) {
    if (names_matrix(text_of(build, input))) return true;
  }
  const auto& runs_on = build.job->runs_on;
  return runs_on && std::any_of(runs_on->labels.begin(), runs_on->labels.end(),
                                [](const workflow::Token& label) { return names_matrix(label.source); });
}

void check_overwriting(LintContext& context, const std::vector<BuildStep>& builds) {
  for (std::size_t i = 0; i < builds.size(); ++i) {
    const auto& build = builds[i];
    for (const auto& ref : build.cache_to) {
      const auto at = build.input("cache-to")->range.start;
      if (differs_by_leg(build) && !names_matrix(ref.name)) {
        context.report(k_rule, at,
                       "every leg of the matrix of job \"" + build.job->id + "\" writes " + shown(ref) +
                           ": the last one wins, the others build anew each time",
                       ref.kind == "gha" ? "add scope=${{ matrix.… }}" : "let the name hang on the matrix");
        continue;
      }
      const auto writes_too = [&](const BuildStep& other) {
        return std::find(other.cache_to.begin(), other.cache_to.end(), ref) != other.cache_to.end() &&
               !builds_same(build, other);
      };
      const auto earlier =
          std::find_if(builds.begin(), builds.begin() + static_cast<std::ptrdiff_t>(i), writes_too);
      if (earlier == builds.begin() + static_cast<std::ptrdiff_t>(i)) continue;
      context.report(k_rule, at,
                     shown(ref) + " is also written in line " +
                         std::to_string(earlier->step->uses->range.start.line) +
                         " by a build of something else: one overwrites the other",
                     ref.kind == "gha" ? "give each build its own scope=" : "give each build its own name");
    }
  }
}

bool may_write(const BuildStep& build, const CacheRef& wanted) {
  if (build.inline_cache && wanted.kind == "registry") {
    const auto tags_it = std::any_of(build.tags.begin(), build.tags.end(), [&](const std::string& tag) {
      return tag == wanted.name || has_template(tag);
    });
    if (tags_it) return true;
  }
  return std::any_of(build.cache_to.begin(), build.cache_to.end(), [&](const CacheRef& ref) {
    const bool unknown = has_template(ref.name) || has_template(wanted.name);
    return ref == wanted || (unknown && ref.kind == wanted.kind);
  });
}

/// A workflow for pull requests alone reads what another workflow writes.
bool only_reads(const workflow::Workflow& workflow) {
  return std::all_of(workflow.on.begin(), workflow.on.end(), [](const workflow::Event& event) {
    return event.name.starts_with("pull_request") || event.name == "merge_group" ||
           event.name == "workflow_call";
  });
}

void check_unwritten(LintContext& context, const std::vector<BuildStep>& builds) {
  if (only_reads(*context.workflow)) return;
  for (const auto& build : builds) {
    for (const auto& ref : build.cache_from) {
      if (ref.kind == "local" || has_template(ref.kind)) continue;
      if (std::any_of(builds.begin(), builds.end(),
                      [&](const BuildStep& other) { return may_write(other, ref); }))
        continue;
      context.report(k_rule, build.input("cache-from")->range.start,
                     "no build of this workflow writes " + shown(ref) + ": there is nothing to read",
                     "add the same to cache-to");
    }
  }
}

}  // namespace

void check_build_caches(LintContext& context, const std::vector<BuildStep>& builds) {
  check_overwriting(context, builds);
  check_unwritten(context, builds);
}

}  // namespace drydock::parser::lint
