#include "executors/actions/name_pattern.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>

#include "executors/actions/js_regex.h"

namespace drydock::actions {
namespace {

constexpr std::size_t k_longest_pattern = 1024;
constexpr std::size_t k_most_alternatives = 1000;

Error too_much(std::string_view pattern) {
  return make_error(ErrorCode::usage, "the pattern '" + std::string(pattern.substr(0, 60)) + "' is too long or stands for too much");
}

/// The matching close of what opens at `at`; npos when there is none.
std::size_t closing(std::string_view text, std::size_t at, char open, char close) {
  int depth = 0;
  for (std::size_t i = at; i < text.size(); ++i) {
    if (text[i] == '\\') ++i;
    else if (text[i] == open) ++depth;
    else if (text[i] == close && --depth == 0) return i;
  }
  return std::string_view::npos;
}

/// At separators outside of nested brackets.
std::vector<std::string> parts(std::string_view text, char separator, char open, char close) {
  std::vector<std::string> out(1);
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      out.back() += text[i++];
      out.back() += text[i];
      continue;
    }
    if (text[i] == open) ++depth;
    if (text[i] == close) --depth;
    if (text[i] == separator && depth == 0) out.emplace_back();
    else out.back() += text[i];
  }
  return out;
}

/// "1..3", "a..c"; nothing for another text.
std::optional<std::vector<std::string>> sequence(const std::string& text) {
  const auto dots = text.find("..");
  if (dots == std::string::npos) return std::nullopt;
  const auto first = text.substr(0, dots), last = text.substr(dots + 2);
  long from = 0, to = 0;
  const auto number = [](const std::string& digits, long& value) {
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return failure == std::errc() && end == digits.data() + digits.size();
  };
  const bool letters = first.size() == 1 && last.size() == 1 && std::isalpha(static_cast<unsigned char>(first[0])) != 0 &&
                       std::isalpha(static_cast<unsigned char>(last[0])) != 0;
  if (letters) {
    from = first[0];
    to = last[0];
  } else if (!number(first, from) || !number(last, to)) {
    return std::nullopt;
  }
  std::vector<std::string> values;
  const long step = from <= to ? 1 : -1;
  for (long value = from; values.size() <= k_most_alternatives; value += step) {
    values.push_back(letters ? std::string(1, static_cast<char>(value)) : std::to_string(value));
    if (value == to) break;
  }
  return values;
}

std::string quoted(char c) {
  return std::string_view("\\^$.|?*+()[]{}/").find(c) == std::string_view::npos ? std::string(1, c) : std::string("\\") + c;
}

std::string regex_of(std::string_view pattern);

/// One extended form, and where the pattern goes on behind it.
std::string extended(std::string_view pattern, std::size_t at, std::size_t end) {
  std::string choices;
  for (const auto& part : parts(pattern.substr(at + 2, end - at - 2), '|', '(', ')')) {
    choices += (choices.empty() ? "" : "|") + (part.empty() ? std::string("(?:)") : regex_of(part));
  }
  const auto group = "(?:" + choices + ")";
  switch (pattern[at]) {
    case '@': return group;
    case '!': return "(?:(?!" + group + regex_of(pattern.substr(end + 1)) + "$).*?)";
    default: return group + pattern[at];
  }
}

std::string regex_of(std::string_view pattern) {
  std::string out;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (std::string_view("@?*+!").find(c) != std::string_view::npos && i + 1 < pattern.size() && pattern[i + 1] == '(') {
      if (const auto end = closing(pattern, i + 1, '(', ')'); end != std::string_view::npos) {
        out += extended(pattern, i, end);
        i = end;
        continue;
      }
    }
    if (c == '*') {
      out += ".*?";
    } else if (c == '?') {
      out += ".";
    } else if (c == '[' && pattern.find(']', i + 2) != std::string_view::npos) {
      const auto end = pattern.find(']', i + 2);
      auto set = std::string(pattern.substr(i + 1, end - i - 1));
      if (set.starts_with('!')) set[0] = '^';
      out += "[" + set + "]";
      i = end;
    } else if (c == '\\' && i + 1 < pattern.size()) {
      out += quoted(pattern[++i]);
    } else {
      out += quoted(c);
    }
  }
  return out;
}

Result<bool> one_matches(const std::string& pattern, const std::string& name) {
  if (pattern.empty() || name.empty()) return pattern == name;
  const bool wild = std::string_view("*?[@+!").find(pattern.front()) != std::string_view::npos;
  if (wild && name.front() == '.') return false;
  DRYDOCK_ASSIGN(const auto match, js_match(name, "^(?:" + regex_of(pattern) + ")$"));
  return match.has_value();
}

}  // namespace

Result<std::vector<std::string>> expand_braces(std::string_view pattern) {
  if (pattern.size() > k_longest_pattern) return too_much(pattern);
  for (auto open = pattern.find('{'); open != std::string_view::npos; open = pattern.find('{', open + 1)) {
    if (open > 0 && pattern[open - 1] == '\\') continue;
    const auto end = closing(pattern, open, '{', '}');
    if (end == std::string_view::npos) continue;
    auto choices = parts(pattern.substr(open + 1, end - open - 1), ',', '{', '}');
    if (choices.size() == 1) {
      const auto values = sequence(choices.front());
      if (!values) continue;
      choices = *values;
    }
    std::vector<std::string> all;
    for (const auto& choice : choices) {
      DRYDOCK_ASSIGN(const auto rest, expand_braces(std::string(pattern.substr(0, open)) + choice + std::string(pattern.substr(end + 1))));
      all.insert(all.end(), rest.begin(), rest.end());
      if (all.size() > k_most_alternatives) return too_much(pattern);
    }
    return all;
  }
  return std::vector<std::string>{std::string(pattern)};
}

Result<bool> name_matches(std::string_view pattern, std::string_view name) {
  if (pattern.starts_with('#')) return false;
  bool opposite = false;
  while (pattern.starts_with('!') && !pattern.starts_with("!(")) {
    opposite = !opposite;
    pattern.remove_prefix(1);
  }
  DRYDOCK_ASSIGN(const auto all, expand_braces(pattern));
  for (auto each : all) {
    // Zero folders: a name has no slash.
    while (each.starts_with("**/")) each = each.substr(3);
    if (each.find('/') != std::string::npos) continue;
    DRYDOCK_ASSIGN(const bool matches, one_matches(each, std::string(name)));
    if (matches) return !opposite;
  }
  return opposite;
}

}  // namespace drydock::actions
