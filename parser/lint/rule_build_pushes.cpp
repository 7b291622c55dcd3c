#include "parser/lint/build_facts.h"
#include "parser/lint/walk.h"

#include <algorithm>

namespace drydock::parser::lint {

namespace {

constexpr std::string_view k_load = "build-load";
constexpr std::string_view k_untrusted = "build-untrusted-push";

void check_load(LintContext& context, const BuildStep& build) {
  const bool several = build.platforms.size() > 1;
  if (!build.loads || !several) return;
  const auto* token = build.input("load") != nullptr ? build.input("load") : build.input("outputs");
  context.report(k_load, token->range.start,
                 "an image of several platforms cannot be loaded: \"docker exporter does not currently "
                 "support exporting manifest lists\"",
                 "load one platform to try it, and push all of them");
}

bool asks_for_event(const std::optional<workflow::Token>& condition) {
  if (!condition) return false;
  for (const auto* name :
       {"event_name", "github.event", "head_ref", "github.ref", "fork", "actor", "secrets", "inputs"}) {
    if (condition->source.find(name) != std::string::npos) return true;
  }
  return false;
}

/// Whether the job checks out what a pull request brings.
bool takes_head(const BuildStep& build) {
  bool takes = false;
  each_step(build.job->steps, [&](const workflow::Step& step) {
    if (!step.uses || !lower(step.uses->source).starts_with("actions/checkout@") || !step.with) return;
    for (const auto* input : {"ref", "repository"}) {
      const auto* token = step.with->find(input);
      takes |= token != nullptr && (token->source.find("pull_request.head") != std::string::npos ||
                                    token->source.find("head_ref") != std::string::npos);
    }
  });
  const auto* directory = build.input("context");
  return takes ||
         (directory != nullptr && (directory->source.find("pull_request.head") != std::string::npos ||
                                   directory->source.find("head_ref") != std::string::npos));
}

void check_untrusted(LintContext& context, const BuildStep& build) {
  const auto& workflow = *context.workflow;
  const bool guarded = asks_for_event(build.step->if_) || asks_for_event(build.job->if_);
  if (workflow.find_event("pull_request_target") != nullptr && takes_head(build) && !guarded) {
    context.report(
        k_untrusted, build.step->uses->range.start,
        "a pull request of anybody is built here with the rights and secrets of this repository",
        "build it on the event pull_request, which has neither, and push in a workflow of its own");
    return;
  }
  if (workflow.find_event("pull_request") == nullptr || !build.pushes || guarded) return;
  const auto* token = build.input("push") != nullptr ? build.input("push") : build.input("outputs");
  context.report(k_untrusted, token->range.start,
                 "this pushes for pull requests, too: from a fork there are no credentials, and from a "
                 "branch an image that nobody has reviewed",
                 "write push: ${{ github.event_name != 'pull_request' }}");
}

}  // namespace

void check_build_pushes(LintContext& context, const std::vector<BuildStep>& builds) {
  for (const auto& build : builds) {
    check_load(context, build);
    check_untrusted(context, build);
  }
}

}  // namespace drydock::parser::lint
