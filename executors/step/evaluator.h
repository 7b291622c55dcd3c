#pragma once
// Evaluates the texts of a job against its contexts, and warns of secrets that do not exist: they are empty,
// as on GitHub, which says nothing. Not thread-safe; one for each job.

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "executors/base/events.h"
#include "executors/base/result.h"
#include "executors/step/job_request.h"
#include "parser/expression/expression.h"

namespace drydock::step {

using parser::expression::Context;
using parser::expression::Object;
using parser::expression::Value;

/// Every name and function that some key of a job may use.
const parser::expression::Scope& job_scope();

class Evaluator {
 public:
  /// `secrets` are the names that exist, in any case. `job` and `step` go into the warnings.
  Evaluator(Bus& bus, std::string job, std::vector<std::string> secrets);

  void set_step(std::string position) { step_ = std::move(position); }

  /// A literal is a string. Errors are invalid_input and name what was evaluated.
  Result<Value> value(const Text& text, const Context& context);
  /// An array or object is an error, as in GitHub's templates.
  Result<std::string> string(const Text& text, const Context& context);
  Result<bool> condition(const Text& text, const Context& context);
  /// "true" or "false", or an expression that gives a boolean; empty is false.
  Result<bool> boolean(const Text& text, const Context& context);
  Result<double> number(const Text& text, const Context& context);
  /// In the order of the workflow; a later equal name wins.
  Result<std::vector<std::pair<std::string, std::string>>> map(const TextMap& texts, const Context& context);

  /// Where the text stands that was evaluated last: the place of an error just returned.
  const Place& place() const { return place_; }

 private:
  void warn_of_missing_secrets(const parser::expression::Ast& ast, const Place& place);

  Bus& bus_;
  std::string job_, step_;
  std::vector<std::string> secrets_;
  std::set<std::string> warned_;
  Place place_;
};

}  // namespace drydock::step
