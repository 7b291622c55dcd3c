#include <cstdint>

#include "executors/base/file_glob.h"

namespace drydock {
namespace {

/// One character of UTF-8; a byte that is none counts as one.
char32_t next(std::string_view text, std::size_t& at) {
  const auto lead = static_cast<unsigned char>(text[at++]);
  const int more = lead < 0xc0 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
  char32_t value = more == 0 ? lead : lead & (0x3fU >> more);
  for (int i = 0; i < more && at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80; ++i) {
    value = value << 6 | (static_cast<unsigned char>(text[at++]) & 0x3f);
  }
  return value;
}

/// The end of the set that begins at `at` (its "["), behind the "]"; npos when it is not closed.
std::size_t set_end(std::string_view pattern, std::size_t at) {
  std::size_t i = at + 1;
  if (i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^')) ++i;
  if (i < pattern.size() && pattern[i] == ']') ++i;
  for (; i < pattern.size(); ++i) {
    if (pattern[i] == '\\') ++i;
    else if (pattern[i] == ']') return i + 1;
  }
  return std::string_view::npos;
}

bool in_set(std::string_view set, char32_t value) {
  std::size_t at = 0;
  const bool negated = set[0] == '!' || set[0] == '^';
  if (negated) ++at;
  bool found = false;
  while (at < set.size()) {
    if (set[at] == '\\' && at + 1 < set.size()) ++at;
    const char32_t first = next(set, at);
    char32_t last = first;
    if (at + 1 < set.size() && set[at] == '-') {
      ++at;
      if (set[at] == '\\' && at + 1 < set.size()) ++at;
      last = next(set, at);
    }
    found = found || (first <= value && value <= last);
  }
  return found != negated;
}

/// Whether one character of the name fits what stands at `at`, which moves behind it.
bool one_fits(std::string_view pattern, std::size_t& at, char32_t value) {
  if (pattern[at] == '?') {
    ++at;
    return true;
  }
  if (pattern[at] == '[') {
    const auto end = set_end(pattern, at);
    if (end != std::string_view::npos) {
      const auto set = pattern.substr(at + 1, end - at - 2);
      at = end;
      return in_set(set, value);
    }
  }
  if (pattern[at] == '\\' && at + 1 < pattern.size()) ++at;
  return next(pattern, at) == value;
}

}  // namespace

bool segment_matches(std::string_view pattern, std::string_view name) {
  std::size_t p = 0, n = 0, star = std::string_view::npos, mark = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = ++p;
      mark = n;
      continue;
    }
    std::size_t p_next = p, n_next = n;
    if (p < pattern.size() && one_fits(pattern, p_next, next(name, n_next))) {
      p = p_next;
      n = n_next;
      continue;
    }
    if (star == std::string_view::npos) return false;
    // The last star takes one more character.
    p = star;
    (void)next(name, mark);
    n = mark;
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace drydock
