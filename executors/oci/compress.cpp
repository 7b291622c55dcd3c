#include "executors/oci/compress.h"

#include "executors/oci/compress_gzip.h"
#include "executors/oci/compress_zstd.h"

#include <algorithm>
#include <string>
#include <thread>

namespace drydock::oci {
namespace {

class PlainEncoder : public Encoder {
 public:
  explicit PlainEncoder(ByteSink sink) : sink_(std::move(sink)) {
    thread_ = std::jthread([this] {
      while (auto chunk = chunks_.pop()) {
        status_ = sink_((*chunk)->view());
        if (!status_.ok()) return chunks_.abandon();
      }
    });
  }
  ~PlainEncoder() override { chunks_.abandon(); }

  Status put(Chunk chunk) override {
    if (chunks_.push(std::move(chunk))) return {};
    return finish();
  }
  Status finish() override {
    chunks_.close();
    if (thread_.joinable()) thread_.join();
    return std::move(status_);
  }

 private:
  ByteSink sink_;
  BoundedQueue<Chunk> chunks_{4};
  Status status_;
  std::jthread thread_;
};

class PlainDecoder : public Decoder {
 public:
  PlainDecoder(std::string head, ByteSource source) : head_(std::move(head)), source_(std::move(source)) {}

  Result<std::size_t> read(char* buffer, std::size_t size) override {
    std::size_t done = std::min(size, head_.size());
    head_.copy(buffer, done);
    head_.erase(0, done);
    while (done < size) {
      DRYDOCK_ASSIGN(auto count, source_(buffer + done, size - done));
      if (count == 0) break;
      done += count;
    }
    return done;
  }

 private:
  std::string head_;
  ByteSource source_;
};

Error bad_level(const CompressOptions& options, const char* range) {
  return make_error(ErrorCode::usage, "compression level " + std::to_string(options.level) + " is not one of " +
                                          std::string(name_of(options.compression)) + "'s: " + range);
}

}  // namespace

Result<std::unique_ptr<Encoder>> make_encoder(const CompressOptions& options, ByteSink sink) {
  unsigned threads = options.threads ? options.threads : std::max(1u, std::thread::hardware_concurrency());
  switch (options.compression) {
    case Compression::none:
      return std::unique_ptr<Encoder>(std::make_unique<PlainEncoder>(std::move(sink)));
    case Compression::gzip:
      if (options.level > 3) return bad_level(options, "0 to 3");
      return make_gzip_encoder(options.level < 0 ? 1 : options.level, threads, std::move(sink));
    case Compression::zstd:
      if (options.level == 0 || options.level > 22) return bad_level(options, "1 to 22");
      return make_zstd_encoder(options.level < 0 ? 3 : options.level, threads, std::move(sink));
  }
  return make_error(ErrorCode::internal, "no such compression");
}

Result<std::unique_ptr<Decoder>> make_decoder(ByteSource source) {
  std::string head(4, '\0');
  std::size_t have = 0;
  while (have < head.size()) {
    DRYDOCK_ASSIGN(auto count, source(head.data() + have, head.size() - have));
    if (count == 0) break;
    have += count;
  }
  head.resize(have);
  if (head.starts_with("\x1f\x8b")) return make_gzip_decoder(std::move(head), std::move(source));
  // A frame, or a skippable frame (0x184D2A50 to 5F) before it.
  bool skippable = have == 4 && (head[0] & 0xf0) == 0x50 && head.substr(1) == "\x2a\x4d\x18";
  if (head == "\x28\xb5\x2f\xfd" || skippable) return make_zstd_decoder(std::move(head), std::move(source));
  return std::unique_ptr<Decoder>(std::make_unique<PlainDecoder>(std::move(head), std::move(source)));
}

}  // namespace drydock::oci
