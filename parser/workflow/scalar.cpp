#include "parser/workflow/scalar.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

namespace drydock::parser::workflow {

namespace {

constexpr std::string_view k_tag_prefix = "tag:yaml.org,2002:";

using Outcome = std::variant<Token, std::string>;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool all_digits(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), is_digit); }

std::optional<bool> as_boolean(std::string_view text) {
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  return std::nullopt;
}

bool is_null(std::string_view text) {
  return text.empty() || text == "null" || text == "Null" || text == "NULL" || text == "~";
}

/// Decimal text that is known to be well formed; what is too large is infinite.
double decimal(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc::result_out_of_range) return value;
  const auto exponent = text.find_first_of("eE");
  const bool tiny = exponent != std::string_view::npos && text.substr(exponent + 1).starts_with('-');
  const double magnitude = tiny ? 0 : std::numeric_limits<double>::infinity();
  return text.starts_with('-') ? -magnitude : magnitude;
}

struct Number {
  double value = 0;
  bool out_of_range = false;
};

/// 0x and 0o forms: 32 bits, the highest being the sign.
Number from_base(std::string_view digits, int base) {
  std::uint32_t bits = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), bits, base);
  if (result.ec != std::errc{}) return {0, true};
  return {static_cast<double>(static_cast<std::int32_t>(bits)), false};
}

std::optional<Number> as_integer(std::string_view text) {
  if (all_digits(text)) return Number{decimal(text), false};
  if ((text.starts_with('-') || text.starts_with('+')) && all_digits(text.substr(1))) return Number{decimal(text), false};
  if (text.size() > 2 && text.starts_with("0x") &&
      text.find_first_not_of("0123456789abcdefABCDEF", 2) == std::string_view::npos) {
    return from_base(text.substr(2), 16);
  }
  if (text.size() > 2 && text.starts_with("0o") && text.find_first_not_of("01234567", 2) == std::string_view::npos) {
    return from_base(text.substr(2), 8);
  }
  return std::nullopt;
}

std::optional<double> as_special(std::string_view text) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (text == ".nan" || text == ".NaN" || text == ".NAN") return std::numeric_limits<double>::quiet_NaN();
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text == ".inf" || text == ".Inf" || text == ".INF") return negative ? -infinity : infinity;
  return std::nullopt;
}

std::size_t skip_digits(std::string_view text, std::size_t i) {
  while (i < text.size() && is_digit(text[i])) ++i;
  return i;
}

/// [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?
bool is_float(std::string_view text) {
  std::size_t i = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  const auto whole = skip_digits(text, i);
  bool has_digits = whole > i;
  i = whole;
  if (i < text.size() && text[i] == '.') {
    const auto fraction = skip_digits(text, i + 1);
    has_digits |= fraction > i + 1;
    i = fraction;
  }
  if (!has_digits) return false;
  if (i == text.size()) return true;
  if (text[i] != 'e' && text[i] != 'E') return false;
  ++i;
  if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
  const auto exponent = skip_digits(text, i);
  return exponent > i && exponent == text.size();
}

std::optional<double> as_float(std::string_view text) {
  if (const auto special = as_special(text)) return special;
  if (!is_float(text)) return std::nullopt;
  // from_chars wants a digit on both sides of the point only where the grammar here does not.
  return decimal(text);
}

std::string place_text(const yaml::Node& node) {
  return "on line " + std::to_string(node.range.start.line) + " and column " + std::to_string(node.range.start.column);
}

std::string invalid_value(const yaml::Node& node, std::string_view type) {
  return "The value '" + node.value + "' " + place_text(node) + " is invalid for the type '" +
         std::string(k_tag_prefix) + std::string(type) + "'";
}

std::string_view style_name(yaml::Style style) {
  switch (style) {
    case yaml::Style::plain: return "Plain";
    case yaml::Style::single_quoted: return "SingleQuoted";
    case yaml::Style::double_quoted: return "DoubleQuoted";
    case yaml::Style::literal: return "Literal";
    case yaml::Style::folded: return "Folded";
  }
  return "Plain";
}

Token string_token(const yaml::Node& node) {
  Token token;
  token.kind = TokenKind::string;
  token.text = node.value;
  return token;
}

Token number_token(double value) {
  Token token;
  token.kind = TokenKind::number;
  token.number = value;
  return token;
}

Token boolean_token(bool value) {
  Token token;
  token.kind = TokenKind::boolean;
  token.boolean = value;
  return token;
}

Outcome tagged(const yaml::Node& node) {
  const std::string_view text = node.value;
  auto type = std::string_view(node.tag);
  if (!type.starts_with(k_tag_prefix)) return "Unexpected tag '" + node.tag + "'";
  type.remove_prefix(k_tag_prefix.size());
  if (type == "str") return string_token(node);
  if (node.style != yaml::Style::plain) {
    return "The scalar style '" + std::string(style_name(node.style)) + "' " + place_text(node) +
           " is not valid with the tag '" + node.tag + "'";
  }
  if (type == "bool") {
    if (const auto value = as_boolean(text)) return boolean_token(*value);
  } else if (type == "float") {
    if (const auto value = as_float(text)) return number_token(*value);
  } else if (type == "int") {
    if (const auto value = as_integer(text); value && !value->out_of_range) return number_token(value->value);
  } else if (type == "null") {
    if (is_null(text)) return Token{};
  } else {
    return "Unexpected tag '" + node.tag + "'";
  }
  return invalid_value(node, type);
}

Outcome plain(const yaml::Node& node) {
  const std::string_view text = node.value;
  if (is_null(text)) return Token{};
  if (const auto value = as_boolean(text)) return boolean_token(*value);
  if (const auto value = as_integer(text)) {
    if (value->out_of_range) return invalid_value(node, "int");
    return number_token(value->value);
  }
  if (const auto value = as_float(text)) return number_token(*value);
  return string_token(node);
}

}  // namespace

std::variant<Token, std::string> type_scalar(const yaml::Node& node) {
  auto outcome = !node.tag.empty()                    ? tagged(node)
                 : node.style == yaml::Style::plain   ? plain(node)
                                                      : Outcome(string_token(node));
  if (auto* token = std::get_if<Token>(&outcome)) {
    token->range = node.range;
    token->style = static_cast<ScalarStyle>(node.style);
    token->source = node.value;
  }
  return outcome;
}

}  // namespace drydock::parser::workflow
