#include "runner/schedule/job_slots.h"

#include <algorithm>
#include <thread>

namespace drydock::runner {

JobSlots::JobSlots(int at_once) : free_(at_once > 0 ? at_once : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()))) {}

bool JobSlots::take() {
  const std::lock_guard lock(mutex_);
  if (free_ <= 0) return false;
  --free_;
  return true;
}

void JobSlots::give(int listener) {
  const std::lock_guard lock(mutex_);
  ++free_;
  for (const auto& [number, freed] : listeners_) {
    if (number != listener) freed();
  }
}

int JobSlots::listen(std::function<void()> freed) {
  const std::lock_guard lock(mutex_);
  listeners_.emplace(++next_, std::move(freed));
  return next_;
}

void JobSlots::forget(int listener) {
  const std::lock_guard lock(mutex_);
  listeners_.erase(listener);
}

}  // namespace drydock::runner
