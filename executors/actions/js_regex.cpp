#include "executors/actions/js_regex.h"

#include <regex>

namespace drydock::actions {
namespace {

Error invalid(const std::string& pattern, const std::string& why) {
  return make_error(ErrorCode::usage, "regular expression /" + pattern + "/: " + why);
}

enum class Dot { but_newline, anything };

Result<std::string> translate(const std::string& pattern, Dot dot) {
  std::string out;
  bool in_class = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const auto rest = std::string_view(pattern).substr(i);
    if (pattern[i] == '\\' && i + 1 < pattern.size()) {
      if (pattern[i + 1] == 'p' || pattern[i + 1] == 'P') return invalid(pattern, "\\p is not supported");
      if (pattern[i + 1] == 'k') return invalid(pattern, "\\k is not supported");
      // std::regex knows no escape of plain punctuation such as "\-", "\/" or "\_".
      const char next = pattern[i + 1];
      if (next == '-' || next == '/' || next == '_' || next == '#' || next == '@' || next == ' ') {
        out += in_class && next == '-' ? "\\x2d" : std::string(1, next);
      } else {
        out += pattern.substr(i, 2);
      }
      ++i;
    } else if (in_class) {
      in_class = pattern[i] != ']';
      out += pattern[i];
    } else if (pattern[i] == '[') {
      in_class = true;
      out += '[';
    } else if (rest.starts_with("(?<=") || rest.starts_with("(?<!")) {
      return invalid(pattern, "lookbehind is not supported");
    } else if (rest.starts_with("(?<")) {
      const auto end = rest.find('>');
      if (end == rest.npos) return invalid(pattern, "a group's name is not closed");
      out += '(';
      i += end;
    } else if (pattern[i] == '.' && dot == Dot::anything) {
      out += "[\\s\\S]";
    } else {
      out += pattern[i];
    }
  }
  return out;
}

}  // namespace

Result<std::optional<JsMatch>> js_match(const std::string& text, const std::string& pattern, std::string_view flags) {
  auto syntax = std::regex::ECMAScript;
  for (const char flag : flags) {
    if (flag == 'i') syntax |= std::regex::icase;
    if (flag == 'm') syntax |= std::regex::multiline;
    if (std::string_view("gimsy").find(flag) == std::string_view::npos) {
      return invalid(pattern, std::string("flag ") + flag + " is not supported");
    }
  }
  const auto has = [&](char flag) { return flags.find(flag) != flags.npos; };
  DRYDOCK_ASSIGN(const auto translated, translate(pattern, has('s') ? Dot::anything : Dot::but_newline));
  try {
    const std::regex regex(translated, syntax);
    const auto where = has('y') ? std::regex_constants::match_continuous : std::regex_constants::match_default;
    std::smatch found;
    if (!std::regex_search(text, found, regex, where)) return std::optional<JsMatch>();
    JsMatch out;
    if (has('g')) {
      for (std::sregex_iterator next(text.begin(), text.end(), regex, where), end; next != end; ++next) out.push_back(next->str());
    } else {
      for (const auto& group : found) out.push_back(group.matched ? std::optional(group.str()) : std::nullopt);
    }
    return std::optional(std::move(out));
  } catch (const std::regex_error& error) {
    return invalid(pattern, error.what());
  }
}

}  // namespace drydock::actions
