#include "parser/dockerfile/glob.h"

#include <algorithm>

#include "parser/dockerfile/text.h"

namespace drydock::parser::dockerfile {

std::optional<ValuePattern> ValuePattern::compile(std::u32string_view text, std::string& error) {
  ValuePattern pattern;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char32_t c = text[i];
    if (c == U'*') {
      pattern.tokens_.push_back({Token::Kind::many, 0});
    } else if (c == U'?') {
      pattern.tokens_.push_back({Token::Kind::any, 0});
    } else {
      if (c == U'\\') {
        // Besides the pattern's own characters, only the two that end it inside ${} may be escaped.
        const char32_t next = i + 1 < text.size() ? text[i + 1] : U'\0';
        if (next == U'\0' || std::u32string_view(U"*?\\}/").find(next) == std::u32string_view::npos) {
          error = "invalid escape '\\" + (next == U'\0' ? std::string() : encode(std::u32string(1, next))) +
                  "' in pattern \"" + encode(text) + "\"";
          return std::nullopt;
        }
        c = next;
        ++i;
      }
      pattern.tokens_.push_back({Token::Kind::literal, c});
    }
  }
  return pattern;
}

// The ends that each token can reach, all at once: linear in pattern times value, however many stars there are.
std::optional<std::size_t> ValuePattern::match(const std::vector<Token>& tokens, std::u32string_view value,
                                               Extent extent) {
  std::vector<char> ends(value.size() + 1, 0);
  ends[0] = 1;
  for (const auto& token : tokens) {
    if (token.kind == Token::Kind::many) {
      for (std::size_t i = 0; i < value.size(); ++i) {
        if (ends[i] != 0 && value[i] != U'\n') ends[i + 1] = 1;
      }
      continue;
    }
    for (std::size_t i = value.size(); i > 0; --i) {
      const bool fits = token.kind == Token::Kind::any ? value[i - 1] != U'\n' : value[i - 1] == token.value;
      ends[i] = ends[i - 1] != 0 && fits ? 1 : 0;
    }
    ends[0] = 0;
  }
  if (extent == Extent::shortest) {
    const auto found = std::find(ends.begin(), ends.end(), 1);
    if (found == ends.end()) return std::nullopt;
    return static_cast<std::size_t>(found - ends.begin());
  }
  const auto found = std::find(ends.rbegin(), ends.rend(), 1);
  if (found == ends.rend()) return std::nullopt;
  return static_cast<std::size_t>(ends.rend() - found) - 1;
}

std::u32string ValuePattern::trim_prefix(std::u32string_view value, Extent extent) const {
  return std::u32string(value.substr(match(tokens_, value, extent).value_or(0)));
}

std::u32string ValuePattern::trim_suffix(std::u32string_view value, Extent extent) const {
  const std::vector<Token> tokens(tokens_.rbegin(), tokens_.rend());
  const std::u32string reversed(value.rbegin(), value.rend());
  return std::u32string(value.substr(0, value.size() - match(tokens, reversed, extent).value_or(0)));
}

std::u32string ValuePattern::replace(std::u32string_view value, std::u32string_view with, Count count) const {
  std::u32string out;
  std::size_t at = 0;
  bool after_match = false;
  while (at <= value.size()) {
    const auto length = match(tokens_, value.substr(at), Extent::longest);
    const bool empty_after_match = length && *length == 0 && after_match;
    if (length && !empty_after_match) {
      out += with;
      if (count == Count::first) return out += value.substr(at + *length);
      at += *length;
    }
    after_match = length && *length > 0;
    if (!length || *length == 0) {
      if (at < value.size()) out += value[at];
      ++at;
    }
  }
  return out;
}

}  // namespace drydock::parser::dockerfile
