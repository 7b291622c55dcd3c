// Operator-precedence parsing with explicit stacks: the depth of the text costs no stack, and errors come in
// the order of the tokens, as GitHub's reader gives them.

#include <algorithm>
#include <utility>

#include "parser/expression/built_in.h"
#include "parser/expression/expression.h"
#include "parser/expression/lexer.h"
#include "parser/expression/text.h"

namespace drydock::parser::expression {

namespace {

int precedence_of(TokenKind kind) {
  switch (kind) {
    case TokenKind::start_group:
      return 20;
    case TokenKind::start_index:
    case TokenKind::start_parameters:
    case TokenKind::dereference:
      return 19;
    case TokenKind::negation:
      return 16;
    case TokenKind::less:
    case TokenKind::less_equal:
    case TokenKind::greater:
    case TokenKind::greater_equal:
      return 11;
    case TokenKind::equal:
    case TokenKind::not_equal:
      return 10;
    case TokenKind::logical_and:
      return 6;
    case TokenKind::logical_or:
      return 5;
    default:
      return 1;
  }
}

bool binds_left(TokenKind kind) {
  return kind != TokenKind::start_group && kind != TokenKind::negation;
}

bool opens(TokenKind kind) {
  return kind == TokenKind::start_group || kind == TokenKind::start_index ||
         kind == TokenKind::start_parameters;
}

Operator operator_of(TokenKind kind) {
  switch (kind) {
    case TokenKind::equal:
      return Operator::equal;
    case TokenKind::not_equal:
      return Operator::not_equal;
    case TokenKind::less:
      return Operator::less;
    case TokenKind::less_equal:
      return Operator::less_equal;
    case TokenKind::greater:
      return Operator::greater;
    case TokenKind::greater_equal:
      return Operator::greater_equal;
    case TokenKind::logical_and:
      return Operator::logical_and;
    case TokenKind::logical_or:
      return Operator::logical_or;
    default:
      return Operator::none;
  }
}

ExpressionError error_at(Phase phase, std::string_view what, const Token& token, std::string_view text) {
  const auto raw = text.substr(token.offset, token.length);
  std::string reason = std::string(what) + ": '" + std::string(raw) + "'";
  const auto position = utf16_length(text.substr(0, token.offset)) + 1;
  std::string message = reason + ". Located at position " + std::to_string(position) +
                        " within expression: " + std::string(text);
  return {phase, std::move(message), std::move(reason), token.offset, token.length};
}

ExpressionError error_of_whole(Phase phase, std::string reason, std::string_view text) {
  return {phase, reason, reason, 0, text.size()};
}

}  // namespace

class Parser {
 public:
  Parser(std::string_view text, const Scope& scope) : scope_(scope), lexer_(text) {
    ast_.text_ = text;
    ast_.nodes_.reserve(16);
    extents_.reserve(16);
  }

  Checked<Ast> parse() {
    const std::string_view text = ast_.text_;
    lexer_ = Lexer(text);
    while (true) {
      Token token = lexer_.next();
      if (token.kind == TokenKind::none) break;
      if (token.kind == TokenKind::malformed)
        return error_at(Phase::lexing, "Unexpected symbol", token, text);
      if (token.kind == TokenKind::misplaced)
        return error_at(Phase::parsing, "Unexpected symbol", token, text);
      if (is_operator(token.kind)) {
        push_operator(token);
      } else {
        push_operand(token);
      }
      if (problem_) return *std::move(problem_);
      last_ = std::move(token);
    }
    if (last_.kind == TokenKind::none) return std::move(ast_);
    const bool closed = last_.kind == TokenKind::end_group || last_.kind == TokenKind::end_index ||
                        last_.kind == TokenKind::end_parameters;
    if (lexer_.has_unclosed() || last_.kind == TokenKind::function || (is_operator(last_.kind) && !closed)) {
      return error_at(Phase::parsing, "Unexpected end of expression", last_, text);
    }
    while (!operators_.empty()) flush_top();
    ast_.root_ = operands_.back();
    if (extents_[ast_.root_].height > k_max_depth) {
      return error_of_whole(Phase::parsing, "Exceeded max expression depth " + std::to_string(k_max_depth),
                            text);
    }
    lay_out_logical();
    return std::move(ast_);
  }

 private:
  struct Extent {
    std::uint32_t begin;
    std::uint32_t end;
    int height;
  };

  NodeId add(Node node, Extent extent) {
    ast_.nodes_.push_back(node);
    extents_.push_back(extent);
    return static_cast<NodeId>(ast_.nodes_.size() - 1);
  }

  NodeId add_leaf(NodeKind kind, const Token& token) {
    Node node{.kind = kind, .offset = token.offset, .length = token.length};
    if (kind == NodeKind::literal) node.detail = static_cast<std::uint32_t>(ast_.literals_.size());
    return add(node, {token.offset, token.offset + token.length, 1});
  }

  void push_operand(const Token& token) {
    const auto spelling = std::string_view(ast_.text_).substr(token.offset, token.length);
    NodeKind kind = NodeKind::literal;
    if (token.kind == TokenKind::function) {
      kind = NodeKind::call;
      if (!scope_.knows_function(spelling)) return fail("Unrecognized function", token);
    } else if (token.kind == TokenKind::name) {
      kind = NodeKind::name;
      if (!scope_.knows_name(spelling)) return fail("Unrecognized named-value", token);
    } else if (token.kind == TokenKind::wildcard) {
      kind = NodeKind::star;
    }
    operands_.push_back(add_leaf(kind, token));
    if (kind == NodeKind::call) ast_.nodes_.back().detail = static_cast<std::uint32_t>(built_in_of(spelling));
    if (kind == NodeKind::literal) {
      ast_.literals_.push_back(token.kind == TokenKind::property ? Value(spelling) : token.value);
    }
  }

  void push_operator(const Token& token) {
    if (binds_left(token.kind)) {
      const int precedence = precedence_of(token.kind);
      while (!operators_.empty()) {
        const auto top = operators_.back().kind;
        if (precedence > precedence_of(top) || opens(top) || top == TokenKind::separator) break;
        flush_top();
      }
    }
    switch (token.kind) {
      case TokenKind::end_group:
        operators_.pop_back();
        return;
      case TokenKind::end_index: {
        operators_.pop_back();
        const auto parts = pop_operands(2);
        add_index(parts[0], parts[1], token.offset + token.length, false);
        return;
      }
      case TokenKind::end_parameters:
        return finish_call(token);
      default:
        operators_.push_back(token);
    }
  }

  std::vector<NodeId> pop_operands(std::size_t count) {
    std::vector<NodeId> popped(operands_.end() - static_cast<std::ptrdiff_t>(count), operands_.end());
    operands_.resize(operands_.size() - count);
    return popped;
  }

  void set_children(Node& node, std::span<const NodeId> children) {
    node.first_child = static_cast<std::uint32_t>(ast_.children_.size());
    node.child_count = static_cast<std::uint32_t>(children.size());
    ast_.children_.insert(ast_.children_.end(), children.begin(), children.end());
  }

  void add_index(NodeId object, NodeId index, std::uint32_t end, bool dotted) {
    const auto begin = extents_[object].begin;
    Node node{.kind = NodeKind::index, .dotted = dotted, .offset = begin, .length = end - begin};
    const NodeId children[] = {object, index};
    set_children(node, children);
    operands_.push_back(
        add(node, {begin, end, 1 + std::max(extents_[object].height, extents_[index].height)}));
  }

  void finish_call(const Token& end) {
    std::size_t count = last_.kind == TokenKind::start_parameters ? 0 : 1;
    for (; operators_.back().kind == TokenKind::separator; operators_.pop_back()) ++count;
    operators_.pop_back();
    const auto arguments = pop_operands(count);
    const NodeId id = operands_.back();
    set_children(ast_.nodes_[id], arguments);
    auto& extent = extents_[id];
    extent.end = end.offset + end.length;
    for (const auto argument : arguments)
      extent.height = std::max(extent.height, 1 + extents_[argument].height);
    check_arity(ast_.nodes_[id]);
  }

  void check_arity(const Node& call) {
    const Token token{TokenKind::function, call.offset, call.length, {}};
    const auto name = std::string_view(ast_.text_).substr(call.offset, call.length);
    const auto arity = scope_.arity(name);
    if (!arity) return;
    const int count = static_cast<int>(call.child_count);
    if (count < arity->least) return fail("Too few parameters supplied", token);
    if (count > arity->most) return fail("Too many parameters supplied", token);
    if (count % 2 == 0 && ascii_lower(name) == "case") {
      fail("Even number of parameters supplied, requires an odd number of parameters", token);
    }
  }

  void flush_top() {
    const Token token = std::move(operators_.back());
    operators_.pop_back();
    if (token.kind == TokenKind::dereference) {
      const auto parts = pop_operands(2);
      return add_index(parts[0], parts[1], extents_[parts[1]].end, true);
    }
    const auto parts = pop_operands(token.kind == TokenKind::negation ? 1 : 2);
    Node node{.kind = NodeKind::negation,
              .op = operator_of(token.kind),
              .offset = token.offset,
              .length = token.length};
    int height = extents_[parts[0]].height;
    if (parts.size() == 2) height = std::max(height, extents_[parts[1]].height);
    Extent extent{std::min(token.offset, extents_[parts.front()].begin), extents_[parts.back()].end,
                  1 + height};
    if (token.kind == TokenKind::logical_and || token.kind == TokenKind::logical_or) {
      add_logical(node, extent, parts);
      return;
    }
    if (token.kind != TokenKind::negation) node.kind = NodeKind::binary;
    set_children(node, parts);
    operands_.push_back(add(node, extent));
  }

  // `a && b && (c && d)` is one node, as in GitHub's reader: the limit of the depth depends on it.
  void add_logical(Node node, Extent extent, std::span<const NodeId> parts) {
    node.kind = NodeKind::logical;
    node.detail = static_cast<std::uint32_t>(logical_.size());
    std::vector<NodeId> children;
    int height = 0;
    for (const NodeId part : parts) {
      const Node& operand = ast_.nodes_[part];
      if (operand.kind != NodeKind::logical || operand.op != node.op) {
        children.push_back(part);
        height = std::max(height, extents_[part].height);
        continue;
      }
      auto& nested = logical_[operand.detail];
      height = std::max(height, extents_[part].height - 1);
      if (children.empty()) {
        children = std::move(nested);
      } else {
        children.insert(children.end(), nested.begin(), nested.end());
      }
    }
    extent.height = 1 + height;
    logical_.push_back(std::move(children));
    operands_.push_back(add(node, extent));
  }

  void lay_out_logical() {
    for (auto& node : ast_.nodes_) {
      if (node.kind == NodeKind::logical) set_children(node, logical_[node.detail]);
    }
  }

  void fail(std::string_view what, const Token& token) {
    problem_ = error_at(Phase::parsing, what, token, ast_.text_);
  }

  const Scope& scope_;
  Ast ast_;
  Lexer lexer_;
  Token last_;
  std::vector<Token> operators_;
  std::vector<NodeId> operands_;
  std::vector<Extent> extents_;               // of each node
  std::vector<std::vector<NodeId>> logical_;  // children of && and ||, until they are complete
  std::optional<ExpressionError> problem_;
};

Checked<Ast> parse(std::string_view text, const Scope& scope) {
  if (text.size() > k_max_length && utf16_length(text) > k_max_length) {
    return error_of_whole(Phase::lexing, "Exceeded max expression length " + std::to_string(k_max_length),
                          text);
  }
  return Parser(text, scope).parse();
}

}  // namespace drydock::parser::expression
