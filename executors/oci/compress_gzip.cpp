#include "executors/oci/compress_gzip.h"

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <zlib.h>

#include <algorithm>
#include <future>
#include <string>
#include <thread>
#include <vector>

namespace drydock::oci {
namespace {

// One gzip member, which every client reads. Its deflate stream is made of blocks that are compressed side by
// side, each with the end of the one before as dictionary, and end on a byte border by a sync flush.
constexpr std::size_t k_window = 32 << 10;

struct Piece {
  std::vector<unsigned char> bytes;
  std::uint32_t crc = 0;
  std::size_t input = 0;
};

struct CompressJob {
  Chunk chunk, before;
  bool last = false;
  std::promise<Result<Piece>> done;
};

std::size_t level_buffer_size(int level) {
  switch (level) {
    case 1: return ISAL_DEF_LVL1_DEFAULT;
    case 2: return ISAL_DEF_LVL2_DEFAULT;
    case 3: return ISAL_DEF_LVL3_DEFAULT;
    default: return 0;
  }
}

class BlockCompressor {
 public:
  explicit BlockCompressor(int level) : level_(level), level_buffer_(level_buffer_size(level)) {}

  Result<Piece> compress(const CompressJob& job) {
    Piece piece;
    auto input = job.chunk ? job.chunk->view() : std::string_view();
    piece.input = input.size();
    piece.crc = crc32_gzip_refl(0, reinterpret_cast<const unsigned char*>(input.data()), input.size());
    isal_deflate_init(&stream_);
    stream_.level = static_cast<std::uint32_t>(level_);
    stream_.level_buf = level_buffer_.data();
    stream_.level_buf_size = static_cast<std::uint32_t>(level_buffer_.size());
    stream_.gzip_flag = IGZIP_DEFLATE;
    stream_.flush = SYNC_FLUSH;
    stream_.end_of_stream = job.last;
    if (job.before) {
      auto tail = job.before->view();
      tail.remove_prefix(tail.size() - std::min(tail.size(), k_window));
      auto* dictionary = reinterpret_cast<unsigned char*>(const_cast<char*>(tail.data()));
      if (isal_deflate_set_dict(&stream_, dictionary, static_cast<std::uint32_t>(tail.size())) != COMP_OK) {
        return make_error(ErrorCode::internal, "gzip does not take a dictionary");
      }
    }
    stream_.next_in = reinterpret_cast<unsigned char*>(const_cast<char*>(input.data()));
    stream_.avail_in = static_cast<std::uint32_t>(input.size());
    piece.bytes.resize(input.size() + input.size() / 8 + 4096);
    std::size_t used = 0;
    for (;;) {
      stream_.next_out = piece.bytes.data() + used;
      stream_.avail_out = static_cast<std::uint32_t>(piece.bytes.size() - used);
      int code = isal_deflate(&stream_);
      used = piece.bytes.size() - stream_.avail_out;
      if (code != COMP_OK) return make_error(ErrorCode::internal, "gzip failed with " + std::to_string(code));
      if (stream_.avail_out != 0) break;
      piece.bytes.resize(piece.bytes.size() * 2);
    }
    piece.bytes.resize(used);
    return piece;
  }

 private:
  int level_;
  std::vector<unsigned char> level_buffer_;
  isal_zstream stream_{};
};

class GzipEncoder : public Encoder {
 public:
  GzipEncoder(int level, unsigned threads, ByteSink sink)
      : level_(level), sink_(std::move(sink)), jobs_(threads + 2), results_(threads * 2 + 2) {
    for (unsigned i = 0; i < threads; ++i) workers_.emplace_back([this] { work(); });
    writer_ = std::jthread([this] { write(); });
  }

  ~GzipEncoder() override {
    jobs_.abandon();
    results_.abandon();
  }

  Status put(Chunk chunk) override {
    // One chunk is kept back, because the last block of the stream is marked.
    if (held_) {
      DRYDOCK_TRY(submit(false));
      before_ = std::move(held_);
    }
    held_ = std::move(chunk);
    return {};
  }

  Status finish() override {
    DRYDOCK_TRY(submit(true));
    jobs_.close();
    results_.close();
    if (writer_.joinable()) writer_.join();
    return std::move(status_);
  }

 private:
  Status submit(bool last) {
    CompressJob job;
    job.chunk = held_;
    job.before = before_;
    job.last = last;
    // Results are awaited in this order, whichever worker is ready first.
    if (!results_.push(job.done.get_future()) || !jobs_.push(std::move(job))) {
      if (writer_.joinable()) writer_.join();
      if (!status_.ok()) return std::move(status_);
      return make_error(ErrorCode::internal, "gzip ended early");
    }
    return {};
  }

  void work() {
    BlockCompressor compressor(level_);
    while (auto job = jobs_.pop()) job->done.set_value(compressor.compress(*job));
  }

  void write() {
    status_ = write_all();
    if (!status_.ok()) {
      results_.abandon();
      jobs_.abandon();
    }
  }

  Status write_all() {
    // No name, no time, system unknown: nothing that differs between two runs.
    DRYDOCK_TRY(sink_(std::string_view("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10)));
    uLong crc = 0;
    std::uint64_t size = 0;
    while (auto next = results_.pop()) {
      Result<Piece> piece = make_error(ErrorCode::internal, "");
      try {
        piece = next->get();
      } catch (const std::future_error&) {
        return make_error(ErrorCode::cancelled, "compressing was given up");
      }
      if (!piece) return std::move(piece).error();
      crc = crc32_combine(crc, piece->crc, static_cast<z_off_t>(piece->input));
      size += piece->input;
      DRYDOCK_TRY(sink_({reinterpret_cast<const char*>(piece->bytes.data()), piece->bytes.size()}));
    }
    std::string trailer;
    for (int i = 0; i < 4; ++i) trailer += static_cast<char>(crc >> (8 * i));
    for (int i = 0; i < 4; ++i) trailer += static_cast<char>(size >> (8 * i));
    return sink_(trailer);
  }

  const int level_;
  ByteSink sink_;
  BoundedQueue<CompressJob> jobs_;
  BoundedQueue<std::future<Result<Piece>>> results_;
  Chunk held_, before_;
  Status status_;
  std::vector<std::jthread> workers_;
  std::jthread writer_;
};

class GzipDecoder : public Decoder {
 public:
  GzipDecoder(std::string head, ByteSource source) : source_(std::move(source)), input_(256 << 10, '\0') {
    std::copy(head.begin(), head.end(), input_.begin());
    isal_inflate_init(&state_);
    state_.crc_flag = ISAL_GZIP;
    state_.next_in = reinterpret_cast<unsigned char*>(input_.data());
    state_.avail_in = static_cast<std::uint32_t>(head.size());
  }

  Result<std::size_t> read(char* buffer, std::size_t size) override {
    state_.next_out = reinterpret_cast<unsigned char*>(buffer);
    state_.avail_out = static_cast<std::uint32_t>(size);
    while (state_.avail_out > 0 && !ended_) {
      if (state_.avail_in == 0 && !exhausted_) DRYDOCK_TRY(refill());
      if (state_.block_state == ISAL_BLOCK_FINISH) {
        DRYDOCK_TRY(next_member());
        continue;
      }
      auto room = state_.avail_out;
      int code = isal_inflate(&state_);
      if (code != ISAL_DECOMP_OK) {
        return make_error(ErrorCode::corrupted, "the gzip stream is broken (" + std::to_string(code) + ")");
      }
      bool stuck = state_.avail_in == 0 && state_.avail_out == room && state_.block_state != ISAL_BLOCK_FINISH;
      if (stuck && exhausted_) return make_error(ErrorCode::corrupted, "the gzip stream ends too early");
    }
    return size - state_.avail_out;
  }

 private:
  Status refill() {
    DRYDOCK_ASSIGN(auto count, source_(input_.data(), input_.size()));
    state_.next_in = reinterpret_cast<unsigned char*>(input_.data());
    state_.avail_in = static_cast<std::uint32_t>(count);
    exhausted_ = count == 0;
    return {};
  }

  /// Another member, padding of zeros, or the end.
  Status next_member() {
    while (state_.avail_in > 0 && *state_.next_in == 0) {
      ++state_.next_in;
      --state_.avail_in;
    }
    if (state_.avail_in == 0) {
      ended_ = exhausted_;
      return {};
    }
    if (*state_.next_in != 0x1f) return make_error(ErrorCode::corrupted, "bytes that are no gzip follow the stream");
    auto* in = state_.next_in;
    auto left = state_.avail_in;
    auto* out = state_.next_out;
    auto room = state_.avail_out;
    isal_inflate_init(&state_);
    state_.crc_flag = ISAL_GZIP;
    state_.next_in = in;
    state_.avail_in = left;
    state_.next_out = out;
    state_.avail_out = room;
    return {};
  }

  ByteSource source_;
  std::string input_;
  inflate_state state_{};
  bool exhausted_ = false, ended_ = false;
};

}  // namespace

std::unique_ptr<Encoder> make_gzip_encoder(int level, unsigned threads, ByteSink sink) {
  return std::make_unique<GzipEncoder>(level, threads, std::move(sink));
}

std::unique_ptr<Decoder> make_gzip_decoder(std::string head, ByteSource source) {
  return std::make_unique<GzipDecoder>(std::move(head), std::move(source));
}

}  // namespace drydock::oci
