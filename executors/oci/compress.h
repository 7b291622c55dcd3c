#pragma once
// Compressing and expanding byte streams: gzip by ISA-L, zstd by libzstd. The output depends on the input and the
// options alone, not on the number of threads. An Encoder or Decoder belongs to one thread at a time.

#include "executors/base/result.h"
#include "executors/oci/compress_queue.h"
#include "executors/oci/layer.h"

#include <memory>

namespace drydock::oci {

/// Takes a stream cut into chunks, all of k_chunk_size but the last; the sink is called from one other thread.
class Encoder {
 public:
  virtual ~Encoder() = default;
  /// An error of an earlier chunk may come with a later one.
  virtual Status put(Chunk chunk) = 0;
  /// Once, after the last chunk; everything is in the sink when it returns.
  virtual Status finish() = 0;
};

/// `usage` for a level that the compression does not have.
Result<std::unique_ptr<Encoder>> make_encoder(const CompressOptions& options, ByteSink sink);

/// Expands gzip (all members), zstd (all frames) or nothing, told by the first bytes: media types err.
class Decoder {
 public:
  virtual ~Decoder() = default;
  /// Fills the buffer as far as it can; 0 at the end. `corrupted` for a broken or cut stream.
  virtual Result<std::size_t> read(char* buffer, std::size_t size) = 0;
};

Result<std::unique_ptr<Decoder>> make_decoder(ByteSource source);

}  // namespace drydock::oci
