#include "parser/workflow/cron.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <span>
#include <vector>

namespace drydock::parser::workflow {

namespace {

struct CronField {
  std::string_view name;
  int least, most;
  std::string_view words;  // three letters each, the first standing for `least`
};

constexpr std::array k_cron_fields = {CronField{"minute", 0, 59, ""}, CronField{"hour", 0, 23, ""},
                                 CronField{"day of the month", 1, 31, ""},
                                 CronField{"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
                                 CronField{"day of the week", 0, 6, "sunmontuewedthufrisat"}};
constexpr int k_shortest_minutes = 5;

std::vector<std::string_view> split_cron(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find_first_of(separators, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

std::optional<int> cron_number(std::string_view text, const CronField& field) {
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
std::optional<std::uint64_t> cron_values(std::string_view item, const CronField& field) {
  const auto slash = item.find('/');
  const auto range = item.substr(0, slash);
  int first = field.least, last = field.most, step = 1;
  if (range != "*") {
    const auto dash = range.find('-');
    const auto begin = cron_number(range.substr(0, dash), field);
    const auto end = dash == std::string_view::npos ? begin : cron_number(range.substr(dash + 1), field);
    if (!begin || !end) return std::nullopt;
    first = *begin;
    last = dash == std::string_view::npos && slash != std::string_view::npos ? field.most : *end;
  }
  if (slash != std::string_view::npos) {
    const auto given = cron_number(item.substr(slash + 1), CronField{"", 0, 0, ""});
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

using FieldBits = std::array<std::uint64_t, k_cron_fields.size()>;

/// The bits of all fields, or the problem.
std::optional<std::string> read_cron(std::string_view cron, FieldBits& sets) {
  const auto invalid = [&](std::string why) {
    return "the cron line \"" + std::string(cron) + "\" cannot be read: " + std::move(why);
  };
  std::vector<std::string_view> fields;
  for (const auto part : split_cron(cron, " \t")) {
    if (!part.empty()) fields.push_back(part);
  }
  if (fields.size() != k_cron_fields.size())
    return invalid("five fields are expected, here are " + std::to_string(fields.size()));
  for (std::size_t i = 0; i < fields.size(); ++i) {
    for (const auto item : split_cron(fields[i], ",")) {
      const auto bits = cron_values(item == "?" ? "*" : item, k_cron_fields[i]);
      if (!bits) return invalid("\"" + std::string(fields[i]) + "\" is no " + std::string(k_cron_fields[i].name));
      sets[i] |= *bits;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> cron_problem(std::string_view cron) {
  FieldBits sets{};
  return read_cron(cron, sets);
}

std::optional<std::string> schedule_problem(std::string_view cron) {
  FieldBits sets{};
  if (auto problem = read_cron(cron, sets)) return problem;
  const auto gap = shortest_gap(sets[0], sets[1]);
  if (gap >= k_shortest_minutes) return std::nullopt;
  return "this schedule asks for a run every " + std::to_string(gap * 60) +
         " seconds, but GitHub starts one every 5 minutes at most";
}

}  // namespace drydock::parser::workflow
