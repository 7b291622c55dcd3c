#include "parser/expression/template_string.h"

#include "parser/expression/text.h"

namespace drydock::parser::expression {

namespace {

constexpr std::string_view k_open = "${{";
constexpr std::string_view k_close = "}}";

ExpressionError template_error(std::string message, std::size_t offset, std::size_t length) {
  return {Phase::parsing, message, message, offset, length};
}

// Where the `}}` of an expression beginning at `begin` is; quotes are toggled, so that '' is passed over as
// well.
std::size_t find_close(std::string_view text, std::size_t begin) {
  bool quoted = false;
  for (std::size_t at = begin; at < text.size(); ++at) {
    if (text[at] == '\'') {
      quoted = !quoted;
    } else if (!quoted && text.substr(at, k_close.size()) == k_close) {
      return at;
    }
  }
  return std::string_view::npos;
}

std::string quoted_format(std::string_view literal) {
  std::string text;
  for (const char c : literal) {
    text += c;
    if (c == '\'' || c == '{' || c == '}') text += c;
  }
  return text;
}

std::string quote_literal(std::string_view literal) {
  std::string text = "'";
  for (const char c : literal) {
    text += c;
    if (c == '\'') text += c;
  }
  return text + "'";
}

// An expression segment of `text` where the trimmed inside begins.
std::size_t inside_offset(const Segment& segment, std::string_view trimmed) {
  return segment.offset + static_cast<std::size_t>(trimmed.data() - segment.text.data());
}

}  // namespace

bool has_expression(std::string_view text) {
  return text.find(k_open) != std::string_view::npos;
}

Checked<std::vector<Segment>> split_template(std::string_view text) {
  std::vector<Segment> segments;
  for (std::size_t at = 0; at < text.size();) {
    const auto open = text.find(k_open, at);
    if (open != at) {
      segments.push_back({Segment::Form::literal, std::string(text.substr(at, open - at)), at, {}});
      if (open == std::string_view::npos) break;
    }
    const auto inside = open + k_open.size();
    const auto close = find_close(text, inside);
    if (close == std::string_view::npos) {
      return template_error(
          "The expression is not closed. An unescaped ${{ sequence was found, but the closing }} sequence "
          "was not found.",
          open, text.size() - open);
    }
    segments.push_back(
        {Segment::Form::expression, std::string(text.substr(inside, close - inside)), inside, {}});
    at = close + k_close.size();
  }
  return segments;
}

bool TemplateString::is_literal() const {
  return segments_.empty() || (segments_.size() == 1 && segments_[0].form == Segment::Form::literal);
}

bool TemplateString::is_single_expression() const {
  return segments_.size() == 1 && segments_[0].form == Segment::Form::expression;
}

std::string TemplateString::to_expression() const {
  if (segments_.empty()) return "''";
  if (is_literal()) return quote_literal(segments_[0].text);
  if (is_single_expression()) return segments_[0].ast.text();
  std::string format, arguments;
  std::size_t count = 0;
  for (const auto& segment : segments_) {
    if (segment.form == Segment::Form::literal) {
      format += quoted_format(segment.text);
    } else {
      format += "{" + std::to_string(count++) + "}";
      arguments += ", " + segment.ast.text();
    }
  }
  return "format('" + format + "'" + arguments + ")";
}

Checked<TemplateString> parse_template(std::string_view text, const Scope& scope) {
  auto split = split_template(text);
  if (!split) return std::move(split).error();
  TemplateString result;
  result.segments_ = std::move(split).value();
  for (auto& segment : result.segments_) {
    if (segment.form == Segment::Form::literal) continue;
    const auto trimmed = trim(segment.text);
    if (trimmed.empty()) {
      return template_error("An expression was expected", segment.offset - k_open.size(),
                            segment.text.size() + k_open.size() + k_close.size());
    }
    auto ast = parse(trimmed, scope);
    if (!ast) {
      ExpressionError error = std::move(ast).error();
      error.offset += inside_offset(segment, trimmed);
      return error;
    }
    segment.ast = std::move(ast).value();
  }
  return result;
}

Checked<Value> evaluate(const TemplateString& text, const Context& context) {
  if (text.segments().empty()) return Value("");
  std::string joined;
  std::vector<Value> unknown;
  for (const auto& segment : text.segments()) {
    if (segment.form == Segment::Form::literal) {
      joined += segment.text;
      continue;
    }
    auto value = evaluate(segment.ast, context);
    if (!value) {
      ExpressionError error = std::move(value).error();
      error.offset += inside_offset(segment, trim(segment.text));
      return error;
    }
    if (text.is_single_expression()) return value;
    if (value->is_unknown()) {
      unknown.push_back(*value);
    } else {
      joined += value->to_string();
    }
    if (joined.size() > context.memory_limit())
      return evaluation_error("The maximum allowed memory size was exceeded");
  }
  if (!unknown.empty()) return Value::unknown_from(unknown);
  return Value(std::move(joined));
}

// Text without `${{ }}` is an expression as it stands.
Checked<TemplateString> parse_written_condition(std::string_view text, const Scope& scope) {
  if (has_expression(text)) return parse_template(text, scope);
  const auto trimmed = trim(text);
  const auto offset = static_cast<std::size_t>(trimmed.data() - text.data());
  auto ast = parse(trimmed, scope);
  if (!ast) {
    ExpressionError error = std::move(ast).error();
    error.offset += offset;
    return error;
  }
  TemplateString written;
  written.segments_.push_back(
      {Segment::Form::expression, std::string(trimmed), offset, std::move(ast).value()});
  return written;
}

Checked<Condition> parse_condition(std::string_view text, const Scope& scope) {
  Condition condition;
  std::string rule;
  if (trim(text).empty()) {
    condition.implies_success = true;
    rule = "success()";
  } else {
    auto written = parse_written_condition(text, scope);
    if (!written) return std::move(written).error();
    condition.written = std::move(written).value();
    rule = condition.written.to_expression();
    bool status = false;
    for (const auto& segment : condition.written.segments())
      status = status || calls_status_function(segment.ast);
    if (!status) {
      condition.implies_success = true;
      rule = "success() && (" + rule + ")";
    }
  }
  Scope with_status = scope;
  if (!scope.knows_function("success")) with_status.add_status_functions();
  auto ast = parse(rule, with_status);
  if (!ast) return std::move(ast).error();
  condition.ast = std::move(ast).value();
  condition.expression = std::move(rule);
  return condition;
}

}  // namespace drydock::parser::expression
