#include "executors/oci/blob.h"

#include "executors/oci/lease.h"
#include "executors/oci/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <utility>
#include <vector>

namespace drydock::oci {
namespace {

constexpr std::uint64_t k_write_back_step = 8u << 20;

/// "<pid>.<start time>.<number>.<pid namespace>.<boot id>": tells whose unfinished file it is.
std::string ingest_name() {
  static std::atomic<unsigned> next{0};
  const auto& self = Owner::self();
  return std::to_string(self.pid) + "." + std::to_string(self.start_time) + "." + std::to_string(next++) + "." +
         self.pid_namespace + "." + self.boot_id;
}

std::vector<std::string_view> split(std::string_view text, char by) {
  std::vector<std::string_view> parts;
  for (;;) {
    auto at = text.find(by);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

bool owner_may_live(std::string_view name) {
  auto parts = split(name, '.');
  if (parts.size() != 5) return false;
  Owner owner;
  std::from_chars(parts[0].data(), parts[0].data() + parts[0].size(), owner.pid);
  std::from_chars(parts[1].data(), parts[1].data() + parts[1].size(), owner.start_time);
  owner.pid_namespace = parts[3];
  owner.boot_id = parts[4];
  return owner.may_live();
}

Result<std::string> read_file(const std::string& path) {
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno_error("open " + path, errno);
  std::string bytes;
  struct stat status {};
  if (::fstat(fd, &status) == 0) bytes.resize(static_cast<std::size_t>(status.st_size));
  std::size_t done = 0;
  while (done < bytes.size()) {
    auto count = ::read(fd, bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      auto error = errno_error("read " + path, errno);
      ::close(fd);
      return error;
    }
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  bytes.resize(done);
  ::close(fd);
  return bytes;
}

}  // namespace

BlobWriter::BlobWriter(BlobWriter&& other) noexcept { *this = std::move(other); }

BlobWriter& BlobWriter::operator=(BlobWriter&& other) noexcept {
  if (this == &other) return *this;
  abort();
  store_ = other.store_;
  lease_ = other.lease_;
  path_ = std::exchange(other.path_, {});
  fd_ = std::exchange(other.fd_, -1);
  size_ = other.size_;
  written_back_ = other.written_back_;
  hash_ = std::move(other.hash_);
  return *this;
}

BlobWriter::~BlobWriter() { abort(); }

Status BlobWriter::write(std::string_view piece) {
  if (fd_ < 0) return make_error(ErrorCode::internal, "write to a finished blob");
  if (hash_) hash_->update(piece);
  while (!piece.empty()) {
    auto count = ::write(fd_, piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error("write " + path_, errno);
    piece.remove_prefix(static_cast<std::size_t>(count));
    size_ += static_cast<std::uint64_t>(count);
  }
  // Start writing to the disk now, so that the fsync at the end has little left to wait for.
  if (size_ - written_back_ >= k_write_back_step) {
    ::sync_file_range(fd_, static_cast<off_t>(written_back_), static_cast<off_t>(size_ - written_back_),
                      SYNC_FILE_RANGE_WRITE);
    written_back_ = size_;
  }
  return {};
}

Result<Digest> BlobWriter::commit(const std::optional<Digest>& expected) {
  if (!hash_) return make_error(ErrorCode::internal, "commit of a blob that was not hashed here");
  auto digest = hash_->finish();
  if (expected && *expected != digest) {
    abort();
    return make_error(ErrorCode::corrupted,
                      "content has digest " + digest.to_string() + " instead of " + expected->to_string());
  }
  DRYDOCK_TRY(publish(digest));
  return digest;
}

Result<Digest> BlobWriter::commit_as(const Digest& known) {
  DRYDOCK_TRY(publish(known));
  return known;
}

Status BlobWriter::make_durable() {
  if (fd_ < 0) return make_error(ErrorCode::internal, "commit of a finished blob");
  if (::fdatasync(fd_) != 0) return errno_error("fsync " + path_, errno);
  ::fchmod(fd_, 0444);
  ::close(std::exchange(fd_, -1));
  return {};
}

Status BlobWriter::publish(const Digest& digest) {
  if (fd_ < 0) return make_error(ErrorCode::internal, "commit of a finished blob");
  // Protect before it is visible: a prune between would find it unused.
  DRYDOCK_TRY(lease_->protect_blob(digest));
  if (store_->has_blob(digest)) {
    abort();
    return {};
  }
  DRYDOCK_TRY(make_durable());
  auto target = store_->blob_path(digest);
  if (::rename(path_.c_str(), target.c_str()) != 0) return errno_error("rename " + path_ + " to " + target, errno);
  path_.clear();
  return {};
}

void BlobWriter::abort() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  if (!path_.empty()) ::unlink(path_.c_str());
  path_.clear();
}

Result<BlobWriter> Store::write_blob(const Lease* lease, Hashing hashing) {
  BlobWriter writer;
  writer.store_ = this;
  writer.lease_ = lease;
  if (!lease) {
    DRYDOCK_ASSIGN(writer.lease_, session());
  }
  if (hashing == Hashing::here) writer.hash_.emplace();
  auto path = root_ + "/ingest/" + ingest_name();
  writer.fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (writer.fd_ < 0) return errno_error("create " + path, errno);
  writer.path_ = path;
  return writer;
}

Result<Digest> Store::put_blob(std::string_view bytes, const Lease* lease) {
  auto digest = digest_of(bytes);
  if (!lease) {
    DRYDOCK_ASSIGN(lease, session());
  }
  DRYDOCK_TRY(lease->protect_blob(digest));
  if (has_blob(digest)) return digest;
  DRYDOCK_ASSIGN(auto writer, write_blob(lease, Hashing::elsewhere));
  DRYDOCK_TRY(writer.write(bytes));
  return writer.commit_as(digest);
}

Result<std::string> Store::read_blob(const Digest& digest) const {
  auto bytes = read_file(blob_path(digest));
  if (!bytes) return std::move(bytes).error().code == ErrorCode::not_found
                         ? make_error(ErrorCode::not_found, "blob " + digest.to_string() + " is not in the store")
                         : std::move(bytes).error();
  if (digest_of(*bytes) != digest) {
    return make_error(ErrorCode::corrupted, "blob " + digest.to_string() + " in the store has other content",
                      "remove " + blob_path(digest) + " and run again");
  }
  return bytes;
}

bool Store::has_blob(const Digest& digest) const { return blob_size(digest).has_value(); }

std::optional<std::uint64_t> Store::blob_size(const Digest& digest) const {
  struct stat status {};
  if (digest.empty() || ::stat(blob_path(digest).c_str(), &status) != 0) return std::nullopt;
  return static_cast<std::uint64_t>(status.st_size);
}

std::string Store::blob_path(const Digest& digest) const {
  return root_ + "/blobs/sha256/" + std::string(digest.hex());
}

Status Store::verify_blob(const Digest& digest) {
  auto path = blob_path(digest);
  if (!has_blob(digest)) {
    return make_error(ErrorCode::not_found, "blob " + digest.to_string() + " is not in the store");
  }
  DRYDOCK_ASSIGN(auto found, digest_of_file(path));
  if (found == digest) return {};
  ::unlink(path.c_str());
  return make_error(ErrorCode::corrupted,
                    "blob " + digest.to_string() + " in the store had the content of " + found.to_string() +
                        "; it was removed");
}

void Store::collect_ingests() const {
  auto path = root_ + "/ingest";
  DIR* directory = ::opendir(path.c_str());
  if (!directory) return;
  while (auto* entry = ::readdir(directory)) {
    std::string_view name = entry->d_name;
    if (name == "." || name == ".." || owner_may_live(name)) continue;
    ::unlinkat(::dirfd(directory), entry->d_name, 0);
  }
  ::closedir(directory);
}

}  // namespace drydock::oci
