#pragma once
// Template strings: "text ${{ expression }} text" as segments, and the rule of `if:`.
// A string that is one `${{ }}` alone keeps its value's type; mixed ones become text, as GitHub's format()
// does. Pure values; offsets are bytes in the given text.

#include <string>
#include <string_view>
#include <vector>

#include "parser/expression/expression.h"

namespace drydock::parser::expression {

struct Segment {
  enum class Form : std::uint8_t { literal, expression } form = Form::literal;
  std::string text;        // literal text, or what is between ${{ and }} with its blanks
  std::size_t offset = 0;  // of that text (after the `${{`)
  Ast ast;                 // of an expression, when parsed
};

/// True when the text has a `${{`.
bool has_expression(std::string_view text);

/// Cuts only. Error: a `${{` without its `}}` (a `}}` in a quoted string does not count).
Checked<std::vector<Segment>> split_template(std::string_view text);

class TemplateString {
 public:
  const std::vector<Segment>& segments() const { return segments_; }
  /// No expression at all.
  bool is_literal() const;
  /// One `${{ }}` and nothing else: the value keeps its type.
  bool is_single_expression() const;
  /// "github.ref", or "format('v{0}-{1}', a, b)" for mixed text; a quoted string for literals.
  std::string to_expression() const;

 private:
  friend Checked<TemplateString> parse_template(std::string_view text, const Scope& scope);
  friend Checked<TemplateString> parse_written_condition(std::string_view text, const Scope& scope);
  std::vector<Segment> segments_;
};

/// Splits and parses each expression; the error's offset counts from the beginning of `text`.
/// An expression of blanks alone is an error ("An expression was expected").
Checked<TemplateString> parse_template(std::string_view text, const Scope& scope);

/// Error offsets count from the beginning of the template's text.
Checked<Value> evaluate(const TemplateString& text, const Context& context);

/// An `if:`. Text without `${{ }}` is an expression as it stands; without a call of a status function it
/// means `success() && (…)`; an empty one means `success()`.
struct Condition {
  std::string expression;        // the whole rule applied: "success() && (github.ref == 'x')"
  Ast ast;                       // of that
  TemplateString written;        // as written, for places and reads; one expression segment when bare
  bool implies_success = false;  // success() was added
};

/// `if:` text as a template: one expression when it has no `${{ }}`.
Checked<TemplateString> parse_written_condition(std::string_view text, const Scope& scope);

Checked<Condition> parse_condition(std::string_view text, const Scope& scope);

}  // namespace drydock::parser::expression
