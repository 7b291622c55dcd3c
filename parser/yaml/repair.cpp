#include "parser/yaml/repair.h"

#include <algorithm>

namespace drydock::parser::yaml {

namespace {

// Replacements lie in a plane for private use; each is as many code points as what it stands for.
constexpr char32_t k_replacements = 0xF0000;

struct CodePoint {
  char32_t value = 0;
  std::size_t bytes = 1;
};

CodePoint code_point_at(std::string_view text, std::size_t i) {
  const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(text[k]); };
  const unsigned char lead = byte(i);
  if (lead < 0x80) return {lead, 1};
  const std::size_t bytes = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (i + bytes > text.size()) return {lead, 1};
  char32_t value = lead & (0x7F >> bytes);
  for (std::size_t k = 1; k < bytes; ++k) value = value << 6 | (byte(i + k) & 0x3F);
  return {value, bytes};
}

/// What libyaml calls a control character.
bool is_unprintable(char32_t c) {
  if (c < 0x20) return c != '\t' && c != '\n' && c != '\r';
  return (c >= 0x7F && c < 0xA0 && c != 0x85) || c == 0xFEFF || c == 0xFFFE || c == 0xFFFF;
}

bool is_replacement(char32_t c) {
  return c >= k_replacements && c <= k_replacements + 0xFFFF;
}

/// Of plane 15: always four bytes.
void append_replacement(std::string& text, char32_t c) {
  const char32_t value = k_replacements + c;
  text += static_cast<char>(0xF0 | value >> 18);
  text += static_cast<char>(0x80 | (value >> 12 & 0x3F));
  text += static_cast<char>(0x80 | (value >> 6 & 0x3F));
  text += static_cast<char>(0x80 | (value & 0x3F));
}

void append_utf8(std::string& text, char32_t value) {
  if (value < 0x80) {
    text += static_cast<char>(value);
  } else if (value < 0x800) {
    text += static_cast<char>(0xC0 | value >> 6);
    text += static_cast<char>(0x80 | (value & 0x3F));
  } else {
    text += static_cast<char>(0xE0 | value >> 12);
    text += static_cast<char>(0x80 | (value >> 6 & 0x3F));
    text += static_cast<char>(0x80 | (value & 0x3F));
  }
}

/// The lead bytes of all that is_unprintable() names.
bool may_be_unprintable(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7F || byte == 0xC2 ||
         byte == 0xEF;
}

constexpr std::string_view k_ends_of_name = " \t\r\n,[]{}";

bool is_plain_in_name(char32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/// The `&` or `*` of the name that the offset lies in.
bool repair_name(std::string& text, std::size_t offset) {
  auto begin = offset;
  while (begin > 0 && k_ends_of_name.find(text[begin - 1]) == std::string_view::npos) --begin;
  if (begin >= text.size() || (text[begin] != '&' && text[begin] != '*')) return false;
  const auto end = std::min(text.find_first_of(k_ends_of_name, begin), text.size());
  std::string name;
  bool changed = false;
  for (auto i = begin + 1; i < end;) {
    const auto c = code_point_at(text, i);
    const bool plain = is_plain_in_name(c.value);
    name += plain ? text[i] : '_';
    changed |= !plain;
    i += c.bytes;
  }
  text.replace(begin + 1, end - begin - 1, name);
  return changed;
}

bool repair_blank_line(std::string& text, std::size_t offset) {
  const auto before = text.rfind('\n', offset == 0 ? 0 : offset - 1);
  const auto begin = before == std::string::npos || offset == 0 ? 0 : before + 1;
  const auto end = std::min(text.find('\n', begin), text.size());
  const auto content = text.find_first_not_of(" \t\r", begin);
  if (content < end && text[content] != '#') return false;
  bool changed = false;
  for (auto i = begin; i < std::min(content, end); ++i) {
    if (text[i] != '\t') continue;
    text[i] = ' ';
    changed = true;
  }
  return changed;
}

/// YAML's first line of a block scalar may go on with a tab behind its indentation.
bool repair_first_tab(std::string& text, std::size_t offset, std::string_view problem) {
  if (problem != "found a tab character where an indentation space is expected") return false;
  if (offset == 0 || offset >= text.size() || text[offset] != '\t' || text[offset - 1] != ' ') return false;
  std::string replacement;
  append_replacement(replacement, U'\t');
  text.replace(offset, 1, replacement);
  return true;
}

}  // namespace

bool has_replacements(std::string_view text) {
  for (auto i = text.find('\xF3'); i != std::string_view::npos; i = text.find('\xF3', i + 1)) {
    if (is_replacement(code_point_at(text, i).value)) return true;
  }
  return false;
}

std::optional<std::string> without_unprintable(std::string_view text) {
  if (std::none_of(text.begin(), text.end(), may_be_unprintable) || has_replacements(text))
    return std::nullopt;
  std::string out;
  out.reserve(text.size() + 64);
  bool replaced = false;
  for (std::size_t i = 0; i < text.size();) {
    const auto c = code_point_at(text, i);
    if (is_unprintable(c.value))
      append_replacement(out, c.value);
    else
      out += text.substr(i, c.bytes);
    replaced |= is_unprintable(c.value);
    i += c.bytes;
  }
  return replaced ? std::optional(std::move(out)) : std::nullopt;
}

std::string turned_back(std::string_view value) {
  std::string out;
  for (std::size_t i = 0; i < value.size();) {
    const auto c = code_point_at(value, i);
    if (is_replacement(c.value))
      append_utf8(out, c.value - k_replacements);
    else
      out += value.substr(i, c.bytes);
    i += c.bytes;
  }
  return out;
}

bool repair_at(std::string& text, std::size_t offset, std::string_view problem) {
  if (offset > text.size()) return false;
  return repair_name(text, offset) || repair_blank_line(text, offset) ||
         repair_first_tab(text, offset, problem);
}

}  // namespace drydock::parser::yaml
