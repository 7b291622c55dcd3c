#pragma once
// How many jobs run at once, over all workflows of a run. Whoever found none free is called when one comes back.
// Thread-safe.

#include <functional>
#include <map>
#include <mutex>

namespace drydock::runner {

class JobSlots {
 public:
  /// 0: as many as there are cores.
  explicit JobSlots(int at_once);

  bool take();
  /// Tells all but this listener, which knows.
  void give(int listener = 0);
  /// `freed` is called on any thread, until the number is forgotten.
  int listen(std::function<void()> freed);
  void forget(int listener);

 private:
  std::mutex mutex_;
  int free_;
  int next_ = 0;
  std::map<int, std::function<void()>> listeners_;
};

}  // namespace drydock::runner
