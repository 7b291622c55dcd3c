#include "parser/dockerfile/duration.h"

#include <array>
#include <cstdint>
#include <utility>

namespace drydock::parser::dockerfile {

namespace {

// Longer spellings first where one begins like another.
constexpr std::array<std::pair<std::string_view, long double>, 8> k_units{{{"ns", 1.0L},
                                                                          {"us", 1e3L},
                                                                          {"\xC2\xB5s", 1e3L},
                                                                          {"\xCE\xBCs", 1e3L},
                                                                          {"ms", 1e6L},
                                                                          {"s", 1e9L},
                                                                          {"m", 60e9L},
                                                                          {"h", 3600e9L}}};

}  // namespace

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  bool negative = false;
  if (text.starts_with('-') || text.starts_with('+')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  if (text == "0") return std::chrono::nanoseconds{0};
  if (text.empty()) return std::nullopt;
  long double total = 0;
  while (!text.empty()) {
    long double amount = 0, scale = 1;
    bool digits = false, fraction = false;
    std::size_t i = 0;
    for (; i < text.size(); ++i) {
      if (text[i] == '.' && !fraction) {
        fraction = true;
      } else if (text[i] >= '0' && text[i] <= '9') {
        digits = true;
        amount = amount * 10 + (text[i] - '0');
        if (fraction) scale *= 10;
      } else {
        break;
      }
    }
    if (!digits) return std::nullopt;
    text.remove_prefix(i);
    bool known = false;
    for (const auto& [name, nanoseconds] : k_units) {
      if (known || !text.starts_with(name)) continue;
      known = true;
      total += amount / scale * nanoseconds;
      text.remove_prefix(name.size());
    }
    if (!known || !(total < 9.2e18L)) return std::nullopt;
  }
  const auto count = static_cast<std::int64_t>(total);
  return std::chrono::nanoseconds{negative ? -count : count};
}

}  // namespace drydock::parser::dockerfile
