#include "executors/oci/compress_zstd.h"

#include <zstd.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace drydock::oci {
namespace {

struct FreeCompressor {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};
struct FreeExpander {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

Error zstd_error(ErrorCode code, const char* doing, std::size_t result) {
  return make_error(code, std::string("zstd failed to ") + doing + ": " + ZSTD_getErrorName(result));
}

class ZstdEncoder : public Encoder {
 public:
  ZstdEncoder(std::unique_ptr<ZSTD_CCtx, FreeCompressor> context, ByteSink sink)
      : context_(std::move(context)), sink_(std::move(sink)), out_(ZSTD_CStreamOutSize()), chunks_(4) {
    thread_ = std::jthread([this] {
      status_ = work();
      if (!status_.ok()) chunks_.abandon();
    });
  }
  ~ZstdEncoder() override { chunks_.abandon(); }

  Status put(Chunk chunk) override {
    if (chunks_.push(std::move(chunk))) return {};
    if (thread_.joinable()) thread_.join();
    return std::move(status_);
  }

  Status finish() override {
    finishing_ = true;
    chunks_.close();
    if (thread_.joinable()) thread_.join();
    return std::move(status_);
  }

 private:
  Status work() {
    while (auto chunk = chunks_.pop()) DRYDOCK_TRY(feed((*chunk)->view(), ZSTD_e_continue));
    if (!finishing_) return make_error(ErrorCode::cancelled, "compressing was given up");
    return feed({}, ZSTD_e_end);
  }

  Status feed(std::string_view bytes, ZSTD_EndDirective directive) {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    for (;;) {
      ZSTD_outBuffer out{out_.data(), out_.size(), 0};
      auto left = ZSTD_compressStream2(context_.get(), &out, &in, directive);
      if (ZSTD_isError(left)) return zstd_error(ErrorCode::internal, "compress", left);
      if (out.pos) DRYDOCK_TRY(sink_({out_.data(), out.pos}));
      if (directive == ZSTD_e_end ? left == 0 : in.pos == in.size) return {};
    }
  }

  std::unique_ptr<ZSTD_CCtx, FreeCompressor> context_;
  ByteSink sink_;
  std::vector<char> out_;
  BoundedQueue<Chunk> chunks_;
  std::atomic<bool> finishing_{false};
  Status status_;
  std::jthread thread_;
};

class ZstdDecoder : public Decoder {
 public:
  ZstdDecoder(std::string head, ByteSource source)
      : source_(std::move(source)), input_(std::move(head)), context_(ZSTD_createDCtx()) {
    in_ = {input_.data(), input_.size(), 0};
    // Windows above 128 MB are asked for by hostile streams only.
    ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, 27);
  }

  Result<std::size_t> read(char* buffer, std::size_t size) override {
    ZSTD_outBuffer out{buffer, size, 0};
    while (out.pos < out.size) {
      if (in_.pos == in_.size && !exhausted_) DRYDOCK_TRY(refill());
      auto before = out.pos;
      auto in_before = in_.pos;
      if (exhausted_ && left_ == 0) break;
      left_ = ZSTD_decompressStream(context_.get(), &out, &in_);
      if (ZSTD_isError(left_)) return zstd_error(ErrorCode::corrupted, "expand", left_);
      if (exhausted_ && out.pos == before && in_.pos == in_before) {
        return make_error(ErrorCode::corrupted, "the zstd stream ends too early");
      }
    }
    return out.pos;
  }

 private:
  Status refill() {
    input_.resize(256 << 10);
    DRYDOCK_ASSIGN(auto count, source_(input_.data(), input_.size()));
    in_ = {input_.data(), count, 0};
    exhausted_ = count == 0;
    return {};
  }

  ByteSource source_;
  std::string input_;
  std::unique_ptr<ZSTD_DCtx, FreeExpander> context_;
  ZSTD_inBuffer in_{};
  std::size_t left_ = 1;  // 0 between frames
  bool exhausted_ = false;
};

}  // namespace

Result<std::unique_ptr<Encoder>> make_zstd_encoder(int level, unsigned threads, ByteSink sink) {
  std::unique_ptr<ZSTD_CCtx, FreeCompressor> context(ZSTD_createCCtx());
  auto set = [&](ZSTD_cParameter parameter, int value) {
    return ZSTD_CCtx_setParameter(context.get(), parameter, value);
  };
  // One worker and many write the same stream; none writes another, so there is always at least one.
  for (auto code : {set(ZSTD_c_compressionLevel, level), set(ZSTD_c_nbWorkers, static_cast<int>(threads)),
                    set(ZSTD_c_checksumFlag, 1)}) {
    if (ZSTD_isError(code)) return zstd_error(ErrorCode::environment, "start", code);
  }
  return std::unique_ptr<Encoder>(std::make_unique<ZstdEncoder>(std::move(context), std::move(sink)));
}

std::unique_ptr<Decoder> make_zstd_decoder(std::string head, ByteSource source) {
  return std::make_unique<ZstdDecoder>(std::move(head), std::move(source));
}

}  // namespace drydock::oci
