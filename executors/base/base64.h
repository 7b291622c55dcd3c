#pragma once
// Base 64 (RFC 4648). Pure functions.

#include <optional>
#include <string>
#include <string_view>

namespace drydock {

/// `standard` ends in + and / and is padded; `url` ends in - and _ and is not.
enum class Base64 { standard, url };

std::string encode_base64(std::string_view bytes, Base64 form = Base64::standard);
/// With or without the padding of `standard`. Nothing for a character that is no digit of `form`.
std::optional<std::string> decode_base64(std::string_view text, Base64 form = Base64::standard);

}  // namespace drydock
