#pragma once
// Tokens of an expression, one at a time, each checked against the one before it as GitHub's reader does.
// Works on a text that must outlive it. Not thread-safe.

#include <cstdint>
#include <string_view>
#include <vector>

#include "parser/expression/error.h"
#include "parser/expression/value.h"

namespace drydock::parser::expression {

enum class TokenKind : std::uint8_t {
  none,
  start_group,
  start_index,
  start_parameters,
  end_group,
  end_index,
  end_parameters,
  separator,
  dereference,
  wildcard,
  negation,
  less,
  less_equal,
  greater,
  greater_equal,
  equal,
  not_equal,
  logical_and,
  logical_or,
  null,
  boolean,
  number,
  string,
  property,
  function,
  name,
  malformed,  // no token at all: phase lexing
  misplaced,  // a token that cannot stand here: phase parsing
};

struct Token {
  TokenKind kind = TokenKind::none;
  std::uint32_t offset = 0;  // bytes
  std::uint32_t length = 0;
  Value value;  // of literals
};

bool is_operator(TokenKind kind);  // anything but operands and wildcard

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  /// The next token; kind none at the end.
  Token next();
  bool has_unclosed() const { return !unclosed_.empty(); }

 private:
  std::size_t boundary(std::size_t from, bool through_dots) const;
  Token make(TokenKind kind, std::size_t end, Value value = {});
  Token read_number();
  Token read_word();
  Token read_string();
  Token read_operator();
  TokenKind word_kind(std::string_view word, std::size_t end) const;
  bool closes(TokenKind kind);

  std::string_view text_;
  std::size_t at_ = 0;
  TokenKind last_ = TokenKind::none;
  bool star_in_brackets_ = false;  // the last token is the * of [*]
  std::vector<TokenKind> unclosed_;
};

}  // namespace drydock::parser::expression
