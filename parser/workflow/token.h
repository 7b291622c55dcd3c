#pragma once
// Token: one value of a workflow or action file, typed as GitHub's template reader types it, with its place.
// A plain value; expressions are kept as text, nothing is evaluated here.

#include "parser/diagnostics/diagnostic.h"

#include <string>
#include <string_view>
#include <vector>

namespace drydock::parser::workflow {

/// The numbers are those of GitHub's template JSON.
enum class TokenKind { string = 0, sequence = 1, mapping = 2, expression = 3, insert = 4, boolean = 5, number = 6, null = 7 };

/// How a scalar was written; needed to find the place of something inside it.
enum class ScalarStyle { plain, single_quoted, double_quoted, literal, folded };

struct Entry;

struct Token {
  TokenKind kind = TokenKind::null;
  Range range;
  ScalarStyle style = ScalarStyle::plain;

  /// string: its value. expression: what to evaluate, without ${{ }}; text around an expression is folded in
  /// as GitHub does, "v${{ a }}" being format('v{0}', a). Other kinds: empty.
  std::string text;
  /// Scalars: the whole value as written, with ${{ }}, after YAML's own unescaping.
  std::string source;
  double number = 0;
  bool boolean = false;
  std::vector<Token> items;    // sequence
  std::vector<Entry> entries;  // mapping, in file order; a key may be an expression or an insert

  bool is_string() const { return kind == TokenKind::string; }
  bool is_expression() const { return kind == TokenKind::expression; }
  bool is_mapping() const { return kind == TokenKind::mapping; }
  bool is_sequence() const { return kind == TokenKind::sequence; }
  bool is_null() const { return kind == TokenKind::null; }
  bool is_literal() const { return kind != TokenKind::expression && kind != TokenKind::insert && items.empty() && entries.empty(); }

  /// The value below a literal key (exact, then ignoring ASCII case), or null.
  const Token* find(std::string_view key) const;

  /// A literal scalar as GitHub turns it into a string: null is "", 1.0 is "1"; an expression is "${{ … }}".
  std::string to_string() const;
};

struct Entry {
  Token key;
  Token value;
};

/// "${{ text }}" for an expression; used wherever GitHub quotes one.
std::string quoted_expression(std::string_view text);

/// A double as GitHub prints it: 15 significant digits, "1E+18", "Infinity", "NaN", "-0" as "0".
std::string number_to_string(double value);

}  // namespace drydock::parser::workflow
