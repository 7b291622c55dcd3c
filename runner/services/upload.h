#pragma once
// One blob while it is being uploaded, in a file of its own: whole, as numbered blocks that a list puts in order
// (Azure), or as ranges (the first cache service). Every piece is written once, at its final place where the order of
// the pieces tells it; only blocks that came in another order are copied. Thread-safe: pieces come side by side.

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "executors/base/owned_fd.h"
#include "executors/base/result.h"

namespace drydock::runner {

/// Bytes that all uploads of a run may hold at a time. Thread-safe.
class UploadBudget {
 public:
  explicit UploadBudget(std::uint64_t limit) : limit_(limit) {}
  bool take(std::uint64_t bytes);
  void give_back(std::uint64_t bytes) { used_ -= bytes; }
  std::uint64_t limit() const { return limit_; }

 private:
  const std::uint64_t limit_;
  std::atomic<std::uint64_t> used_{0};
};

class Upload {
 public:
  /// `path` is made anew. The budget must outlive the upload.
  static Result<std::shared_ptr<Upload>> create(std::string path, UploadBudget& budget);
  /// Removes the file unless it was moved away.
  ~Upload();

  /// A piece being written. What was not finished counts for nothing.
  class Piece {
   public:
    Status write(std::string_view bytes);
    /// invalid_input when fewer or more bytes came than were told.
    Status finish();

   private:
    friend class Upload;
    std::shared_ptr<Upload> upload;
    std::string block;      // its id; empty for a range or the whole
    bool whole = false;
    std::uint64_t offset = 0, size = 0, done = 0;
    std::shared_ptr<int> in_flight;  // counted by its owners
  };

  // Before any byte: too large for the budget is `permission`, with the limit in the message.
  Result<Piece> whole(std::uint64_t size);
  Result<Piece> block(const std::string& id, std::uint64_t size);
  Result<Piece> range(std::uint64_t offset, std::uint64_t size);

  // All three: `timeout` while pieces are still being written.
  /// Puts the blocks in this order; an unknown one is invalid_input.
  Status commit_blocks(const std::vector<std::string>& ids);
  /// The blob is what the ranges cover; invalid_input unless that is exactly 0 to `size`.
  Status commit_ranges(std::uint64_t size);

  /// Of the committed blob; nothing before.
  std::optional<std::uint64_t> size() const;
  /// Brings the content to the disk; takes long for a large one.
  Status sync() const;
  /// Syncs what is left and renames. Only after a commit; the object is empty afterwards.
  Status move_to(const std::string& target);

 private:
  struct Region {
    std::uint64_t offset = 0, size = 0;
  };
  Upload(std::string path, OwnedFd file, UploadBudget& budget);
  Result<Piece> piece(std::uint64_t offset, std::uint64_t size);
  Status end(const Piece& piece);
  /// timeout when pieces beyond `own` are still being written: what is committed must not change any more.
  Status settled(long own) const;
  Status rearrange(const std::vector<Region>& order);

  const std::string path_;
  UploadBudget& budget_;
  std::weak_ptr<Upload> self_;
  mutable std::mutex mutex_;
  OwnedFd file_;
  std::uint64_t tail_ = 0;   // where the next block goes
  std::uint64_t taken_ = 0;  // of the budget
  std::map<std::string, Region> blocks_;
  std::map<std::uint64_t, std::uint64_t> ranges_;  // offset → end
  std::optional<std::uint64_t> size_;
  const std::shared_ptr<int> in_flight_ = std::make_shared<int>(0);
  bool moved_ = false;
};

}  // namespace drydock::runner
