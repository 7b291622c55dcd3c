#include "runner/cli/followers.h"

namespace drydock::runner {

void Followers::look() {
  workflows_.emplace();
  PreparedWorkflows found;
  found.git = prepared_.git;
  found.config = prepared_.config;
  found.secrets = prepared_.secrets;
  const auto mentions = [](const std::string& text) { return text.find("workflow_run") != std::string::npos; };
  if (const Status read = read_repository_workflows(arguments_, mentions, found); !read) {
    bus_.warning("workflows that follow this one: " + Status(read).error().to_string());
    return;
  }
  for (const auto& warning : found.warnings) bus_.warning(warning);
  for (const auto& problem : found.diagnostics) {
    if (problem.severity != parser::Severity::error) continue;
    bus_.warning("this file may follow by workflow_run, and is wrong: " + problem.message,
                 {problem.file, problem.range.start.line, problem.range.start.column});
  }
  for (auto& workflow : found.workflows) {
    const bool wrong = std::any_of(found.diagnostics.begin(), found.diagnostics.end(), [&](const parser::Diagnostic& problem) {
      return problem.severity == parser::Severity::error && problem.file == workflow.file;
    });
    if (!wrong && workflow.find_event("workflow_run")) workflows_->push_back(std::move(workflow));
  }
}

/// GitHub takes the workflows, and the commit they run for, from the default branch.
const GitFacts& Followers::default_branch() {
  if (default_) return *default_;
  if (prepared_.git.ref != "refs/heads/" + prepared_.git.default_branch) {
    if (auto facts = read_git_facts(prepared_.git.root, prepared_.git.default_branch); facts.ok()) return default_.emplace(std::move(*facts));
    bus_.notice("the default branch '" + prepared_.git.default_branch + "' is not here: what follows runs for " + prepared_.git.ref);
  }
  return default_.emplace(prepared_.git);
}

std::vector<Follower> Followers::of(const FollowedRun& run, std::initializer_list<RunActivity> activities) {
  if (!workflows_) look();
  std::vector<Follower> out;
  if (workflows_->empty()) return out;
  for (const auto activity : activities) {
    auto event = follow_event(run, activity, default_branch());
    if (!event.ok()) {
      bus_.warning(event.error().to_string());
      return out;
    }
    for (const auto& workflow : *workflows_) {
      if (triggered_by(workflow, event->trigger).runs) out.push_back({&workflow, *event});
    }
  }
  return out;
}

}  // namespace drydock::runner
