#include "executors/oci/compress.h"
#include "executors/oci/layer.h"
#include "executors/oci/records.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>

namespace drydock::oci {
namespace {

/// Cuts what it is given into chunks; hashes them on a thread of its own and hands them to the encoder.
class TarStage {
 public:
  explicit TarStage(Encoder* encoder) : encoder_(encoder), pool_(ChunkPool::make()) {
    hasher_ = std::jthread([this] {
      while (auto chunk = to_hash_.pop()) hash_.update((*chunk)->view());
    });
  }
  ~TarStage() { to_hash_.abandon(); }

  Status take(std::string_view bytes) {
    while (!bytes.empty()) {
      if (!chunk_) chunk_ = pool_->get();
      auto part = std::min(bytes.size(), k_chunk_size - chunk_->size);
      std::memcpy(chunk_->bytes.get() + chunk_->size, bytes.data(), part);
      chunk_->size += part;
      bytes.remove_prefix(part);
      if (chunk_->size == k_chunk_size) DRYDOCK_TRY(pass_on());
    }
    return {};
  }

  Result<Digest> finish() {
    if (chunk_) DRYDOCK_TRY(pass_on());
    if (encoder_) DRYDOCK_TRY(encoder_->finish());
    to_hash_.close();
    hasher_.join();
    size_ = hash_.size();
    return hash_.finish();
  }

  std::uint64_t size() const { return size_; }

 private:
  Status pass_on() {
    auto chunk = std::move(chunk_);
    to_hash_.push(chunk);
    return encoder_ ? encoder_->put(std::move(chunk)) : Status();
  }

  Encoder* encoder_;
  std::shared_ptr<ChunkPool> pool_;
  Chunk chunk_;
  BoundedQueue<Chunk> to_hash_{4};
  Sha256 hash_;
  std::uint64_t size_ = 0;
  std::jthread hasher_;
};

}  // namespace

Result<PackedLayer> pack_layer(Store& store, const TarProducer& producer, const CompressOptions& compress,
                               const Lease* lease) {
  DRYDOCK_ASSIGN(auto writer, store.write_blob(lease));
  PackedLayer layer;
  {
    DRYDOCK_ASSIGN(auto encoder, make_encoder(compress, [&](std::string_view bytes) { return writer.write(bytes); }));
    TarStage stage(encoder.get());
    DRYDOCK_TRY(producer([&](std::string_view bytes) { return stage.take(bytes); }));
    DRYDOCK_ASSIGN(layer.diff_id, stage.finish());
    layer.tar_size = stage.size();
  }
  layer.blob.media_type = layer_media_type(compress.compression);
  layer.blob.size = writer.size();
  DRYDOCK_ASSIGN(layer.blob.digest, writer.commit());
  DRYDOCK_TRY(Records(store).put_layer(layer.diff_id, layer.tar_size, {{compress.compression, layer.blob}}));
  return layer;
}

Result<PackedLayer> diff_to_layer(Store& store, const std::string& upper, const std::vector<std::string>& lower,
                                  const DiffOptions& diff, const CompressOptions& compress, const Lease* lease) {
  std::size_t entries = 0;
  auto producer = [&](const ByteSink& sink) -> Status {
    DRYDOCK_ASSIGN(auto result, diff_layer(upper, lower, sink, diff));
    entries = result.entries;
    return {};
  };
  DRYDOCK_ASSIGN(auto layer, pack_layer(store, producer, compress, lease));
  layer.entries = entries;
  return layer;
}

Result<PackedLayer> diff_digest(const std::string& upper, const std::vector<std::string>& lower,
                                const DiffOptions& diff) {
  TarStage stage(nullptr);
  DRYDOCK_ASSIGN(auto result,
                 diff_layer(upper, lower, [&](std::string_view bytes) { return stage.take(bytes); }, diff));
  PackedLayer layer;
  DRYDOCK_ASSIGN(layer.diff_id, stage.finish());
  layer.tar_size = result.tar_size;
  layer.entries = result.entries;
  return layer;
}

Result<PackedLayer> convert_layer(Store& store, const BlobInfo& blob, const CompressOptions& compress,
                                  const Lease* lease) {
  auto has = compression_of(blob.media_type);
  if (!has) {
    return make_error(ErrorCode::unsupported, "blob " + blob.digest.to_string() + " is of type " + blob.media_type +
                                                  " and no layer");
  }
  auto path = store.blob_path(blob.digest);
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno_error("open layer " + path, errno);
  Sha256 hash;
  auto source = [&](char* buffer, std::size_t size) -> Result<std::size_t> {
    auto count = ::read(fd, buffer, size);
    if (count < 0) return errno_error("read layer " + path, errno);
    hash.update(buffer, static_cast<std::size_t>(count));
    return static_cast<std::size_t>(count);
  };
  auto producer = [&](const ByteSink& sink) -> Status {
    DRYDOCK_ASSIGN(auto decoder, make_decoder(source));
    std::string buffer(256 << 10, '\0');
    for (;;) {
      DRYDOCK_ASSIGN(auto count, decoder->read(buffer.data(), buffer.size()));
      if (count == 0) break;
      DRYDOCK_TRY(sink({buffer.data(), count}));
    }
    if (hash.finish() == blob.digest) return {};
    return make_error(ErrorCode::corrupted, "blob " + blob.digest.to_string() + " in the store has other content");
  };
  auto layer = pack_layer(store, producer, compress, lease);
  ::close(fd);
  return layer;
}

}  // namespace drydock::oci
