#include "parser/lint/expression_rule.h"

#include "parser/expression/template_string.h"
#include "parser/lint/known_contexts.h"
#include "parser/lint/type_check.h"
#include "parser/lint/untrusted.h"

namespace drydock::parser::lint {

namespace {

constexpr std::string_view k_rule = "expression";
constexpr std::string_view k_open = "${{";

/// The `}}` that ends an expression whose inside begins at `begin`; one in a string does not.
std::size_t closing(std::string_view text, std::size_t begin) {
  bool in_string = false;
  for (auto i = begin; i + 1 < text.size(); ++i) {
    if (text[i] == '\'') in_string = !in_string;
    if (!in_string && text[i] == '}' && text[i + 1] == '}') return i;
  }
  return std::string_view::npos;
}

bool is_structure(const Type& type) {
  return type.kind == Kind::object || type.kind == Kind::array || type.kind == Kind::null;
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

const expression::Availability* availability(std::string_view key) {
  return key.empty() ? nullptr : expression::availability_of(key);
}

}  // namespace

ExpressionRule::ExpressionRule(LintContext& context) : context_(context), contexts_(known_contexts()) {}

void ExpressionRule::report(const Token& token, std::size_t offset, std::string message, std::string mend) {
  context_.report(k_rule, context_.place_in(token, offset), std::move(message), std::move(mend));
}

/// Checks one expression; null when it cannot be read.
TypePtr ExpressionRule::checked(const Token& token, std::string_view text, std::size_t offset,
                                std::string_view key, Script script) {
  const auto inside = trim(text);
  const auto begin = offset + (inside.empty() ? 0 : static_cast<std::size_t>(inside.data() - text.data()));
  if (inside.empty()) {
    report(token, offset + text.size(), "an expression is missing between ${{ and }}");
    return nullptr;
  }
  static const auto k_any = expression::Scope::any();
  const auto ast = expression::parse(inside, k_any);
  if (!ast) {
    const auto& error = ast.error();
    // What is missing at the end is shown at the end, not at the last word that is there.
    const bool at_end = error.reason.starts_with("Unexpected end of expression");
    const auto at = at_end ? offset + text.size() : begin + std::min(error.offset, inside.size());
    const bool double_quote = error.offset < inside.size() && inside[error.offset] == '"';
    report(token, at, error.reason.empty() ? error.message : error.reason,
           double_quote ? "strings stand in single quotes" : "");
    return nullptr;
  }
  TypeCheck check(*ast, contexts_, availability(key));
  auto type = check.run();
  for (const auto& problem : check.problems())
    report(token, begin + problem.offset, problem.message, problem.mend);
  if (script == Script::no) return type;
  for (const auto& read : untrusted_reads(*ast)) {
    context_.report("script-injection", context_.place_in(token, begin + read.offset),
                    quoted_list(read.paths) + " may be written by anybody and becomes part of this script",
                    "pass it through a variable: env: TITLE: ${{ … }}, then \"$TITLE\" in the script");
  }
  return type;
}

std::optional<std::vector<ExpressionRule::Typed>> ExpressionRule::expressions(const Token& token,
                                                                              std::string_view key,
                                                                              Script script) {
  std::vector<Typed> found;
  const std::string_view value = token.source;
  for (auto open = value.find(k_open); open != std::string_view::npos; open = value.find(k_open, open)) {
    const auto begin = open + k_open.size();
    const auto end = closing(value, begin);
    if (end == std::string_view::npos) {
      report(token, open, "this ${{ has no }}");
      return std::nullopt;
    }
    auto type = checked(token, value.substr(begin, end - begin), begin, key, script);
    if (!type) return std::nullopt;
    found.push_back({std::move(type), open});
    open = end + 2;
  }
  return found;
}

void ExpressionRule::text(const Token& token, std::string_view key, Script script) {
  const auto found = expressions(token, key, script);
  if (!found) return;
  for (const auto& [type, offset] : *found) {
    if (!is_structure(*type)) continue;
    report(token, offset, "a value of type " + to_text(*type) + " has no useful text",
           "take one of its parts, or use toJSON()");
  }
}

void ExpressionRule::text(const std::optional<Token>& token, std::string_view key, Script script) {
  if (token) text(*token, key, script);
}

/// The type of a value that is one expression; any when it is not.
TypePtr ExpressionRule::whole(const Token& token, std::string_view key) {
  const auto found = expressions(token, key);
  if (!found || found->size() != 1) return found && !found->empty() ? string_type() : any_type();
  const auto written = trim(token.source);
  const bool alone = written.starts_with(k_open) && written.ends_with("}}");
  return alone ? found->front().type : string_type();
}

void ExpressionRule::typed(const std::optional<Token>& token, std::string_view key, Kind kind,
                           std::string_view what) {
  if (!token || token->source.find(k_open) == std::string::npos) return;
  const auto type = whole(*token, key);
  if (type->kind == kind || type->kind == Kind::any) return;
  Type wanted;
  wanted.kind = kind;
  const auto name = kind == Kind::object ? "object" : kind == Kind::array ? "array" : to_text(wanted);
  context_.report(k_rule, token->range.start,
                  "\"" + std::string(what) + "\" must be of type " + name +
                      ", but this expression is of type " + to_text(*type));
}

/// A mapping of texts, or one expression for all of it.
void ExpressionRule::texts(const std::optional<Token>& token, std::string_view key) {
  if (!token) return;
  if (!token->is_mapping()) return typed(token, key, Kind::object, "env");
  for (const auto& [name, value] : token->entries) {
    text(name, key);
    text(value, key);
  }
}

/// Every string below, of a value whose structure does not matter.
void ExpressionRule::tree(const Token& token, std::string_view key) {
  (void)expressions(token, key);
  for (const auto& item : token.items) tree(item, key);
  for (const auto& entry : token.entries) tree(entry.value, key);
}

void ExpressionRule::condition(const std::optional<Token>& token, std::string_view key) {
  if (!token || trim(token->source).empty()) return;
  if (token->source.find(k_open) != std::string::npos) {
    (void)expressions(*token, key);
  } else {
    checked(*token, token->source, 0, key, Script::no);
  }
}

void check_expressions(LintContext& context) {
  ExpressionRule(context).run();
}

}  // namespace drydock::parser::lint
