#pragma once
// What a pipeline of threads is made of: recycled chunks of bytes and bounded queues.
// Thread-safe. Internal to layers.

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace drydock::oci {

inline constexpr std::size_t k_chunk_size = 1u << 20;

/// Bytes shared by the stages that read them; never changed once passed on.
struct ChunkData {
  std::unique_ptr<char[]> bytes{new char[k_chunk_size]};
  std::size_t size = 0;
  std::string_view view() const { return {bytes.get(), size}; }
};
using Chunk = std::shared_ptr<ChunkData>;

/// Gives chunks out and takes them back when their last reader lets go: fresh memory costs page faults.
class ChunkPool : public std::enable_shared_from_this<ChunkPool> {
 public:
  static std::shared_ptr<ChunkPool> make() { return std::shared_ptr<ChunkPool>(new ChunkPool); }

  Chunk get() {
    std::unique_ptr<ChunkData> data;
    {
      std::lock_guard lock(mutex_);
      if (!free_.empty()) {
        data = std::move(free_.back());
        free_.pop_back();
      }
    }
    if (!data) data = std::make_unique<ChunkData>();
    data->size = 0;
    return Chunk(data.release(), [pool = shared_from_this()](ChunkData* used) {
      std::unique_ptr<ChunkData> back(used);
      std::lock_guard lock(pool->mutex_);
      pool->free_.push_back(std::move(back));
    });
  }

 private:
  ChunkPool() = default;
  std::mutex mutex_;
  std::vector<std::unique_ptr<ChunkData>> free_;
};

template <class T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::size_t limit) : limit_(limit) {}

  /// Waits for room; false when the queue was closed, and the value is dropped.
  bool push(T value) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return closed_ || items_.size() < limit_; });
    if (closed_) return false;
    items_.push_back(std::move(value));
    filled_.notify_one();
    return true;
  }

  /// Waits for a value; nothing when the queue is closed and empty.
  std::optional<T> pop() {
    std::unique_lock lock(mutex_);
    filled_.wait(lock, [&] { return closed_ || !items_.empty(); });
    if (items_.empty()) return std::nullopt;
    std::optional<T> value(std::move(items_.front()));
    items_.pop_front();
    room_.notify_one();
    return value;
  }

  /// No more comes; what is there is still given out.
  void close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
    room_.notify_all();
    filled_.notify_all();
  }

  /// Ends both sides at once.
  void abandon() {
    std::lock_guard lock(mutex_);
    closed_ = true;
    items_.clear();
    room_.notify_all();
    filled_.notify_all();
  }

 private:
  const std::size_t limit_;
  std::mutex mutex_;
  std::condition_variable room_, filled_;
  std::deque<T> items_;
  bool closed_ = false;
};

}  // namespace drydock::oci
