#pragma once
// The two halves of zstd. Internal to compress.

#include "executors/oci/compress.h"

namespace drydock::oci {

Result<std::unique_ptr<Encoder>> make_zstd_encoder(int level, unsigned threads, ByteSink sink);
/// `head` was read from the source already.
std::unique_ptr<Decoder> make_zstd_decoder(std::string head, ByteSource source);

}  // namespace drydock::oci
