#include "runner/schedule/from_step.h"

#include "executors/base/fs.h"
#include "executors/step/from_model.h"
#include "executors/step/go_on.h"
#include "parser/expression/value.h"

namespace drydock::runner {

bool goes_on(const RunOptions& options, const parser::workflow::Job& job) {
  return options.from_step && parser::expression::equal_ignoring_case(options.from_step->job, job.id);
}

parser::Diagnostics begin_at_step(const RunOptions& options, const parser::workflow::Job& job, Expansion& expansion) {
  parser::Diagnostics problems;
  if (!goes_on(options, job) || expansion.legs.empty()) return problems;
  const FromStep& from = *options.from_step;
  step::JobRequest& request = expansion.legs.front().request;
  const auto refuse = [&](std::string what, std::string mend) {
    problems.push_back(step::refusal(request.place, std::move(what), std::move(mend)));
    return problems;
  };
  if (job.is_call()) return refuse("job '" + job.id + "' calls a workflow and has no steps", "run it with --resume " + from.run);
  if (expansion.legs.size() > 1) {
    return refuse("job '" + job.id + "' has " + std::to_string(expansion.legs.size()) + " legs, and one can go on at a step",
                  "choose it with --matrix KEY:VALUE");
  }
  const auto trail = from.trails.find(request.key);
  if (trail == from.trails.end()) return refuse("run " + from.run + " reached no step of job '" + request.key + "'", "run the whole job");
  if (trail->second.workspace != request.places.workspace || !is_directory(request.places.workspace)) {
    return refuse("the workspace of job '" + request.key + "' in run " + from.run + " is not there any more",
                  "run it with --keep-workspace; that of a job that fails stays until the next run of its workflow");
  }
  const auto first = step::find_step(request, trail->second, from.step);
  if (!first) return refuse(first.error().message, first.error().mend);
  request.go_on = step::GoOn{*first, from.run, trail->second};
  return problems;
}

}  // namespace drydock::runner
