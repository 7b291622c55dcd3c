#include "parser/lint/context.h"

namespace drydock::parser::lint {

namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

std::size_t count_openings(std::string_view text) {
  std::size_t count = 0;
  for (auto at = text.find("${{"); at != std::string_view::npos; at = text.find("${{", at + 3)) ++count;
  return count;
}

std::size_t nth_opening(std::string_view text, std::size_t from, std::size_t number) {
  auto at = text.find("${{", from);
  for (std::size_t i = 1; i < number && at != std::string_view::npos; ++i) at = text.find("${{", at + 3);
  return at;
}

/// Bytes that the character at `raw` of the file takes, where quotes escape it.
std::size_t width_of(std::string_view text, std::size_t raw, workflow::ScalarStyle style) {
  const bool pair = raw + 1 < text.size();
  if (style == workflow::ScalarStyle::double_quoted && text[raw] == '\\' && pair) return 2;
  if (style == workflow::ScalarStyle::single_quoted && text[raw] == '\'' && pair && text[raw + 1] == '\'')
    return 2;
  return 1;
}

}  // namespace

void LintContext::report(std::string_view rule, Position at, std::string message, std::string mend) {
  findings_.push_back({Severity::warning,
                       file,
                       {at, {at.line, at.column + 1}},
                       std::string(rule),
                       std::move(message),
                       std::move(mend)});
}

std::size_t LintContext::offset_of(Position at) const {
  const auto text = places.text();
  auto offset = places.line_start(at.line);
  for (int column = 1; column < at.column && offset < text.size(); ++column) {
    ++offset;
    while (offset < text.size() && (static_cast<unsigned char>(text[offset]) & 0xC0) == 0x80) ++offset;
  }
  return offset;
}

Position LintContext::place_in(const workflow::Token& token, std::size_t value_offset) const {
  if (token.range.start.line <= 0) return token.range.start;
  const auto text = places.text();
  const std::string_view value = token.source;
  auto raw = offset_of(token.range.start);
  while (raw < text.size() && (text[raw] == '&' || text[raw] == '!')) {  // anchor, tag
    while (raw < text.size() && !is_blank(text[raw])) ++raw;
    while (raw < text.size() && is_blank(text[raw])) ++raw;
  }
  const auto style = token.style;
  if (style == workflow::ScalarStyle::single_quoted || style == workflow::ScalarStyle::double_quoted) ++raw;
  std::size_t from = 0;
  const auto openings = count_openings(value.substr(0, std::min(value.size(), value_offset + 3)));
  if (openings > 0) {
    raw = nth_opening(text, raw, openings);
    from = nth_opening(value, 0, openings);
    if (raw == std::string_view::npos) return token.range.start;
  } else if (style == workflow::ScalarStyle::literal || style == workflow::ScalarStyle::folded) {
    raw = text.find('\n', raw);
    if (raw == std::string_view::npos) return token.range.start;
  }
  while (from < value_offset && raw < text.size()) {
    if (is_blank(value[from])) {
      while (from < value_offset && is_blank(value[from])) ++from;
      if (from == value_offset && !(from < value.size() && !is_blank(value[from]))) break;
      while (raw < text.size() && is_blank(text[raw])) ++raw;
      continue;
    }
    while (raw < text.size() && is_blank(text[raw])) ++raw;
    raw += width_of(text, raw, style);
    ++from;
  }
  if (value_offset < value.size() && !is_blank(value[value_offset])) {
    while (raw < text.size() && is_blank(text[raw])) ++raw;
  }
  return places.at(std::min(raw, text.size()));
}

std::string quoted_list(const std::vector<std::string>& names) {
  std::string list;
  for (const auto& name : names) list += (list.empty() ? "\"" : ", \"") + name + "\"";
  return list;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (auto& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

}  // namespace drydock::parser::lint
