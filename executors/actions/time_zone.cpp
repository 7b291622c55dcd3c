#include "executors/actions/time_zone.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <vector>

#include "executors/actions/text.h"
#include "executors/base/fs.h"

namespace drydock::actions {
namespace {

constexpr std::size_t k_header = 44;

std::int64_t big_endian(std::string_view bytes) {
  std::int64_t value = bytes.empty() ? 0 : static_cast<signed char>(bytes[0]);
  for (std::size_t i = 1; i < bytes.size(); ++i) value = value * 256 + static_cast<unsigned char>(bytes[i]);
  return value;
}

struct Table {
  std::vector<std::int64_t> transitions;
  std::vector<int> kinds;         // of the time after each transition
  std::vector<ZoneTime> zones;
  std::string rule;               // POSIX TZ text for times after the last transition
};

/// One block of the file: counts, then its arrays. `width` is 4 in the first block and 8 in the second.
struct Block {
  std::size_t isut = 0, isstd = 0, leap = 0, times = 0, types = 0, chars = 0;

  explicit Block(std::string_view header) {
    std::size_t* counts[] = {&isut, &isstd, &leap, &times, &types, &chars};
    for (std::size_t i = 0; i < 6; ++i) *counts[i] = static_cast<std::size_t>(std::max<std::int64_t>(0, big_endian(header.substr(20 + 4 * i, 4))));
  }
  std::size_t size(std::size_t width) const {
    return times * width + times + types * 6 + chars + leap * (width + 4) + isstd + isut;
  }
};

std::optional<Table> read_table(std::string_view file) {
  if (file.size() < k_header || !file.starts_with("TZif")) return std::nullopt;
  const auto first = Block(file).size(4);
  if (file[4] < '2' || file.size() < 2 * k_header + first) return std::nullopt;
  file.remove_prefix(k_header + first);
  const Block block(file);
  if (file.size() < k_header + block.size(8)) return std::nullopt;
  auto at = file.substr(k_header);
  Table table;
  for (std::size_t i = 0; i < block.times; ++i) table.transitions.push_back(big_endian(at.substr(8 * i, 8)));
  at.remove_prefix(8 * block.times);
  for (std::size_t i = 0; i < block.times; ++i) table.kinds.push_back(static_cast<unsigned char>(at[i]));
  at.remove_prefix(block.times);
  const auto names = at.substr(6 * block.types, block.chars);
  for (std::size_t i = 0; i < block.types; ++i) {
    const auto start = std::min<std::size_t>(static_cast<unsigned char>(at[6 * i + 5]), names.size());
    table.zones.push_back({big_endian(at.substr(6 * i, 4)), std::string(names.substr(start, names.find('\0', start) - start))});
  }
  auto footer = file.substr(k_header + block.size(8));
  if (footer.starts_with('\n')) footer.remove_prefix(1);
  table.rule = footer.substr(0, footer.find('\n'));
  for (const int kind : table.kinds) {
    if (static_cast<std::size_t>(kind) >= table.zones.size()) return std::nullopt;
  }
  return table;
}

std::int64_t days_before(std::int64_t year) {  // of 1 January, since 1970
  const auto y = year - 1;
  return y * 365 + y / 4 - y / 100 + y / 400 - 719162;
}
bool leap(std::int64_t year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

/// "CET-1CEST,M3.5.0,M10.5.0/3": when summer time begins and ends, by rule.
class PosixRule {
 public:
  explicit PosixRule(std::string_view text) : text_(text) {}

  std::optional<ZoneTime> at(std::int64_t seconds) {
    ZoneTime standard, summer;
    standard.abbreviation = name();
    standard.offset = -clock();
    if (at_ == text_.size()) return standard;
    summer.abbreviation = name();
    summer.offset = at_ < text_.size() && text_[at_] != ',' ? -clock() : standard.offset + 3600;
    const auto year = year_of(seconds + standard.offset);
    const auto begin = change(year) - standard.offset;
    const auto end = change(year) - summer.offset;
    if (failed_) return std::nullopt;
    const bool in_summer = begin < end ? seconds >= begin && seconds < end : seconds >= begin || seconds < end;
    return in_summer ? summer : standard;
  }

 private:
  std::string name() {
    const auto start = at_;
    if (at_ < text_.size() && text_[at_] == '<') {
      const auto close = std::min(text_.find('>', at_), text_.size());
      at_ = std::min(close + 1, text_.size());
      return std::string(text_.substr(start + 1, close - start - 1));
    }
    while (at_ < text_.size() && std::isalpha(static_cast<unsigned char>(text_[at_]))) ++at_;
    return std::string(text_.substr(start, at_ - start));
  }
  std::int64_t number() {
    std::int64_t value = 0;
    for (; at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_])); ++at_) value = value * 10 + (text_[at_] - '0');
    return value;
  }
  bool eat(char c) {
    const bool there = at_ < text_.size() && text_[at_] == c;
    at_ += there;
    return there;
  }
  /// "[+-]h[:m[:s]]" in seconds.
  std::int64_t clock() {
    const bool negative = eat('-');
    if (!negative) eat('+');
    auto value = number() * 3600;
    if (eat(':')) value += number() * 60;
    if (eat(':')) value += number();
    return negative ? -value : value;
  }
  /// The next ",rule[/time]" as local seconds.
  std::int64_t change(std::int64_t year) {
    failed_ = failed_ || !eat(',');
    std::int64_t day = 0;
    if (eat('M')) {
      const auto month = number();
      eat('.');
      const auto week = number();
      eat('.');
      day = month_rule(year, month, week, number());
    } else if (eat('J')) {
      const auto n = number();
      day = days_before(year) + n - 1 + (leap(year) && n >= 60);
    } else {
      day = days_before(year) + number();
    }
    return day * 86400 + (eat('/') ? clock() : 7200);
  }
  static std::int64_t month_rule(std::int64_t year, std::int64_t month, std::int64_t week, std::int64_t weekday) {
    static constexpr int k_lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (month < 1 || month > 12) return 0;
    auto first = days_before(year);
    for (int m = 1; m < month; ++m) first += k_lengths[m - 1] + (m == 2 && leap(year));
    const int length = k_lengths[month - 1] + (month == 2 && leap(year));
    auto day = (weekday - (first + 4) % 7 + 7) % 7 + (week - 1) * 7;  // 1 January 1970 was a Thursday
    while (day >= length) day -= 7;
    return first + day;
  }
  static std::int64_t year_of(std::int64_t seconds) {
    std::int64_t year = 1970 + seconds / 31556952;
    while (days_before(year + 1) * 86400 <= seconds) ++year;
    while (days_before(year) * 86400 > seconds) --year;
    return year;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

bool is_zone_name(const std::string& zone) {
  const bool letters = std::all_of(zone.begin(), zone.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '/' || c == '_' || c == '-' || c == '+';
  });
  return letters && !zone.empty() && zone.front() != '/' && zone.back() != '/';
}

}  // namespace

Result<ZoneTime> zone_time(const std::string& zone, std::int64_t seconds) {
  if (zone == "UTC" || zone == "Etc/UTC") return ZoneTime{0, "UTC"};
  const auto unknown = make_error(ErrorCode::not_found, "time zone \"" + zone + "\" is not known here", "install the package tzdata");
  if (!is_zone_name(zone)) return unknown;
  const auto file = read_file("/usr/share/zoneinfo/" + zone);
  if (!file) return unknown;
  const auto table = read_table(*file);
  if (!table || table->zones.empty()) return unknown;
  const auto& times = table->transitions;
  if (!times.empty() && seconds < times.front()) return table->zones.front();
  if ((times.empty() || seconds >= times.back()) && !table->rule.empty()) {
    if (auto found = PosixRule(table->rule).at(seconds)) return *found;
  }
  if (times.empty()) return table->zones.front();
  const auto after = std::upper_bound(times.begin(), times.end(), seconds) - times.begin();
  return table->zones[static_cast<std::size_t>(table->kinds[static_cast<std::size_t>(after - 1)])];
}

}  // namespace drydock::actions
