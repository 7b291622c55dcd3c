#include "parser/expression/lexer.h"

#include <cmath>
#include <limits>

#include "parser/expression/text.h"

namespace drydock::parser::expression {

namespace {

// What a token may follow.
bool begins_operand(TokenKind last) {
  switch (last) {
    case TokenKind::none:
    case TokenKind::separator:
    case TokenKind::start_group:
    case TokenKind::start_index:
    case TokenKind::start_parameters:
      return true;
    default:
      return last >= TokenKind::negation && last <= TokenKind::logical_or;
  }
}

bool ends_accessible(TokenKind last) {
  switch (last) {
    case TokenKind::end_group:
    case TokenKind::end_index:
    case TokenKind::end_parameters:
    case TokenKind::wildcard:
    case TokenKind::property:
    case TokenKind::name:
      return true;
    default:
      return false;
  }
}

bool ends_operand(TokenKind last) {
  return ends_accessible(last) || (last >= TokenKind::null && last <= TokenKind::string);
}

bool may_follow(TokenKind kind, TokenKind last) {
  switch (kind) {
    case TokenKind::start_group:
    case TokenKind::negation:
    case TokenKind::null:
    case TokenKind::boolean:
    case TokenKind::number:
    case TokenKind::string:
    case TokenKind::function:
    case TokenKind::name:
      return begins_operand(last);
    case TokenKind::start_index:
    case TokenKind::dereference:
      return ends_accessible(last);
    case TokenKind::start_parameters:
      return last == TokenKind::function;
    case TokenKind::end_parameters:
      return last == TokenKind::start_parameters || ends_operand(last);
    case TokenKind::wildcard:
      return last == TokenKind::start_index || last == TokenKind::dereference;
    case TokenKind::property:
      return last == TokenKind::dereference;
    default:
      return ends_operand(last);
  }
}

bool is_boundary(char32_t c) {
  switch (c) {
    case '(':
    case '[':
    case ')':
    case ']':
    case ',':
    case '.':
    case '!':
    case '>':
    case '<':
    case '=':
    case '&':
    case '|':
      return true;
    default:
      return is_white_space(c);
  }
}

}  // namespace

bool is_operator(TokenKind kind) {
  return kind >= TokenKind::start_group && kind <= TokenKind::logical_or && kind != TokenKind::wildcard;
}

// Where the word beginning at `from` ends; its first character always belongs to it.
std::size_t Lexer::boundary(std::size_t from, bool through_dots) const {
  std::size_t at = from;
  next_code_point(text_, at);
  while (at < text_.size()) {
    std::size_t after = at;
    const char32_t c = next_code_point(text_, after);
    if (is_boundary(c) && !(through_dots && c == '.')) break;
    at = after;
  }
  return at;
}

bool Lexer::closes(TokenKind kind) {
  const TokenKind opener = kind == TokenKind::end_group   ? TokenKind::start_group
                           : kind == TokenKind::end_index ? TokenKind::start_index
                                                          : TokenKind::start_parameters;
  if (unclosed_.empty() || unclosed_.back() != opener) return false;
  if (kind != TokenKind::separator) unclosed_.pop_back();
  return true;
}

Token Lexer::make(TokenKind kind, std::size_t end, Value value) {
  Token token{kind, static_cast<std::uint32_t>(at_), static_cast<std::uint32_t>(end - at_), std::move(value)};
  at_ = end;
  if (kind == TokenKind::malformed) return token;
  bool legal = may_follow(kind, last_);
  switch (kind) {
    case TokenKind::start_group:
    case TokenKind::start_index:
    case TokenKind::start_parameters:
      if (legal) unclosed_.push_back(kind);
      break;
    case TokenKind::end_group:
    case TokenKind::end_index:
    case TokenKind::end_parameters:
    case TokenKind::separator:
      legal = legal && closes(kind);
      break;
    default:
      break;
  }
  // Within brackets a star stands alone.
  if (last_ == TokenKind::wildcard && star_in_brackets_ && kind != TokenKind::end_index) legal = false;
  star_in_brackets_ = kind == TokenKind::wildcard && last_ == TokenKind::start_index;
  if (!legal) token.kind = TokenKind::misplaced;
  last_ = token.kind;
  return token;
}

Token Lexer::next() {
  while (at_ < text_.size()) {
    std::size_t after = at_;
    if (!is_white_space(next_code_point(text_, after))) break;
    at_ = after;
  }
  if (at_ >= text_.size()) return {TokenKind::none, static_cast<std::uint32_t>(at_), 0, {}};
  const std::size_t one = at_ + 1;
  switch (const char c = text_[at_]) {
    case '(':
      return make(last_ == TokenKind::function ? TokenKind::start_parameters : TokenKind::start_group, one);
    case '[':
      return make(TokenKind::start_index, one);
    case ')': {
      const bool call = !unclosed_.empty() && unclosed_.back() == TokenKind::start_parameters;
      return make(call ? TokenKind::end_parameters : TokenKind::end_group, one);
    }
    case ']':
      return make(TokenKind::end_index, one);
    case ',':
      return make(TokenKind::separator, one);
    case '*':
      return make(TokenKind::wildcard, one);
    case '\'':
      return read_string();
    case '!':
    case '>':
    case '<':
    case '=':
    case '&':
    case '|':
      return read_operator();
    case '.':
      return begins_operand(last_) ? read_number() : make(TokenKind::dereference, one);
    default:
      return c == '-' || c == '+' || (c >= '0' && c <= '9') ? read_number() : read_word();
  }
}

Token Lexer::read_number() {
  const auto end = boundary(at_, true);
  const double number = parse_number(text_.substr(at_, end - at_));
  if (std::isnan(number)) return make(TokenKind::malformed, end);
  return make(TokenKind::number, end, number);
}

TokenKind Lexer::word_kind(std::string_view word, std::size_t end) const {
  if (!is_keyword(word)) return TokenKind::malformed;
  if (last_ == TokenKind::dereference) return TokenKind::property;
  if (word == "null") return TokenKind::null;
  if (word == "true" || word == "false") return TokenKind::boolean;
  if (word == "NaN" || word == "Infinity") return TokenKind::number;
  while (end < text_.size()) {
    std::size_t after = end;
    if (!is_white_space(next_code_point(text_, after))) break;
    end = after;
  }
  return end < text_.size() && text_[end] == '(' ? TokenKind::function : TokenKind::name;
}

Token Lexer::read_word() {
  const auto end = boundary(at_, false);
  const auto word = text_.substr(at_, end - at_);
  const auto kind = word_kind(word, end);
  if (kind == TokenKind::boolean) return make(kind, end, word == "true");
  if (kind != TokenKind::number) return make(kind, end);
  using Limits = std::numeric_limits<double>;
  return make(kind, end, word == "NaN" ? Limits::quiet_NaN() : Limits::infinity());
}

Token Lexer::read_string() {
  std::string content;
  std::size_t at = at_ + 1;
  while (at < text_.size()) {
    const auto quote = text_.find('\'', at);
    if (quote == std::string_view::npos) break;
    content += text_.substr(at, quote - at);
    if (quote + 1 >= text_.size() || text_[quote + 1] != '\'') {
      return make(TokenKind::string, quote + 1, std::move(content));
    }
    content += '\'';
    at = quote + 2;
  }
  return make(TokenKind::malformed, text_.size());
}

Token Lexer::read_operator() {
  const auto two = text_.substr(at_, 2);
  if (two == "!=") return make(TokenKind::not_equal, at_ + 2);
  if (two == ">=") return make(TokenKind::greater_equal, at_ + 2);
  if (two == "<=") return make(TokenKind::less_equal, at_ + 2);
  if (two == "==") return make(TokenKind::equal, at_ + 2);
  if (two == "&&") return make(TokenKind::logical_and, at_ + 2);
  if (two == "||") return make(TokenKind::logical_or, at_ + 2);
  switch (text_[at_]) {
    case '!':
      return make(TokenKind::negation, at_ + 1);
    case '>':
      return make(TokenKind::greater, at_ + 1);
    case '<':
      return make(TokenKind::less, at_ + 1);
    default:
      return make(TokenKind::malformed, boundary(at_, false));
  }
}

}  // namespace drydock::parser::expression
