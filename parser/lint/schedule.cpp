#include "parser/lint/schedule.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <span>
#include <vector>

namespace drydock::parser::lint {

namespace {

struct Field {
  std::string_view name;
  int least, most;
  std::string_view words;  // three letters each, the first standing for `least`
};

constexpr std::array k_fields = {Field{"minute", 0, 59, ""}, Field{"hour", 0, 23, ""},
                                 Field{"day of the month", 1, 31, ""},
                                 Field{"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
                                 Field{"day of the week", 0, 6, "sunmontuewedthufrisat"}};
constexpr int k_shortest_minutes = 5;

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find_first_of(separators, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

std::optional<int> number(std::string_view text, const Field& field) {
  int value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size()) return value;
  std::string name(text);
  for (auto& c : name) c = static_cast<char>(c | 0x20);
  if (name.size() != 3 || field.words.empty()) return std::nullopt;
  for (std::size_t i = 0; i < field.words.size(); i += 3) {
    if (field.words.substr(i, 3) == name) return field.least + static_cast<int>(i / 3);
  }
  return std::nullopt;
}

/// The values of `*`, `a`, `a-b`, `a/n`, `a-b/n` as bits; nothing when it cannot be read.
std::optional<std::uint64_t> values(std::string_view item, const Field& field) {
  const auto slash = item.find('/');
  const auto range = item.substr(0, slash);
  int first = field.least, last = field.most, step = 1;
  if (range != "*") {
    const auto dash = range.find('-');
    const auto begin = number(range.substr(0, dash), field);
    const auto end = dash == std::string_view::npos ? begin : number(range.substr(dash + 1), field);
    if (!begin || !end) return std::nullopt;
    first = *begin;
    last = dash == std::string_view::npos && slash != std::string_view::npos ? field.most : *end;
  }
  if (slash != std::string_view::npos) {
    const auto given = number(item.substr(slash + 1), Field{"", 0, 0, ""});
    if (!given || *given <= 0) return std::nullopt;
    step = *given;
  }
  if (first < field.least || last > field.most || first > last) return std::nullopt;
  std::uint64_t bits = 0;
  for (int i = first; i <= last; i += step) bits |= std::uint64_t{1} << i;
  return bits;
}

/// The shortest time between two runs of one day, in minutes; hours next to each other count as well.
int shortest_gap(std::uint64_t minutes, std::uint64_t hours) {
  std::vector<int> times;
  for (int hour = 0; hour < 24; ++hour) {
    for (int minute = 0; minute < 60; ++minute) {
      if ((hours >> hour & 1) != 0 && (minutes >> minute & 1) != 0) times.push_back(hour * 60 + minute);
    }
  }
  int gap = 24 * 60;
  for (std::size_t i = 1; i < times.size(); ++i) gap = std::min(gap, times[i] - times[i - 1]);
  return gap;
}

}  // namespace

std::optional<std::string> schedule_problem(std::string_view cron) {
  const auto invalid = [&](std::string why) {
    return "the cron line \"" + std::string(cron) + "\" cannot be read: " + std::move(why);
  };
  std::vector<std::string_view> fields;
  for (const auto part : split(cron, " \t")) {
    if (!part.empty()) fields.push_back(part);
  }
  if (fields.size() != k_fields.size())
    return invalid("five fields are expected, here are " + std::to_string(fields.size()));
  std::array<std::uint64_t, k_fields.size()> sets{};
  for (std::size_t i = 0; i < fields.size(); ++i) {
    for (const auto item : split(fields[i], ",")) {
      const auto bits = values(item == "?" ? "*" : item, k_fields[i]);
      if (!bits) return invalid("\"" + std::string(fields[i]) + "\" is no " + std::string(k_fields[i].name));
      sets[i] |= *bits;
    }
  }
  const auto gap = shortest_gap(sets[0], sets[1]);
  if (gap >= k_shortest_minutes) return std::nullopt;
  return "this schedule asks for a run every " + std::to_string(gap * 60) +
         " seconds, but GitHub starts one every 5 minutes at most";
}

}  // namespace drydock::parser::lint
