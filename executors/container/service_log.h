#pragma once
// What a service printed: its end, as far as there is room. Thread-safe. Internal to this room.

#include <mutex>
#include <string>
#include <string_view>

namespace drydock::container {

class ServiceLog {
 public:
  void add(std::string_view piece) {
    const std::lock_guard lock(mutex_);
    text_.append(piece);
    if (text_.size() <= 2 * k_most) return;
    text_.erase(0, text_.size() - k_most);
    cut_ = true;
  }
  std::string text() const {
    const std::lock_guard lock(mutex_);
    return cut_ ? "(what came before is left out)\n" + text_ : text_;
  }

 private:
  static constexpr std::size_t k_most = 1u << 20;
  mutable std::mutex mutex_;
  std::string text_;
  bool cut_ = false;
};

}  // namespace drydock::container
