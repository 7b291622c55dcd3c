#include "executors/base/time.h"

#include <cstdio>

namespace drydock {
namespace {

using namespace std::chrono;

Error bad_time(std::string_view text) {
  return make_error(ErrorCode::invalid_input,
                    "\"" + std::string(text) + "\" is not a time of the form 2024-05-01T12:30:00Z");
}

/// Reads exactly `count` digits at the front of `text`.
bool take_number(std::string_view& text, std::size_t count, int& value) {
  if (text.size() < count) return false;
  value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return true;
}

bool take_char(std::string_view& text, std::string_view allowed) {
  if (text.empty() || allowed.find(text[0]) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

bool take_fraction(std::string_view& text, nanoseconds& fraction) {
  if (text.empty() || text[0] != '.') return true;
  text.remove_prefix(1);
  std::int64_t value = 0;
  int digits = 0;
  while (!text.empty() && text[0] >= '0' && text[0] <= '9') {
    if (digits < 9) value = value * 10 + (text[0] - '0');
    ++digits;
    text.remove_prefix(1);
  }
  if (digits == 0) return false;
  for (int i = digits; i < 9; ++i) value *= 10;
  fraction = nanoseconds(value);
  return true;
}

bool take_offset(std::string_view& text, minutes& offset) {
  if (take_char(text, "Zz")) return true;
  const bool negative = !text.empty() && text[0] == '-';
  int hour = 0, minute = 0;
  if (!take_char(text, "+-") || !take_number(text, 2, hour) || !take_char(text, ":") ||
      !take_number(text, 2, minute))
    return false;
  if (hour > 23 || minute > 59) return false;
  offset = minutes(hour * 60 + minute) * (negative ? -1 : 1);
  return true;
}

}  // namespace

std::string format_rfc3339(Time time, TimePrecision precision) {
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(floor<nanoseconds>(time - day));
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  std::string out = text;
  const auto fraction = static_cast<long>(clock.subseconds().count());
  if (precision == TimePrecision::milliseconds) {
    std::snprintf(text, sizeof text, ".%03ld", fraction / 1'000'000);
    out += text;
  } else if (precision == TimePrecision::nanoseconds && fraction != 0) {
    std::snprintf(text, sizeof text, ".%09ld", fraction);
    std::string digits = text;
    digits.erase(digits.find_last_not_of('0') + 1);
    out += digits;
  }
  return out + "Z";
}

Result<Time> parse_rfc3339(std::string_view text) {
  auto rest = text;
  int year_ = 0, month_ = 0, day_ = 0, hour = 0, minute = 0, second = 0;
  nanoseconds fraction{0};
  minutes offset{0};
  const bool shaped = take_number(rest, 4, year_) && take_char(rest, "-") && take_number(rest, 2, month_) &&
                      take_char(rest, "-") && take_number(rest, 2, day_) && take_char(rest, "Tt ") &&
                      take_number(rest, 2, hour) && take_char(rest, ":") && take_number(rest, 2, minute) &&
                      take_char(rest, ":") && take_number(rest, 2, second) && take_fraction(rest, fraction) &&
                      take_offset(rest, offset) && rest.empty();
  const year_month_day date{year(year_), month(static_cast<unsigned>(month_)),
                            day(static_cast<unsigned>(day_))};
  if (!shaped || !date.ok() || hour > 23 || minute > 59 || second > 60) return bad_time(text);
  const auto point = sys_days(date) + hours(hour) + minutes(minute) + seconds(second) - offset;
  return time_point_cast<system_clock::duration>(point + fraction);
}

}  // namespace drydock
