#include "parser/dockerfile/line_parser.h"

#include <utility>

#include "parser/dockerfile/json_words.h"
#include "parser/dockerfile/text.h"

namespace drydock::parser::dockerfile {

namespace {

constexpr std::string_view k_blanks = "\t\v\f\r ";

// The first word and what follows the blanks after it.
std::pair<std::string_view, std::optional<std::string_view>> cut_word(std::string_view text) {
  const auto end = text.find_first_of(k_blanks);
  if (end == std::string_view::npos) return {text, std::nullopt};
  const auto next = text.find_first_not_of(k_blanks, end);
  return {text.substr(0, end), next == std::string_view::npos ? std::string_view{} : text.substr(next)};
}

std::vector<std::string> blank_separated(std::string_view text) {
  std::vector<std::string> words;
  if (text.empty()) return words;
  while (true) {
    const auto [word, rest] = cut_word(text);
    words.emplace_back(word);
    if (!rest) return words;
    text = *rest;
  }
}

// Takes leading "--…" words off `rest`; quotes and escapes in them vanish.
std::vector<std::string> take_flags(std::string_view& rest, char escape) {
  std::vector<std::string> flags;
  while (true) {
    rest = trim_left(rest);
    if (!rest.starts_with("--")) return flags;
    std::string word;
    bool quoted_part = false;
    char quote = '\0';
    std::size_t i = 0;
    for (; i < rest.size(); ++i) {
      char c = rest[i];
      if (quote == '\0' && is_space(static_cast<unsigned char>(c)) && static_cast<unsigned char>(c) < 0x80) break;
      if (quote == '\0' && (c == '\'' || c == '"')) {
        quote = c;
        quoted_part = true;
        continue;
      }
      if (quote != '\0' && c == quote) {
        quote = '\0';
        continue;
      }
      if (c == escape) {
        if (++i == rest.size()) break;
        c = rest[i];
      }
      word += c;
    }
    rest.remove_prefix(i);
    if (word == "--") return flags;
    if (quoted_part || !word.empty()) flags.push_back(std::move(word));
  }
}

// Words at unquoted blanks; quotes and escapes stay, for they are read again when the word is expanded.
std::vector<std::string> quoted_words(std::string_view text, char escape) {
  std::vector<std::string> words;
  std::u32string word;
  bool in_word = false;
  char32_t quote = 0;
  const auto finish = [&] {
    if (in_word && !word.empty()) words.push_back(encode(word));
    word.clear();
    in_word = false;
  };
  const auto escape_char = static_cast<char32_t>(static_cast<unsigned char>(escape));
  const auto points = decode(text);
  for (std::size_t i = 0; i < points.size(); ++i) {
    const char32_t c = points[i];
    if (quote == 0 && is_space(c)) {
      finish();
      continue;
    }
    in_word = true;
    if (c == escape_char && quote != U'\'') {
      if (i + 1 == points.size()) break;  // an escape at the very end stands for nothing
      word += c;
      word += points[++i];
      continue;
    }
    if (quote == 0 && (c == U'\'' || c == U'"')) {
      quote = c;
    } else if (c == quote) {
      quote = 0;
    }
    word += c;
  }
  finish();
  return words;
}

std::optional<LineError> name_values(std::string_view rest, char escape, Node& node) {
  const auto words = quoted_words(rest, escape);
  if (words.empty()) return std::nullopt;
  const auto name = upper(node.keyword);
  if (words[0].find('=') == std::string::npos) {
    const auto [key, value] = cut_word(rest);
    if (!value) {
      return LineError{name + " must have two arguments, a name and a value; \"" + std::string(key) +
                           "\" has no value",
                       "write " + name + " " + std::string(key) + "=value", std::string(key)};
    }
    node.arguments = {std::string(key), std::string(*value), ""};
    return std::nullopt;
  }
  for (const auto& word : words) {
    const auto equals = word.find('=');
    if (equals == std::string::npos) {
      return LineError{"cannot find = in \"" + word + "\": " + name + " takes name=value pairs",
                       "put quotes around a value that has blanks", word};
    }
    node.arguments.push_back(word.substr(0, equals));
    node.arguments.push_back(word.substr(equals + 1));
    node.arguments.emplace_back("=");
  }
  return std::nullopt;
}

enum class Fallback { one_text, list };

std::optional<LineError> maybe_json(std::string_view rest, Fallback fallback, Node& node) {
  if (rest.empty()) return std::nullopt;
  auto json = read_json_words(rest);
  if (json.kind == JsonWordsKind::other_values) {
    return LineError{"the JSON array after " + upper(node.keyword) + " must consist of strings only",
                     "put each element in double quotes", std::string(rest)};
  }
  const auto add = [&node](std::vector<std::string> words) {
    for (auto& word : words) node.arguments.push_back(std::move(word));
  };
  if (json.kind == JsonWordsKind::strings) {
    node.form = ArgumentForm::json;
    add(std::move(json.words));
  } else if (fallback == Fallback::list) {
    add(blank_separated(rest));
  } else {
    node.arguments.emplace_back(rest);
  }
  return std::nullopt;
}

std::optional<LineError> healthcheck(std::string_view rest, Node& node) {
  if (rest.empty()) return std::nullopt;
  const auto end = rest.find_first_of(" \t\r\n\v\f");
  node.arguments.emplace_back(rest.substr(0, end));
  return maybe_json(end == std::string_view::npos ? std::string_view{} : trim_left(rest.substr(end)),
                    Fallback::one_text, node);
}

// A trigger within a trigger is wrong anyway; a limit keeps a hostile file off the stack.
constexpr int k_trigger_limit = 8;

std::optional<LineError> parse_line_at(std::string_view line, char escape, int depth, Node& node);

std::optional<LineError> parse_arguments(std::string_view rest, char escape, int depth, Node& node) {
  const auto name = upper(node.keyword);
  if (name == "ENV" || name == "LABEL") return name_values(rest, escape, node);
  if (name == "ARG") {
    node.arguments = quoted_words(rest, escape);
    return std::nullopt;
  }
  if (name == "ADD" || name == "COPY" || name == "VOLUME") return maybe_json(rest, Fallback::list, node);
  if (name == "RUN" || name == "CMD" || name == "ENTRYPOINT" || name == "SHELL") {
    return maybe_json(rest, Fallback::one_text, node);
  }
  if (name == "EXPOSE" || name == "FROM") {
    node.arguments = blank_separated(rest);
    return std::nullopt;
  }
  if (name == "MAINTAINER" || name == "STOPSIGNAL" || name == "USER" || name == "WORKDIR") {
    if (!rest.empty()) node.arguments.emplace_back(rest);
    return std::nullopt;
  }
  if (name == "HEALTHCHECK") return healthcheck(rest, node);
  if (name == "ONBUILD") {
    if (rest.empty()) return std::nullopt;
    if (depth >= k_trigger_limit) return LineError{"ONBUILD is nested too deeply", "", "ONBUILD"};
    return parse_line_at(rest, escape, depth + 1, node.trigger.emplace_back());
  }
  node.arguments.emplace_back();  // unknown: its arguments mean nothing
  return std::nullopt;
}

std::optional<LineError> parse_line_at(std::string_view line, char escape, int depth, Node& node) {
  node.original = line;
  const auto [keyword, rest] = cut_word(trim(line));
  node.keyword = keyword;
  auto arguments = rest.value_or(std::string_view{});
  node.flags = take_flags(arguments, escape);
  return parse_arguments(trim(arguments), escape, depth, node);
}

}  // namespace

std::optional<LineError> parse_line(std::string_view line, char escape, Node& node) {
  return parse_line_at(line, escape, 0, node);
}

}  // namespace drydock::parser::dockerfile
