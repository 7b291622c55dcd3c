#include "parser/workflow/template_scalar.h"

#include <vector>

namespace drydock::parser::workflow {

namespace {

constexpr std::string_view k_open = "${{";
constexpr std::string_view k_insert = "insert";

struct Piece {
  bool is_expression = false;
  std::string text;
};

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Unicode's other blanks, which GitHub trims too: people paste them from web pages.
constexpr std::string_view k_wide_blanks[] = {
    "\u0085", "\u00A0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006",
    "\u2007", "\u2008", "\u2009", "\u200A", "\u2028", "\u2029", "\u202F", "\u205F", "\u3000"};

std::string_view trim_once(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  for (const auto blank : k_wide_blanks) {
    if (text.starts_with(blank)) text.remove_prefix(blank.size());
    if (text.ends_with(blank)) text.remove_suffix(blank.size());
  }
  return text;
}

std::string_view trim(std::string_view text) {
  for (auto before = text.size() + 1; text.size() < before;) {
    before = text.size();
    text = trim_once(text);
  }
  return text;
}

/// One past the `}}` that closes the expression whose inside begins at `begin`; npos when there is none.
std::size_t end_of_expression(std::string_view raw, std::size_t begin) {
  bool in_string = false;
  for (auto i = begin; i < raw.size(); ++i) {
    if (raw[i] == '\'') {
      in_string = !in_string;
    } else if (!in_string && raw[i] == '}' && raw[i - 1] == '}') {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

bool is_insert(std::string_view expression) {
  return expression.starts_with(k_insert) && (expression.size() == k_insert.size() || is_blank(expression[k_insert.size()]));
}

std::size_t count_words(std::string_view text) {
  std::size_t words = 0;
  bool inside = false;
  for (const char c : text) {
    if (!is_blank(c) && !inside) ++words;
    inside = !is_blank(c);
  }
  return words;
}

/// The value of an expression that is one string literal and nothing else.
std::optional<std::string> lone_string(std::string_view expression) {
  std::string value;
  bool in_string = false;
  for (std::size_t i = 0; i < expression.size(); ++i) {
    if (expression[i] == '\'') {
      in_string = !in_string;
      if (in_string && i != 0) value += '\'';
    } else if (!in_string) {
      return std::nullopt;
    } else {
      value += expression[i];
    }
  }
  return value;
}

std::string escape_for_format(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    escaped += c;
    if (c == '\'' || c == '{' || c == '}') escaped += c;
  }
  return escaped;
}

std::string as_format(const std::vector<Piece>& pieces) {
  std::string format;
  std::string arguments;
  int index = 0;
  for (const auto& piece : pieces) {
    if (piece.is_expression) {
      format += "{" + std::to_string(index++) + "}";
      arguments += ", " + piece.text;
    } else {
      format += escape_for_format(piece.text);
    }
  }
  return "format('" + format + "'" + arguments + ")";
}

class Cutter {
 public:
  Cutter(std::string_view raw, const expression::Scope& scope) : raw_(raw), scope_(scope) {}

  std::optional<ScalarProblem> run() {
    auto open = raw_.find(k_open);
    for (std::size_t i = 0; i < raw_.size();) {
      if (open == std::string_view::npos) {
        pieces.push_back({false, std::string(raw_.substr(i))});
        break;
      }
      if (i < open) pieces.push_back({false, std::string(raw_.substr(i, open - i))});
      const auto inside = open + k_open.size();
      const auto end = end_of_expression(raw_, inside);
      if (end == std::string_view::npos) {
        return ScalarProblem{"The expression is not closed. An unescaped ${{ sequence was found, but the closing }} "
                             "sequence was not found.", open};
      }
      if (auto problem = expression(inside, raw_.substr(inside, end - 2 - inside), open != 0 || end < raw_.size())) {
        return problem;
      }
      i = end;
      open = raw_.find(k_open, i);
    }
    return std::nullopt;
  }

  std::vector<Piece> pieces;
  bool insert = false;

 private:
  std::optional<ScalarProblem> expression(std::size_t offset, std::string_view inside, bool embedded) {
    const auto text = trim(inside);
    if (text.empty()) return ScalarProblem{"An expression was expected", offset};
    const auto begin = offset + static_cast<std::size_t>(text.data() - inside.data());
    if (is_insert(text)) {
      const auto words = count_words(text.substr(k_insert.size()));
      if (words > 0) {
        return ScalarProblem{"Exactly 0 parameter(s) were expected following the directive 'insert'. Actual parameter count: " +
                             std::to_string(words), begin};
      }
      if (embedded) {
        return ScalarProblem{"The directive 'insert' is not allowed in this context. Directives are not supported for expressions "
                             "that are embedded within a string. Directives are only supported when the entire value is an "
                             "expression.", begin};
      }
      insert = true;
      return std::nullopt;
    }
    const auto ast = expression::parse(text, scope_);
    if (!ast) return ScalarProblem{ast.error().message, begin + ast.error().offset};
    pieces.push_back({true, std::string(text)});
    return std::nullopt;
  }

  std::string_view raw_;
  const expression::Scope& scope_;
};

}  // namespace

std::optional<ScalarProblem> parse_expressions(Token& token, const expression::Scope& scope) {
  if (token.kind != TokenKind::string || token.text.find(k_open) == std::string::npos) return std::nullopt;
  Cutter cutter(token.text, scope);
  if (auto problem = cutter.run()) return problem;
  if (cutter.insert) {
    token.kind = TokenKind::insert;
    token.text.clear();
    return std::nullopt;
  }
  auto& pieces = cutter.pieces;
  if (pieces.size() == 1) {
    if (auto literal = lone_string(pieces[0].text)) {
      token.text = std::move(*literal);
      return std::nullopt;
    }
    token.kind = TokenKind::expression;
    token.text = std::move(pieces[0].text);
    return std::nullopt;
  }
  auto whole = as_format(pieces);
  if (const auto ast = expression::parse(whole, scope); !ast) return ScalarProblem{ast.error().message, 0};
  token.kind = TokenKind::expression;
  token.text = std::move(whole);
  return std::nullopt;
}

}  // namespace drydock::parser::workflow
