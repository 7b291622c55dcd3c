#pragma once
// The two halves of gzip. Internal to compress.

#include "executors/oci/compress.h"

namespace drydock::oci {

std::unique_ptr<Encoder> make_gzip_encoder(int level, unsigned threads, ByteSink sink);
/// `head` was read from the source already.
std::unique_ptr<Decoder> make_gzip_decoder(std::string head, ByteSource source);

}  // namespace drydock::oci
