#include "parser/lint/build_facts.h"
#include "parser/lint/walk.h"

#include <algorithm>

namespace drydock::parser::lint {

namespace {

constexpr std::string_view k_rule = "build-tags";

/// The step whose output the text reads: "${{ steps.meta.outputs.tags }}" is "meta".
std::string step_read_by(std::string_view text) {
  const auto begin = text.find("steps.");
  if (begin == std::string_view::npos) return {};
  const auto rest = text.substr(begin + 6);
  return std::string(rest.substr(0, rest.find('.')));
}

bool tree_names_matrix(const workflow::Token& token) {
  return names_matrix(token.source) ||
         std::any_of(token.items.begin(), token.items.end(), tree_names_matrix) ||
         std::any_of(token.entries.begin(), token.entries.end(),
                     [](const workflow::Entry& entry) { return tree_names_matrix(entry.value); });
}

/// Whether a tag may differ from leg to leg.
bool may_hang_on_leg(const BuildStep& build, const std::string& tag) {
  if (names_matrix(tag)) return true;
  if (!has_template(tag)) return false;
  const auto id = step_read_by(tag);
  if (!id.empty()) {
    bool hangs = true;  // a step that is not found may do anything
    each_step(build.job->steps, [&](const workflow::Step& step) {
      if (lower(step.id) != lower(id)) return;
      const bool is_metadata = step.uses && lower(step.uses->source).starts_with("docker/metadata-action@");
      hangs = !is_metadata || (step.with && tree_names_matrix(*step.with)) ||
              (step.env && tree_names_matrix(*step.env));
    });
    return hangs;
  }
  // The same in every leg: what the run itself gives. Variables and others may hang on anything.
  const bool of_run = tag.find("github.") != std::string::npos || tag.find("secrets.") != std::string::npos ||
                      tag.find("vars.") != std::string::npos || tag.find("inputs.") != std::string::npos;
  const bool may_vary = tag.find("env.") != std::string::npos || tag.find("runner.") != std::string::npos ||
                        tag.find("github.job") != std::string::npos;
  return may_vary || !of_run;
}

void check_legs(LintContext& context, const BuildStep& build) {
  if (!has_legs(*build.job) || build.tags.empty()) return;
  for (const auto& tag : build.tags) {
    if (may_hang_on_leg(build, tag)) return;
  }
  context.report(k_rule, build.input("tags")->range.start,
                 "every leg of the matrix of job \"" + build.job->id +
                     "\" pushes the same tags: the image is that of the leg that ends last",
                 "build all platforms in one step by platforms:, or let the tags hang on the matrix");
}

bool waits_for(const workflow::Workflow& workflow, const workflow::Job& job, const workflow::Job& other,
               int depth = 0) {
  constexpr int k_deepest = 50;
  return depth < k_deepest &&
         std::any_of(job.needs.begin(), job.needs.end(), [&](const workflow::Text& need) {
           const auto* needed = workflow.find_job(need.value);
           return needed != nullptr && (needed == &other || waits_for(workflow, *needed, other, depth + 1));
         });
}

void check_jobs(LintContext& context, const std::vector<BuildStep>& builds, std::size_t index) {
  const auto& build = builds[index];
  for (std::size_t i = 0; i < index; ++i) {
    const auto& other = builds[i];
    if (other.job == build.job || !other.pushes || other.by_digest) continue;
    if (waits_for(*context.workflow, *build.job, *other.job) ||
        waits_for(*context.workflow, *other.job, *build.job))
      continue;
    for (const auto& tag : build.tags) {
      if (has_template(tag) || std::find(other.tags.begin(), other.tags.end(), tag) == other.tags.end())
        continue;
      context.report(k_rule, build.input("tags")->range.start,
                     "job \"" + other.job->id + "\" pushes the tag \"" + tag +
                         "\" at the same time: it is that of the job that ends last");
      return;
    }
  }
}

}  // namespace

void check_build_tags(LintContext& context, const std::vector<BuildStep>& builds) {
  for (std::size_t i = 0; i < builds.size(); ++i) {
    if (!builds[i].pushes || builds[i].by_digest) continue;
    check_legs(context, builds[i]);
    check_jobs(context, builds, i);
  }
}

}  // namespace drydock::parser::lint
