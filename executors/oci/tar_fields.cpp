#include "executors/oci/tar_fields.h"

#include <algorithm>
#include <charconv>

namespace drydock::oci {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Error broken_tar(std::string what) {
  return make_error(ErrorCode::corrupted, "the tar archive is broken: " + what);
}

std::optional<std::int64_t> tar_number(const char* field, std::size_t size) {
  auto first = static_cast<unsigned char>(field[0]);
  if (first & 0x80) {
    // Two's complement over all bits but the marking one.
    std::uint64_t value = first & 0x40 ? ~std::uint64_t{0} : 0;
    value = (value << 6) | (first & 0x3f);
    for (std::size_t i = 1; i < size; ++i) {
      auto top = value >> 55;
      if (top != 0 && top != 0x1ff) return std::nullopt;
      value = (value << 8) | static_cast<unsigned char>(field[i]);
    }
    return static_cast<std::int64_t>(value);
  }
  std::string_view text(field, size);
  text = text.substr(0, text.find('\0'));
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  if (text.empty()) return 0;
  std::int64_t value = 0;
  auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value, 8);
  if (code != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string tar_string(const char* field, std::size_t size) {
  std::string_view text(field, size);
  return std::string(text.substr(0, text.find('\0')));
}

bool pax_time(std::string_view text, std::int64_t& seconds, std::int64_t& nanoseconds) {
  bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  auto dot = text.find('.');
  auto whole = pax_number(text.substr(0, dot));
  if (!whole || *whole > (1ULL << 60)) return false;
  seconds = static_cast<std::int64_t>(*whole);
  nanoseconds = 0;
  if (dot != std::string_view::npos) {
    auto digits = std::string(text.substr(dot + 1, 9));
    if (digits.find_first_not_of("0123456789") != std::string::npos) return false;
    digits.resize(9, '0');
    nanoseconds = static_cast<std::int64_t>(pax_number(digits).value_or(0));
  }
  if (negative) {
    seconds = -seconds;
    if (nanoseconds) {
      --seconds;
      nanoseconds = 1'000'000'000 - nanoseconds;
    }
  }
  return true;
}

std::optional<std::uint64_t> pax_number(std::string_view text) {
  std::uint64_t value = 0;
  auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || code != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string percent_decoded(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0) {
      plain += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

}  // namespace drydock::oci
