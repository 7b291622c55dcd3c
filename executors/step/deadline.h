#pragma once
// Requests a stop after a while, unless destroyed earlier. Costs a thread only when there is a limit.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

namespace drydock::step {

class Deadline {
 public:
  Deadline(std::optional<std::chrono::milliseconds> after, std::stop_source target) {
    if (!after) return;
    const auto at = std::chrono::steady_clock::now() + *after;
    thread_ = std::jthread([this, at, target](std::stop_token destroyed) mutable {
      std::mutex mutex;
      std::unique_lock lock(mutex);
      std::condition_variable_any sleep;
      sleep.wait_until(lock, destroyed, at, [] { return false; });
      if (destroyed.stop_requested()) return;
      passed_ = true;
      target.request_stop();
    });
  }
  bool passed() const { return passed_; }

 private:
  std::atomic<bool> passed_ = false;
  std::jthread thread_;  // last: joined before passed_ goes
};

/// How long what still runs after a stop may take: `target` is stopped `after` the stop of `begun`.
class CancelLimit {
 public:
  CancelLimit(const std::stop_token& begun, std::chrono::milliseconds after, std::stop_source target)
      : after_(after), target_(std::move(target)), on_begun_(begun, Begin{this}) {}
  bool passed() const { return target_.stop_requested(); }

 private:
  struct Begin {
    CancelLimit* limit;
    void operator()() const { limit->deadline_.emplace(limit->after_, limit->target_); }
  };
  std::chrono::milliseconds after_;
  std::stop_source target_;
  std::optional<Deadline> deadline_;
  std::stop_callback<Begin> on_begun_;  // last: gone before the deadline that it makes
};

}  // namespace drydock::step
