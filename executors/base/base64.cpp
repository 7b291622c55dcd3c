#include "executors/base/base64.h"

namespace drydock {
namespace {

std::string_view digits(Base64 form) {
  return form == Base64::standard ? "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
                                  : "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
}

}  // namespace

std::string encode_base64(std::string_view bytes, Base64 form) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  unsigned held = 0, bits = 0;
  for (const unsigned char byte : bytes) {
    held = held << 8 | byte;
    bits += 8;
    for (; bits >= 6; bits -= 6) out += digits(form)[held >> (bits - 6) & 63];
  }
  if (bits > 0) out += digits(form)[held << (6 - bits) & 63];
  if (form == Base64::standard) out.append((4 - out.size() % 4) % 4, '=');
  return out;
}

std::optional<std::string> decode_base64(std::string_view text, Base64 form) {
  while (form == Base64::standard && text.ends_with('=')) text.remove_suffix(1);
  std::string out;
  unsigned held = 0, bits = 0;
  for (const char digit : text) {
    const auto value = digits(form).find(digit);
    if (value == std::string_view::npos) return std::nullopt;
    held = held << 6 | static_cast<unsigned>(value);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out += static_cast<char>(held >> bits & 255);
  }
  return out;
}

}  // namespace drydock
