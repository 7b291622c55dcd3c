#include "executors/actions/date_format.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <ctime>

namespace drydock::actions {
namespace {

constexpr std::string_view k_months[] = {"January", "February", "March",     "April",   "May",      "June",
                                         "July",    "August",   "September", "October", "November", "December"};
constexpr std::string_view k_days[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

struct Moment {
  std::tm tm{};
  std::int64_t seconds = 0, milliseconds = 0;  // since 1970; of the second
  ZoneTime zone;

  int year() const { return tm.tm_year + 1900; }
};

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0); }

std::string padded(std::int64_t value, int width) {
  char text[32];
  std::snprintf(text, sizeof text, "%0*lld", width, static_cast<long long>(value));
  return text;
}

std::string ordinal(int value) {
  const int last = value % 10;
  const bool teen = value % 100 / 10 == 1;
  return std::to_string(value) + (teen ? "th" : last == 1 ? "st" : last == 2 ? "nd" : last == 3 ? "rd" : "th");
}

struct Week {
  int year, number;
};
bool is_leap(int year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }
int days_in(int year) { return is_leap(year) ? 366 : 365; }

/// `first` is the week's first day, `dates` the day of January that always lies in week 1.
Week week_of(const std::tm& tm, int first, int dates) {
  const auto first_week_start = [&](int year) {  // day of the year, may be negative
    const int jan1 = (tm.tm_wday - tm.tm_yday % 7 + 7 + 7 * 2) % 7;
    int weekday = jan1;
    if (year > tm.tm_year + 1900) weekday = (jan1 + days_in(year - 1)) % 7;
    if (year < tm.tm_year + 1900) weekday = (jan1 + 7 * 60 - days_in(year)) % 7;
    const int back = (weekday + dates - 1 - first + 7) % 7;  // from the fixed date to its week's first day
    return dates - 1 - back;
  };
  const int year = tm.tm_year + 1900;
  if (tm.tm_yday < first_week_start(year)) {
    return {year - 1, (tm.tm_yday + days_in(year - 1) - first_week_start(year - 1)) / 7 + 1};
  }
  if (tm.tm_yday - days_in(year) >= first_week_start(year + 1)) {
    return {year + 1, (tm.tm_yday - days_in(year) - first_week_start(year + 1)) / 7 + 1};
  }
  return {year, (tm.tm_yday - first_week_start(year)) / 7 + 1};
}

std::string offset_text(std::int64_t offset, std::string_view between) {
  const auto minutes = std::abs(offset) / 60;
  return (offset < 0 ? "-" : "+") + padded(minutes / 60, 2) + std::string(between) + padded(minutes % 60, 2);
}

// In the order in which the library's own expression tries them: the first that fits is taken.
constexpr std::string_view k_tokens[] = {
    "Hmmss", "hmmss", "Hmm",  "hmm",  "Mo",   "MMMM", "MMM", "MM",   "M",   "Do",  "DDDo", "DDDD", "DDD", "DD", "D",  "dddd",
    "ddd",   "do",    "dd",   "d",    "wo",   "ww",   "w",   "Wo",   "WW",  "W",   "Qo",   "Q",    "NNNNN", "NNNN", "NNN", "NN", "N",
    "YYYYYY", "YYYYY", "YYYY", "YY",  "yyyy", "yyy",  "yy",  "yo",   "y",   "gggg", "gg",  "GGGG", "GG",  "e",  "E",  "a",
    "A",     "hh",    "h",    "HH",   "H",    "kk",   "k",   "mm",   "m",   "ss",  "s",    "x",    "X",   "zz", "z",  "ZZ",
    "Z",     "LTS",   "LT",   "LLLL", "LLL",  "LL",   "L",   "llll", "lll", "ll",  "l"};

std::string format(const Moment& at, std::string_view text);

std::string week_token(const Moment& at, std::string_view token) {
  const bool iso = token[0] == 'W' || token[0] == 'G';
  const Week week = iso ? week_of(at.tm, 1, 4) : week_of(at.tm, 0, 1);
  if (token[0] == 'g' || token[0] == 'G') return token.size() == 2 ? padded(week.year % 100, 2) : padded(week.year, 4);
  if (token.ends_with('o')) return ordinal(week.number);
  return padded(week.number, static_cast<int>(token.size()));
}

std::string year_token(const Moment& at, std::string_view token) {
  if (token == "yo") return ordinal(at.year());
  if (token[0] == 'y') return padded(at.year(), static_cast<int>(token.size()));
  if (token == "YY") return padded(at.year() % 100, 2);
  if (token == "YYYYYY") return "+" + padded(at.year(), 6);
  return padded(at.year(), static_cast<int>(token.size()));
}

std::string month_or_day_token(const Moment& at, std::string_view token) {
  const int size = static_cast<int>(token.size());
  const bool ordinally = token.ends_with('o');
  if (token[0] == 'M') {
    const auto name = k_months[at.tm.tm_mon];
    if (ordinally) return ordinal(at.tm.tm_mon + 1);
    return size < 3 ? padded(at.tm.tm_mon + 1, size) : std::string(size == 3 ? name.substr(0, 3) : name);
  }
  if (token[0] == 'Q') return ordinally ? ordinal(at.tm.tm_mon / 3 + 1) : std::to_string(at.tm.tm_mon / 3 + 1);
  if (token.starts_with("DDD")) {
    if (ordinally) return ordinal(at.tm.tm_yday + 1);
    return padded(at.tm.tm_yday + 1, size == 4 ? 3 : 1);
  }
  if (token[0] == 'D') return ordinally ? ordinal(at.tm.tm_mday) : padded(at.tm.tm_mday, size);
  if (ordinally) return ordinal(at.tm.tm_wday);
  const auto day = k_days[at.tm.tm_wday];
  if (size == 1) return std::to_string(at.tm.tm_wday);
  return std::string(size == 2 ? day.substr(0, 2) : size == 3 ? day.substr(0, 3) : day);
}

std::string clock_token(const Moment& at, std::string_view token) {
  const int size = static_cast<int>(token.size());
  const int hour12 = at.tm.tm_hour % 12 == 0 ? 12 : at.tm.tm_hour % 12;
  const bool twice = token == "Hmm" || token == "hmm" || token == "Hmmss" || token == "hmmss";
  if (twice) {
    const auto hour = std::to_string(token[0] == 'H' ? at.tm.tm_hour : hour12);
    return hour + padded(at.tm.tm_min, 2) + (size == 5 ? padded(at.tm.tm_sec, 2) : "");
  }
  switch (token[0]) {
    case 'H': return padded(at.tm.tm_hour, size);
    case 'h': return padded(hour12, size);
    case 'k': return padded(at.tm.tm_hour == 0 ? 24 : at.tm.tm_hour, size);
    case 'm': return padded(at.tm.tm_min, size);
    case 's': return padded(at.tm.tm_sec, size);
    case 'a': return at.tm.tm_hour < 12 ? "am" : "pm";
    default: return at.tm.tm_hour < 12 ? "AM" : "PM";
  }
}

std::string local_form(const Moment& at, std::string_view token) {
  constexpr std::pair<std::string_view, std::string_view> k_forms[] = {
      {"LTS", "h:mm:ss A"}, {"LT", "h:mm A"}, {"LLLL", "dddd, MMMM D, YYYY h:mm A"}, {"LLL", "MMMM D, YYYY h:mm A"},
      {"LL", "MMMM D, YYYY"}, {"L", "MM/DD/YYYY"}, {"llll", "ddd, MMM D, YYYY h:mm A"}, {"lll", "MMM D, YYYY h:mm A"},
      {"ll", "MMM D, YYYY"}, {"l", "M/D/YYYY"}};
  for (const auto& [name, form] : k_forms) {
    if (name == token) return format(at, form);
  }
  return std::string(token);
}

std::string other_token(const Moment& at, std::string_view token) {
  switch (token[0]) {
    case 'N': return token.size() == 4 ? "Anno Domini" : "AD";
    case 'e': return std::to_string(at.tm.tm_wday);
    case 'E': return std::to_string(at.tm.tm_wday == 0 ? 7 : at.tm.tm_wday);
    case 'x': return std::to_string(at.seconds * 1000 + at.milliseconds);
    case 'X': return std::to_string(at.seconds);
    case 'z': return at.zone.abbreviation;
    case 'Z': return offset_text(at.zone.offset, token.size() == 1 ? ":" : "");
    default: return local_form(at, token);
  }
}

std::string expand(const Moment& at, std::string_view token) {
  switch (token[0]) {
    case 'w': case 'W': case 'g': case 'G': return week_token(at, token);
    case 'Y': case 'y': return year_token(at, token);
    case 'M': case 'D': case 'd': case 'Q': return month_or_day_token(at, token);
    case 'H': case 'h': case 'k': case 'm': case 's': case 'a': case 'A': return clock_token(at, token);
    default: return other_token(at, token);
  }
}

/// Fractions of the second, up to nine digits of which three are known.
std::string fraction(const Moment& at, std::size_t digits) {
  return (padded(at.milliseconds, 3) + "000000").substr(0, digits);
}

std::string format(const Moment& at, std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto close = text[0] == '[' ? text.find_first_of("[]", 1) : text.npos;
    if (close != text.npos && text[close] == ']') {
      out += text.substr(1, close - 1);
      text.remove_prefix(close + 1);
      continue;
    }
    const bool escaped = text[0] == '\\' && text.size() > 1;
    if (escaped) text.remove_prefix(1);
    std::size_t taken = 1;
    if (text[0] == 'S') {
      taken = std::min<std::size_t>(std::min(text.find_first_not_of('S'), text.size()), 9);
      out += escaped ? std::string(text.substr(0, taken)) : fraction(at, taken);
    } else {
      const auto* token = std::find_if(std::begin(k_tokens), std::end(k_tokens), [&](auto each) { return text.starts_with(each); });
      const bool found = token != std::end(k_tokens);
      if (found) taken = token->size();
      out += found && !escaped ? expand(at, *token) : std::string(text.substr(0, taken));
    }
    text.remove_prefix(taken);
  }
  return out;
}

Moment moment_at(std::int64_t milliseconds, const ZoneTime& zone) {
  Moment at{.seconds = floor_div(milliseconds, 1000), .zone = zone};
  at.milliseconds = milliseconds - at.seconds * 1000;
  const std::time_t local = at.seconds + zone.offset;
  ::gmtime_r(&local, &at.tm);
  return at;
}

}  // namespace

std::string format_date(std::int64_t milliseconds, const ZoneTime& zone, std::string_view text) {
  const auto at = moment_at(milliseconds, zone);
  if (text.empty()) return format(at, zone.offset == 0 ? "YYYY-MM-DDTHH:mm:ss[Z]" : "YYYY-MM-DDTHH:mm:ssZ");
  return format(at, text);
}

std::string iso_date(std::int64_t milliseconds) { return format(moment_at(milliseconds, {}), "YYYY-MM-DDTHH:mm:ss.SSS[Z]"); }

}  // namespace drydock::actions
