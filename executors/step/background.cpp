#include "executors/step/background.h"

#include <algorithm>
#include <optional>

namespace drydock::step {

struct BackgroundSteps::Running {
  Running(const Lane& of, const Scope& in, StepTask what, std::size_t at)
      : index(at), state(of.state), scope(in), evaluator(*of.services.bus, of.request.key, of.request.secrets),
        lane{of.request, of.services, of.host, of.loader, state, evaluator, annotations, of.job_stop, of.kill_stop},
        task(std::move(what)) {
    task.outer_stop = stop.get_token();
    task.on_cancel = StepTask::OnCancel::stop;
    evaluator.set_step(task.position);
    execution.emplace(lane, scope, task);
  }

  std::size_t index;
  JobState state;
  Scope scope;
  Evaluator evaluator;
  std::vector<Annotation> annotations;
  Lane lane;
  StepTask task;
  std::stop_source stop;
  std::optional<StepExecution> execution;
  bool taken = false, cancelled_on_purpose = false;
  std::jthread thread;  // last: joined before the rest goes
};

BackgroundSteps::BackgroundSteps() = default;

BackgroundSteps::~BackgroundSteps() {
  for (auto& each : running_) each->stop.request_stop();
}

bool BackgroundSteps::take_slot(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  if (!freed_.wait(lock, stop, [&] { return busy_ < k_at_once; })) return false;
  ++busy_;
  return true;
}

void BackgroundSteps::give_slot() {
  const std::lock_guard lock(mutex_);
  --busy_;
  freed_.notify_all();
}

std::optional<StepResult> BackgroundSteps::start(const Lane& lane, const Scope& scope, StepTask task, std::size_t index,
                                                 Told begun, Told ended) {
  auto made = std::make_unique<Running>(lane, scope, std::move(task), index);
  if (!made->execution->begin()) return made->execution->result();
  Running& running = *made;
  running_.push_back(std::move(made));
  running.thread = std::jthread([this, &running, begun = std::move(begun), ended = std::move(ended)] {
    std::stop_source either;
    const auto forward = [&either] { either.request_stop(); };
    const std::stop_callback on_cancel(running.stop.get_token(), forward), on_job(running.lane.job_stop, forward);
    if (take_slot(either.get_token())) {
      begun(running.execution->result());
      running.execution->run();
      give_slot();
    } else {
      running.execution->give_up();
    }
    ended(running.execution->result());
  });
  return std::nullopt;
}

std::vector<std::size_t> BackgroundSteps::left(const std::vector<std::string>& ids) const {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < running_.size(); ++i) {
    const bool named = std::find(ids.begin(), ids.end(), running_[i]->task.step.id) != ids.end();
    if (named && !running_[i]->taken) out.push_back(i);
  }
  return out;
}

std::vector<std::size_t> BackgroundSteps::left() const {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < running_.size(); ++i) {
    if (!running_[i]->taken) out.push_back(i);
  }
  return out;
}

std::string BackgroundSteps::name_of(std::size_t running) const { return running_[running]->execution->result().name; }

void BackgroundSteps::cancel(std::size_t running) {
  running_[running]->cancelled_on_purpose = true;
  running_[running]->stop.request_stop();
}

BackgroundSteps::Ended BackgroundSteps::take(std::size_t index) {
  Running& running = *running_[index];
  if (running.thread.joinable()) running.thread.join();
  running.taken = true;
  return {running.index, running.execution->result(), running.execution->effects(), running.annotations,
          running.cancelled_on_purpose};
}

}  // namespace drydock::step
