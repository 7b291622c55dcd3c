#include "runner/services/upload.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

#include "executors/base/fs.h"

namespace drydock::runner {
namespace {

Error wrong(std::string what) { return make_error(ErrorCode::invalid_input, std::move(what)); }

Status copy_range(int from, std::uint64_t from_offset, int to, std::uint64_t size, const std::string& path) {
  auto offset = static_cast<off64_t>(from_offset);
  while (size > 0) {
    const auto copied = ::copy_file_range(from, &offset, to, nullptr, size, 0);
    if (copied < 0 && errno == EINTR) continue;
    if (copied <= 0) return errno_error("putting the blocks of " + path + " in order", copied < 0 ? errno : EIO);
    size -= static_cast<std::uint64_t>(copied);
  }
  return {};
}

}  // namespace

bool UploadBudget::take(std::uint64_t bytes) {
  auto used = used_.load();
  do {
    if (bytes > limit_ || used > limit_ - bytes) return false;
  } while (!used_.compare_exchange_weak(used, used + bytes));
  return true;
}

Upload::Upload(std::string path, OwnedFd file, UploadBudget& budget)
    : path_(std::move(path)), budget_(budget), file_(std::move(file)) {}

Upload::~Upload() {
  budget_.give_back(taken_);
  if (!moved_) ::unlink(path_.c_str());
}

Result<std::shared_ptr<Upload>> Upload::create(std::string path, UploadBudget& budget) {
  OwnedFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file.valid()) return errno_error("making " + path, errno);
  std::shared_ptr<Upload> upload(new Upload(std::move(path), std::move(file), budget));
  upload->self_ = upload;
  return upload;
}

Result<Upload::Piece> Upload::piece(std::uint64_t offset, std::uint64_t size) {
  if (moved_) return wrong("the upload has ended");
  if (!budget_.take(size)) {
    return make_error(ErrorCode::permission, "more than " + std::to_string(budget_.limit()) + " bytes");
  }
  taken_ += size;
  Piece piece;
  piece.upload = self_.lock();
  piece.offset = offset;
  piece.size = size;
  piece.in_flight = in_flight_;
  return piece;
}

Status Upload::settled(long own) const {
  if (moved_) return wrong("the upload has ended");
  if (in_flight_.use_count() > own + 1) return make_error(ErrorCode::timeout, "parts are still being uploaded");
  return {};
}

Result<Upload::Piece> Upload::whole(std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  DRYDOCK_ASSIGN(auto made, piece(tail_, size));
  // A repeated attempt may still be writing at the start: each gets a region of its own, as blocks do.
  tail_ += size;
  made.whole = true;
  return made;
}

Result<Upload::Piece> Upload::block(const std::string& id, std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  DRYDOCK_ASSIGN(auto made, piece(tail_, size));
  tail_ += size;
  made.block = id;
  return made;
}

Result<Upload::Piece> Upload::range(std::uint64_t offset, std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  if (offset > budget_.limit()) return make_error(ErrorCode::permission, "more than " + std::to_string(budget_.limit()) + " bytes");
  return piece(offset, size);
}

Status Upload::Piece::write(std::string_view bytes) {
  if (bytes.size() > size - done) return wrong("more bytes came than were told");
  while (!bytes.empty()) {
    const auto written = ::pwrite(upload->file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset + done));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno_error("writing " + upload->path_, errno);
    done += static_cast<std::uint64_t>(written);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Status Upload::Piece::finish() {
  if (done != size) return wrong("fewer bytes came than were told");
  // So that the final fsync finds most of it on the disk already.
  ::sync_file_range(upload->file_.get(), static_cast<off64_t>(offset), static_cast<off64_t>(size), SYNC_FILE_RANGE_WRITE);
  return upload->end(*this);
}

Status Upload::end(const Piece& piece) {
  const std::lock_guard lock(mutex_);
  if (moved_) return wrong("the upload has ended");
  if (piece.whole) {
    DRYDOCK_TRY(settled(1));
    return rearrange({{piece.offset, piece.size}});
  }
  if (!piece.block.empty()) {
    blocks_[piece.block] = {piece.offset, piece.size};
  } else {
    auto& end = ranges_[piece.offset];
    end = std::max(end, piece.offset + piece.size);
  }
  return {};
}

Status Upload::commit_blocks(const std::vector<std::string>& ids) {
  const std::lock_guard lock(mutex_);
  DRYDOCK_TRY(settled(0));
  std::vector<Region> order;
  for (const auto& id : ids) {
    const auto found = blocks_.find(id);
    if (found == blocks_.end()) return wrong("the block list names a block that was not uploaded");
    order.push_back(found->second);
  }
  DRYDOCK_TRY(rearrange(order));
  blocks_.clear();
  return {};
}

/// Makes the file be these regions, one after the other. Cheap when it already is.
Status Upload::rearrange(const std::vector<Region>& order) {
  std::uint64_t size = 0;
  bool in_place = true;
  for (const auto& region : order) {
    in_place = in_place && region.offset == size;
    size += region.size;
  }
  if (!in_place) {
    if (!budget_.take(size)) return make_error(ErrorCode::permission, "more than " + std::to_string(budget_.limit()) + " bytes");
    taken_ += size;
    const auto beside = path_ + ".ordered";
    OwnedFd ordered(::open(beside.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!ordered.valid()) return errno_error("making " + beside, errno);
    for (const auto& region : order) DRYDOCK_TRY(copy_range(file_.get(), region.offset, ordered.get(), region.size, path_));
    if (::rename(beside.c_str(), path_.c_str()) != 0) return errno_error("renaming " + beside, errno);
    file_ = std::move(ordered);
  }
  if (::ftruncate(file_.get(), static_cast<off_t>(size)) != 0) return errno_error("cutting " + path_, errno);
  tail_ = size;
  size_ = size;
  return {};
}

Status Upload::commit_ranges(std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  DRYDOCK_TRY(settled(0));
  std::uint64_t covered = 0;
  for (const auto& [offset, end] : ranges_) {
    if (offset > covered) break;
    covered = std::max(covered, end);
  }
  if (covered != size) {
    return wrong(std::to_string(size) + " bytes were announced, and " + std::to_string(covered) + " have come");
  }
  if (::ftruncate(file_.get(), static_cast<off_t>(size)) != 0) return errno_error("cutting " + path_, errno);
  size_ = size;
  return {};
}

std::optional<std::uint64_t> Upload::size() const {
  const std::lock_guard lock(mutex_);
  return size_;
}

Status Upload::sync() const {
  const std::lock_guard lock(mutex_);
  if (::fsync(file_.get()) != 0) return errno_error("writing " + path_, errno);
  return {};
}

Status Upload::move_to(const std::string& target) {
  const std::lock_guard lock(mutex_);
  if (!size_) return wrong("there is no finished upload");
  DRYDOCK_TRY(settled(0));
  if (::fsync(file_.get()) != 0) return errno_error("writing " + path_, errno);
  if (::rename(path_.c_str(), target.c_str()) != 0) return errno_error("renaming " + path_ + " to " + target, errno);
  moved_ = true;
  return sync_directory(std::filesystem::path(target).parent_path().string());
}

}  // namespace drydock::runner
