#pragma once
// Background steps of one job. Each works on a copy of the job's state as it was when the step began, on a thread of
// its own; what it did comes into force when it is taken: by `wait`, `wait-all`, `cancel`, or at the end of the job, as
// on GitHub. Used by the job's thread.

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "executors/step/run_step.h"

namespace drydock::step {

class BackgroundSteps {
 public:
  /// As many run at once, as on GitHub; further ones wait for their turn.
  static constexpr int k_at_once = 10;

  struct Ended {
    std::size_t index = 0;  // of the step in its job
    StepResult result;
    ActionEffects effects;
    std::vector<Annotation> annotations;
    bool cancelled_on_purpose = false;
  };
  using Told = std::function<void(const StepResult&)>;

  BackgroundSteps();
  ~BackgroundSteps();
  BackgroundSteps(const BackgroundSteps&) = delete;
  BackgroundSteps& operator=(const BackgroundSteps&) = delete;

  /// Starts it, unless its condition says no: the result of a skipped step comes back at once. `begun` and `ended` are
  /// called on the step's thread.
  std::optional<StepResult> start(const Lane& lane, const Scope& scope, StepTask task, std::size_t index, Told begun, Told ended);

  /// Those of these ids that were not taken yet, in the order of their start.
  std::vector<std::size_t> left(const std::vector<std::string>& ids) const;
  std::vector<std::size_t> left() const;
  std::string name_of(std::size_t running) const;

  void cancel(std::size_t running);
  /// Waits for its end.
  Ended take(std::size_t running);

 private:
  struct Running;
  bool take_slot(std::stop_token stop);
  void give_slot();

  std::vector<std::unique_ptr<Running>> running_;
  std::mutex mutex_;
  std::condition_variable_any freed_;
  int busy_ = 0;
};

}  // namespace drydock::step
