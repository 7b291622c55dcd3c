// Numbers as text: .NET's "G15" for printing, and what Double.TryParse and GitHub's hexadecimal and octal
// forms read.

#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>

#include "parser/expression/text.h"
#include "parser/expression/value.h"

namespace drydock::parser::expression {

namespace {

constexpr double k_infinity = std::numeric_limits<double>::infinity();
constexpr double k_nan = std::numeric_limits<double>::quiet_NaN();

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::size_t skip_digits(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

// [sign] digits [. digits] [e [sign] digits], with a digit before or after the point.
bool is_decimal(std::string_view text) {
  std::size_t at = !text.empty() && (text[0] == '+' || text[0] == '-') ? 1 : 0;
  const std::size_t whole = at;
  at = skip_digits(text, at);
  std::size_t digits = at - whole;
  if (at < text.size() && text[at] == '.') {
    const std::size_t fraction = ++at;
    at = skip_digits(text, at);
    digits += at - fraction;
  }
  if (digits == 0) return false;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    const std::size_t exponent = at;
    at = skip_digits(text, at);
    if (at == exponent) return false;
  }
  return at == text.size();
}

double read_decimal(std::string_view text) {
  if (text.front() == '+') text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  // Beyond the range: strtod tells whether it ran over or under, in any locale, as no point is involved in
  // that.
  if (error == std::errc::result_out_of_range) return std::strtod(std::string(text).c_str(), nullptr);
  return value;
}

// GitHub reads these as 32 bits with a sign: 0xFFFFFFFF is -1, and more bits are no number.
double read_integer(std::string_view digits, int base) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size()) return k_nan;
  return static_cast<std::int32_t>(value);
}

}  // namespace

double parse_number(std::string_view text) {
  text = trim(text);
  if (text.empty()) return 0;
  if (is_decimal(text)) return read_decimal(text);
  if (text.starts_with("0x")) return read_integer(text.substr(2), 16);
  if (text.starts_with("0o")) return read_integer(text.substr(2), 8);
  const char sign = text.front();
  if (sign == '+' || sign == '-') text.remove_prefix(1);
  if (!equal_ignoring_case(text, "Infinity")) return k_nan;
  return sign == '-' ? -k_infinity : k_infinity;
}

std::string format_number(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
  constexpr double k_exact_whole = 1e15;
  if (std::fabs(number) < k_exact_whole && number == std::trunc(number)) {
    return std::to_string(static_cast<std::int64_t>(number));
  }
  constexpr int k_digits = 15;
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%.*e", k_digits - 1, number);
  std::string_view text(buffer);
  std::string out = text.front() == '-' ? "-" : "";
  if (text.front() == '-') text.remove_prefix(1);
  const auto e = text.find('e');
  const int exponent = std::atoi(text.data() + e + 1);
  std::string digits(1, text[0]);
  digits += text.substr(2, e - 2);
  digits.erase(digits.find_last_not_of('0') + 1);

  const int count = static_cast<int>(digits.size());
  if (exponent <= -5 || exponent >= k_digits) {
    out += digits[0];
    if (count > 1) out += "." + digits.substr(1);
    std::snprintf(buffer, sizeof buffer, "E%c%02d", exponent < 0 ? '-' : '+', std::abs(exponent));
    return out + buffer;
  }
  if (exponent < 0) return out + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  if (count <= exponent + 1)
    return out + digits + std::string(static_cast<std::size_t>(exponent + 1 - count), '0');
  return out + digits.substr(0, exponent + 1) + "." + digits.substr(exponent + 1);
}

}  // namespace drydock::parser::expression
