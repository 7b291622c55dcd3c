#pragma once
// Evaluates a job's texts for a dry run: outputs of steps, hashes and the like are unknown. Internal to this room.

#include <string>
#include <vector>

#include "executors/step/job_request.h"
#include "parser/diagnostics/diagnostic.h"
#include "parser/expression/expression.h"
#include "runner/plan/plan.h"

namespace drydock::runner {

/// What hangs on the run is named with what it depends on.
PlannedValue shown(std::string name, const parser::expression::Value& value, const Place& place);

class PlanValues {
 public:
  PlanValues(const step::JobRequest& request, parser::expression::Value inputs, parser::expression::Value needs,
             parser::Diagnostics& problems);

  /// Jobs of a called workflow, for its outputs.
  void set_jobs(parser::expression::Value jobs) { base_.set("jobs", std::move(jobs)); }

  /// The step's own env goes over the job's for what follows; its values are returned.
  std::vector<PlannedValue> enter_step(const step::TextMap& env);

  PlannedValue value(std::string name, const step::Text& text);
  /// One that fails is a problem, and unknown.
  parser::expression::Value evaluated(const step::Text& text);
  std::vector<PlannedValue> map(const std::string& prefix, const step::TextMap& texts);
  parser::expression::Truth condition(const step::Text& text, std::vector<std::string>& depends_on);

 private:
  using Value = parser::expression::Value;
  std::optional<Value> evaluate(const step::Text& text);
  parser::expression::Context context(const parser::expression::Ast& ast) const;
  void warn_of_secrets(const parser::expression::Ast& ast, const Place& place);
  void problem(const Place& place, std::string message, parser::Severity severity);

  const step::JobRequest& request_;
  parser::expression::Context base_;
  parser::expression::Object job_env_, env_;
  parser::Diagnostics& problems_;
};

}  // namespace drydock::runner
