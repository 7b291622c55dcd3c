// Loose comparison and case folding, as .NET's OrdinalIgnoreCase has it.

#include <algorithm>
#include <cmath>
#include <iterator>

#include "parser/expression/case_table.h"
#include "parser/expression/text.h"
#include "parser/expression/value.h"

namespace drydock::parser::expression {

namespace {

char32_t fold(char32_t c) {
  if (c < 0x80) return c >= 'a' && c <= 'z' ? c - ('a' - 'A') : c;
  const auto after = std::upper_bound(std::begin(k_case_runs), std::end(k_case_runs), c,
                                      [](char32_t value, const CaseRun& run) { return value < run.first; });
  if (after == std::begin(k_case_runs)) return c;
  const auto& run = *std::prev(after);
  if (c > run.last || (c - run.first) % static_cast<char32_t>(run.step) != 0) return c;
  return static_cast<char32_t>(static_cast<std::int64_t>(c) + run.delta);
}

// UTF-16 puts the surrogates of large code points before U+E000.
char32_t utf16_rank(char32_t c) {
  return c >= 0x10000 ? c : c >= 0xE000 ? c + 0x200000 : c >= 0xD800 ? c + 0x100000 : c;
}

enum class Order { less, equal, greater, none };

Order order_of(double left, double right) {
  if (std::isnan(left) || std::isnan(right)) return Order::none;
  return left < right ? Order::less : left > right ? Order::greater : Order::equal;
}

}  // namespace

std::string fold_case(std::string_view text) {
  std::string folded;
  folded.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x80) {
      folded += static_cast<char>(fold(byte));
      ++at;
      continue;
    }
    append_utf8(folded, fold(next_code_point(text, at)));
  }
  return folded;
}

int compare_ignoring_case(std::string_view left, std::string_view right) {
  std::size_t l = 0, r = 0;
  while (l < left.size() && r < right.size()) {
    const char32_t a = fold(next_code_point(left, l));
    const char32_t b = fold(next_code_point(right, r));
    if (a != b) return utf16_rank(a) < utf16_rank(b) ? -1 : 1;
  }
  return l < left.size() ? 1 : r < right.size() ? -1 : 0;
}

bool equal_ignoring_case(std::string_view left, std::string_view right) {
  return compare_ignoring_case(left, right) == 0;
}

namespace {

Order compare(const Value& left, const Value& right) {
  const Kind l = left.kind(), r = right.kind();
  if (l > Kind::string || r > Kind::string) return l == r && left.same_as(right) ? Order::equal : Order::none;
  if (l == Kind::null && r == Kind::null) return Order::equal;
  if (l == Kind::string && r == Kind::string) {
    const int order = compare_ignoring_case(left.string(), right.string());
    return order < 0 ? Order::less : order > 0 ? Order::greater : Order::equal;
  }
  return order_of(left.to_number(), right.to_number());
}

}  // namespace

bool equal(const Value& left, const Value& right) {
  return compare(left, right) == Order::equal;
}

bool less(const Value& left, const Value& right) {
  return compare(left, right) == Order::less;
}

}  // namespace drydock::parser::expression
