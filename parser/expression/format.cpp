// format(): the string is read first, whole; then only the arguments that it names are evaluated, once each.

#include "parser/expression/evaluator.h"

namespace drydock::parser::expression {

namespace {

struct Piece {
  std::string text;  // literal, or the specifiers of an argument
  std::optional<std::size_t> argument;
};

struct Reading {
  enum class Problem { none, invalid, too_few_arguments } problem = Problem::none;
  std::vector<Piece> pieces;
};

// "{12" at `at`: the number, and `at` behind it. Numbers beyond 255 are refused.
std::optional<std::size_t> read_number(std::string_view format, std::size_t& at) {
  constexpr std::size_t k_most = 255;
  const std::size_t begin = at;
  std::size_t number = 0;
  for (; at < format.size() && format[at] >= '0' && format[at] <= '9'; ++at) {
    number = number * 10 + static_cast<std::size_t>(format[at] - '0');
    if (number > k_most) return std::nullopt;
  }
  return at == begin ? std::nullopt : std::optional(number);
}

// ":specifiers}" or "}" at `at`, which moves behind the brace; "}}" stands for a brace within specifiers.
std::optional<std::string> read_specifiers(std::string_view format, std::size_t& at) {
  std::string specifiers;
  if (at < format.size() && format[at] == '}') {
    ++at;
    return specifiers;
  }
  if (at >= format.size() || format[at] != ':') return std::nullopt;
  for (++at; at < format.size(); ++at) {
    if (format[at] == '}') {
      if (at + 1 >= format.size() || format[at + 1] != '}') {
        ++at;
        return specifiers;
      }
      ++at;
    }
    specifiers += format[at];
  }
  return std::nullopt;
}

Reading read_format(std::string_view format, std::size_t argument_count) {
  Reading reading;
  std::string literal;
  for (std::size_t at = 0; at < format.size();) {
    const auto brace = format.find_first_of("{}", at);
    literal += format.substr(at, brace - at);
    if (brace == std::string_view::npos) break;
    at = brace + 1;
    if (at < format.size() && format[at] == format[brace]) {
      literal += format[brace];
      ++at;
      continue;
    }
    if (format[brace] == '}') return {Reading::Problem::invalid, {}};
    const auto number = read_number(format, at);
    auto specifiers = number ? read_specifiers(format, at) : std::nullopt;
    if (!specifiers) return {Reading::Problem::invalid, {}};
    if (*number >= argument_count) return {Reading::Problem::too_few_arguments, {}};
    if (!literal.empty()) reading.pieces.push_back({std::move(literal), std::nullopt});
    literal.clear();
    reading.pieces.push_back({*std::move(specifiers), number});
  }
  if (!literal.empty()) reading.pieces.push_back({std::move(literal), std::nullopt});
  return reading;
}

}  // namespace

Value Evaluator::format(NodeId id, int level) {
  const Value format = argument(id, 0, level);
  if (failed()) return {};
  if (format.is_unknown()) return Value::unknown_from({format});
  const std::string text = format.to_string();
  const std::size_t count = ast_.children(id).size() - 1;
  const Reading reading = read_format(text, count);
  if (reading.problem == Reading::Problem::invalid)
    return fail(id, "The following format string is invalid: " + text);
  if (reading.problem == Reading::Problem::too_few_arguments) {
    return fail(id, "The following format string references more arguments than were supplied: " + text);
  }

  std::vector<std::optional<Value>> arguments(count);
  std::vector<Value> unknown;
  std::string result;
  std::size_t bytes = 0;
  for (const auto& piece : reading.pieces) {
    std::string shown = piece.text;
    if (piece.argument) {
      auto& value = arguments[*piece.argument];
      if (!value) value = argument(id, *piece.argument + 1, level);
      if (failed()) return {};
      if (!piece.text.empty()) {
        return fail(id, "The format specifiers '" + piece.text + "' are not valid for objects of type '" +
                            std::string(name_of(value->kind())) + "'");
      }
      if (value->is_unknown()) unknown.push_back(*value);
      shown = value->is_unknown() ? "" : value->to_string();
    }
    bytes += memory_of(shown);
    if (memory_.would_exceed(bytes)) return exceeded();
    result += shown;
  }
  if (!unknown.empty()) return Value::unknown_from(unknown);
  return result;
}

}  // namespace drydock::parser::expression
