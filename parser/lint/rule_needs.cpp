#include "parser/lint/rule.h"

#include <algorithm>
#include <set>

namespace drydock::parser::lint {

namespace {

using workflow::Job;

enum class Mark { fresh, open, done };

/// Looks for one cycle, depth first in the order of the file.
class CycleSearch {
 public:
  explicit CycleSearch(const workflow::Workflow& workflow)
      : workflow_(workflow), marks_(workflow.jobs.size(), Mark::fresh) {}

  std::vector<const Job*> run() {
    for (std::size_t i = 0; i < marks_.size() && cycle_.empty(); ++i) visit(i);
    const auto first = std::min_element(cycle_.begin(), cycle_.end(), [](const Job* a, const Job* b) {
      return a->range.start < b->range.start;
    });
    std::rotate(cycle_.begin(), first, cycle_.end());
    return cycle_;
  }

 private:
  void visit(std::size_t index) {
    if (marks_[index] == Mark::done || !cycle_.empty()) return;
    const auto* job = &workflow_.jobs[index];
    if (marks_[index] == Mark::open) {
      cycle_.assign(std::find(path_.begin(), path_.end(), job), path_.end());
      return;
    }
    marks_[index] = Mark::open;
    path_.push_back(job);
    for (const auto& need : job->needs) {
      const auto* other = workflow_.find_job(need.value);
      if (other != nullptr) visit(static_cast<std::size_t>(other - workflow_.jobs.data()));
    }
    path_.pop_back();
    marks_[index] = Mark::done;
  }

  const workflow::Workflow& workflow_;
  std::vector<Mark> marks_;
  std::vector<const Job*> path_, cycle_;
};

}  // namespace

void check_needs(LintContext& context) {
  constexpr std::string_view k_rule = "needs";
  for (const auto& job : context.workflow->jobs) {
    std::set<std::string> seen;
    for (const auto& need : job.needs) {
      if (!seen.insert(lower(need.value)).second) {
        context.report(k_rule, need.range.start, "job \"" + need.value + "\" stands twice in \"needs\"");
      } else if (context.workflow->find_job(need.value) == nullptr) {
        context.report(k_rule, job.range.start,
                       "job \"" + job.id + "\" needs job \"" + need.value + "\", which does not exist");
      }
    }
  }
  const auto cycle = CycleSearch(*context.workflow).run();
  if (cycle.empty()) return;
  std::string path;
  for (const auto* job : cycle) path += "\"" + job->id + "\" -> ";
  context.report(k_rule, cycle.front()->range.start,
                 "these jobs wait for each other: " + path + "\"" + cycle.front()->id + "\"");
}

}  // namespace drydock::parser::lint
