#include "parser/dockerfile/text.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <numeric>
#include <utility>

namespace drydock::parser::dockerfile {

namespace {

constexpr char32_t k_wrong_byte = 0xDC00;

struct Decoded {
  char32_t value;
  std::size_t length;
};

Decoded decode_one(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {first, 1};
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  const Decoded wrong{k_wrong_byte + first, 1};
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return wrong;
  char32_t value = first & (0x7F >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return wrong;
    value = (value << 6) | (byte(i) & 0x3F);
  }
  constexpr std::array<char32_t, 5> k_least{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < k_least[length] || value > 0x10FFFF || surrogate) return wrong;
  return {value, length};
}

template <std::size_t N>
bool within(char32_t c, const std::array<std::pair<char32_t, char32_t>, N>& ranges) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [c](const auto& range) { return c >= range.first && c <= range.second; });
}

// Code points beyond Latin-1 that Go does not print as they are: other spaces, format and private characters.
constexpr std::array<std::pair<char32_t, char32_t>, 14> k_unprintable{{{0x80, 0xA0},
                                                                      {0xAD, 0xAD},
                                                                      {0x600, 0x605},
                                                                      {0x61C, 0x61C},
                                                                      {0x1680, 0x1680},
                                                                      {0x180E, 0x180E},
                                                                      {0x2000, 0x200F},
                                                                      {0x2028, 0x202F},
                                                                      {0x205F, 0x206F},
                                                                      {0x3000, 0x3000},
                                                                      {0xE000, 0xF8FF},
                                                                      {0xFEFF, 0xFEFF},
                                                                      {0xFFF0, 0xFFFB},
                                                                      {0xE0000, 0x10FFFF}}};

constexpr std::array<std::pair<char32_t, char32_t>, 16> k_symbols{{{0x80, 0xA9},
                                                                  {0xAB, 0xB4},
                                                                  {0xB6, 0xB9},
                                                                  {0xBB, 0xBF},
                                                                  {0xD7, 0xD7},
                                                                  {0xF7, 0xF7},
                                                                  {0x300, 0x36F},
                                                                  {0x2000, 0x206F},
                                                                  {0x20A0, 0x20FF},
                                                                  {0x2190, 0x2BFF},
                                                                  {0x3000, 0x3004},
                                                                  {0x3007, 0x3030},
                                                                  {0xD800, 0xF8FF},
                                                                  {0xFE00, 0xFE6F},
                                                                  {0xFF01, 0xFF20},
                                                                  {0x1F000, 0x1FAFF}}};

std::size_t distance(std::u32string_view a, std::u32string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::u32string decode(std::string_view text) {
  std::u32string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto [value, length] = decode_one(text);
    out += value;
    text.remove_prefix(length);
  }
  return out;
}

void append(std::string& out, char32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c >= k_wrong_byte && c < k_wrong_byte + 0x100) {
    out += static_cast<char>(c - k_wrong_byte);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | (c >> 6));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | (c >> 12));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (c >> 18));
    out += static_cast<char>(0x80 | ((c >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  }
}

std::string encode(std::u32string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char32_t c : text) append(out, c);
  return out;
}

bool is_space(char32_t c) {
  return (c >= U'\t' && c <= U'\r') || c == U' ' || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

bool is_digit(char32_t c) { return c >= U'0' && c <= U'9'; }

bool is_letter(char32_t c) {
  if (c < 0x80) return (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z');
  return !within(c, k_symbols);
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && lower(a) == lower(b);
}

std::string_view trim_left(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n\v\f");
  return begin == std::string_view::npos ? std::string_view{} : text.substr(begin);
}

std::string_view trim(std::string_view text) {
  text = trim_left(text);
  const auto end = text.find_last_not_of(" \t\r\n\v\f");
  return end == std::string_view::npos ? std::string_view{} : text.substr(0, end + 1);
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const auto at = text.find(separator);
    parts.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string out;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) out += separator;
    out += parts[i];
  }
  return out;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  const auto hex = [&out](const char* format, unsigned value) {
    std::array<char, 16> buffer{};
    std::snprintf(buffer.data(), buffer.size(), format, value);
    out += buffer.data();
  };
  for (const char32_t c : decode(text)) {
    constexpr std::u32string_view k_special = U"\a\b\f\n\r\t\v\\\"";
    constexpr std::string_view k_letters = "abfnrtv\\\"";
    if (const auto at = k_special.find(c); at != std::u32string_view::npos) {
      out += '\\';
      out += k_letters[at];
    } else if (c < 0x20 || c == 0x7F) {
      hex("\\x%02x", c);
    } else if (c >= k_wrong_byte && c < k_wrong_byte + 0x100) {
      hex("\\x%02x", c - k_wrong_byte);
    } else if (within(c, k_unprintable)) {
      hex(c > 0xFFFF ? "\\U%08x" : "\\u%04x", c);
    } else {
      append(out, c);
    }
  }
  return out + '"';
}

std::string near_miss(std::string_view name, const std::vector<std::string>& options, Case letters) {
  const auto fold = [letters](std::string_view text) {
    return decode(letters == Case::ignored ? lower(text) : std::string(text));
  };
  const auto wanted = fold(name);
  std::string best;
  std::size_t best_distance = 3;
  for (const auto& option : options) {
    const auto found = distance(wanted, fold(option));
    if (found == 0) return {};
    if (found < best_distance) {
      best = option;
      best_distance = found;
    }
  }
  return best;
}

}  // namespace drydock::parser::dockerfile
