#pragma once
// What GitHub does around every step, wherever it stands: environment, condition, name, time limit, cancellation,
// outcome and conclusion. Publishes nothing but the step's own errors. Internal to this room.

#include <chrono>
#include <optional>
#include <string>

#include "executors/step/step_frame.h"

namespace drydock::step {

struct StepTask {
  const StepRequest& step;
  ActionUse& use;
  ActionStage stage = ActionStage::main;
  std::string position, file_tag;
  int depth = 0;
  std::string name;            // of pre and post stages; a main stage finds its own
  std::stop_token outer_stop;  // of the composite step around it
  /// A background step is cancelled with its job, whatever its condition.
  enum class OnCancel { ask_condition, stop } on_cancel = OnCancel::ask_condition;
};

/// "Run npm ci", its `name:`, or what `uses:` names.
std::string name_of_step(const StepRequest& step, Evaluator& evaluator, const Context& context);

class StepExecution {
 public:
  /// `lane`, `scope` and what the task refers to outlive it.
  StepExecution(const Lane& lane, Scope& scope, const StepTask& task);

  /// Environment, condition, name. False when the step is skipped: the result is complete then.
  bool begin();
  /// Runs it to its end. What it did is in force in its lane afterwards, but for its result in the scope.
  void run();
  /// Instead of run(): it was cancelled before it could start.
  void give_up();

  const StepResult& result() const { return result_; }
  const ActionEffects& effects() const { return frame_.effects; }

 private:
  struct Problem {
    Error error;
    Place place;
  };
  /// How the handler ended, and the time limit if it ended by that.
  struct Performed {
    Handled handled;
    std::optional<std::chrono::milliseconds> limit_passed;
  };

  Result<bool> wanted(std::optional<Outcome> as_if);
  Result<std::optional<std::chrono::milliseconds>> timeout();
  Performed perform();
  void settle(const Performed& performed);
  void show_failure();
  void report(const std::string& text, const Place& place);

  StepTask task_;
  StepFrame frame_;
  std::stop_source step_stop_;
  std::optional<Problem> problem_;  // that was found before it could begin
  StepResult result_;
};

}  // namespace drydock::step
