#include "executors/oci/compress.h"
#include "executors/oci/layer.h"
#include "executors/oci/layer_apply.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <thread>

namespace drydock::oci {
namespace {

/// First thread: reads, hashes and expands the stream; second: hashes the tar; the caller's: unpacks it.
class ExpandedStream {
 public:
  ExpandedStream(const ByteSource& source, const ApplyOptions& options) : source_(source), options_(options) {
    expander_ = std::jthread([this] {
      status_ = expand();
      (status_.ok() ? void() : to_unpack_.abandon());
      to_unpack_.close();
      to_hash_.close();
    });
    hasher_ = std::jthread([this] {
      while (auto chunk = to_hash_.pop()) tar_hash_.update((*chunk)->view());
    });
  }
  ~ExpandedStream() { abandon(); }

  /// For the tar reader.
  Result<std::size_t> read(char* buffer, std::size_t size) {
    while (!current_ || used_ == current_->size) {
      auto next = to_unpack_.pop();
      if (!next) {
        current_.reset();
        return std::size_t{0};
      }
      current_ = std::move(*next);
      used_ = 0;
    }
    auto part = std::min(size, current_->size - used_);
    std::copy_n(current_->bytes.get() + used_, part, buffer);
    used_ += part;
    return part;
  }

  /// After the last read: the digests, or what went wrong with the stream.
  Status finish(ApplyResult& result) {
    if (expander_.joinable()) expander_.join();
    if (hasher_.joinable()) hasher_.join();
    if (!status_.ok()) return std::move(status_);
    result.blob_size = blob_hash_.size();
    result.tar_size = tar_hash_.size();
    result.blob = blob_hash_.finish();
    result.diff_id = tar_hash_.finish();
    return {};
  }

  /// Ends the threads early; a failure of the stream explains one of the unpacker.
  Error failure(Error of_unpacking) {
    to_hash_.abandon();
    to_unpack_.abandon();
    if (expander_.joinable()) expander_.join();
    bool given_up = status_.ok() || status_.error().code == ErrorCode::cancelled;
    return given_up ? std::move(of_unpacking) : std::move(status_).error();
  }

 private:
  void abandon() {
    to_hash_.abandon();
    to_unpack_.abandon();
  }

  Status expand() {
    DRYDOCK_ASSIGN(auto decoder, make_decoder([this](char* buffer, std::size_t size) -> Result<std::size_t> {
                     if (options_.stop.stop_requested()) {
                       return make_error(ErrorCode::cancelled, "unpacking the layer was cancelled");
                     }
                     DRYDOCK_ASSIGN(auto count, source_(buffer, size));
                     blob_hash_.update(buffer, count);
                     if (options_.on_progress) options_.on_progress(blob_hash_.size());
                     return count;
                   }));
    auto pool = ChunkPool::make();
    for (;;) {
      auto chunk = pool->get();
      DRYDOCK_ASSIGN(chunk->size, decoder->read(chunk->bytes.get(), k_chunk_size));
      if (chunk->size == 0) return {};
      if (!to_hash_.push(chunk) || !to_unpack_.push(chunk)) {
        return make_error(ErrorCode::cancelled, "unpacking was given up");
      }
    }
  }

  const ByteSource& source_;
  const ApplyOptions& options_;
  Sha256 blob_hash_, tar_hash_;
  BoundedQueue<Chunk> to_hash_{4}, to_unpack_{4};
  Chunk current_;
  std::size_t used_ = 0;
  Status status_;
  std::jthread expander_, hasher_;
};

Status check(const char* what, const Digest& found, const std::optional<Digest>& expected) {
  if (!expected || *expected == found) return {};
  return make_error(ErrorCode::corrupted,
                    std::string(what) + " has digest " + found.to_string() + " instead of " + expected->to_string());
}

}  // namespace

std::optional<Compression> compression_of(std::string_view media_type) {
  struct Type {
    std::string_view name;
    Compression compression;
  };
  static constexpr Type k_types[] = {
      {"application/vnd.oci.image.layer.v1.tar", Compression::none},
      {"application/vnd.oci.image.layer.v1.tar+gzip", Compression::gzip},
      {"application/vnd.oci.image.layer.v1.tar+zstd", Compression::zstd},
      {"application/vnd.oci.image.layer.nondistributable.v1.tar", Compression::none},
      {"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", Compression::gzip},
      {"application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", Compression::zstd},
      {"application/vnd.docker.image.rootfs.diff.tar", Compression::none},
      {"application/vnd.docker.image.rootfs.diff.tar.gzip", Compression::gzip},
      {"application/vnd.docker.image.rootfs.diff.tar.zstd", Compression::zstd},
      {"application/vnd.docker.image.rootfs.foreign.diff.tar", Compression::none},
      {"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", Compression::gzip},
  };
  for (const auto& type : k_types) {
    if (type.name == media_type) return type.compression;
  }
  return std::nullopt;
}

std::string_view layer_media_type(Compression compression) {
  switch (compression) {
    case Compression::none: return k_layer_tar;
    case Compression::gzip: return k_layer_gzip;
    case Compression::zstd: return k_layer_zstd;
  }
  return k_layer_tar;
}

Result<ApplyResult> apply_layer(const ByteSource& source, std::string_view media_type, const std::string& target,
                                const ApplyOptions& options) {
  if (!compression_of(media_type)) {
    return make_error(ErrorCode::unsupported, "layers of type " + std::string(media_type) + " cannot be unpacked");
  }
  DRYDOCK_ASSIGN(auto directory, LayerTarget::open(target, options.lower, options.format));
  ApplyResult result;
  ExpandedStream stream(source, options);
  TarReader tar([&](char* buffer, std::size_t size) { return stream.read(buffer, size); });
  LayerUnpacker unpacker(directory, result.notes);
  auto entries = unpacker.unpack(tar, options.stop);
  if (!entries) return stream.failure(std::move(entries).error());
  result.entries = *entries;
  // What follows the end mark counts for the digests.
  if (auto drained = tar.drain(); !drained) return stream.failure(std::move(drained).error());
  DRYDOCK_TRY(stream.finish(result));
  DRYDOCK_TRY(check("the layer", result.blob, options.expected_blob));
  DRYDOCK_TRY(check("the layer's content", result.diff_id, options.expected_diff_id));
  return result;
}

Result<ApplyResult> apply_layer(const std::string& blob_path, std::string_view media_type, const std::string& target,
                                const ApplyOptions& options) {
  int fd = ::open(blob_path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno_error("open layer " + blob_path, errno);
  ::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  auto read_file = [fd, &blob_path](char* buffer, std::size_t size) -> Result<std::size_t> {
    for (;;) {
      auto count = ::read(fd, buffer, size);
      if (count >= 0) return static_cast<std::size_t>(count);
      if (errno != EINTR) return errno_error("read layer " + blob_path, errno);
    }
  };
  auto result = apply_layer(ByteSource(read_file), media_type, target, options);
  ::close(fd);
  return result;
}

}  // namespace drydock::oci
