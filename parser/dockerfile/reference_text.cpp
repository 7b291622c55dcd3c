#include "parser/dockerfile/reference_text.h"

#include <algorithm>

namespace drydock::parser::dockerfile {

namespace {

bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_upper_letter(char c) { return c >= 'A' && c <= 'Z'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_word(char c) { return is_lower_or_digit(c) || is_upper_letter(c) || c == '_'; }

// Letters and digits, joined by one dot, one or two underscores, or any number of dashes.
bool is_path_part(std::string_view part) {
  if (part.empty() || !is_lower_or_digit(part.front()) || !is_lower_or_digit(part.back())) return false;
  for (std::size_t i = 0; i < part.size();) {
    if (is_lower_or_digit(part[i])) {
      ++i;
      continue;
    }
    auto end = i;
    while (end < part.size() && part[end] == part[i]) ++end;
    const auto length = end - i;
    const bool joined = part[i] == '-' || (part[i] == '_' && length <= 2) || (part[i] == '.' && length == 1);
    if (!joined || end == part.size() || !is_lower_or_digit(part[end])) return false;
    i = end;
  }
  return true;
}

bool is_path(std::string_view path) {
  while (true) {
    const auto slash = path.find('/');
    if (!is_path_part(path.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

bool is_host(std::string_view host) {
  if (host.starts_with('[')) return host.find(']') != std::string_view::npos;
  const auto colon = host.rfind(':');
  const auto port = colon == std::string_view::npos ? std::string_view("0") : host.substr(colon + 1);
  const auto name = host.substr(0, colon);
  return !name.empty() && !port.empty() && std::all_of(port.begin(), port.end(), is_digit) &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_word(c) || c == '.' || c == '-'; });
}

bool is_digest(std::string_view digest) {
  const auto colon = digest.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const auto hex = digest.substr(colon + 1);
  return hex.size() >= 32 && std::all_of(hex.begin(), hex.end(), is_hex);
}

bool is_tag(std::string_view tag) {
  return !tag.empty() && tag.size() <= 128 && is_word(tag[0]) &&
         std::all_of(tag.begin(), tag.end(), [](char c) { return is_word(c) || c == '.' || c == '-'; });
}

}  // namespace

bool is_image_reference(std::string_view text) {
  if (text.size() == 64 && std::all_of(text.begin(), text.end(), is_hex)) return false;  // an image id
  if (const auto at = text.find('@'); at != std::string_view::npos) {
    if (!is_digest(text.substr(at + 1))) return false;
    text = text.substr(0, at);
  }
  if (const auto slash = text.find('/'); slash != std::string_view::npos) {
    const auto first = text.substr(0, slash);
    const bool host = first.find_first_of(".:") != std::string_view::npos || first == "localhost" ||
                      std::any_of(first.begin(), first.end(), is_upper_letter);
    if (host) {
      if (!is_host(first)) return false;
      text.remove_prefix(slash + 1);
    }
  }
  if (const auto colon = text.rfind(':'); colon != std::string_view::npos) {
    if (!is_tag(text.substr(colon + 1))) return false;
    text = text.substr(0, colon);
  }
  return is_path(text);
}

}  // namespace drydock::parser::dockerfile
