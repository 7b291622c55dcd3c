#pragma once
// Ast: a parsed expression as flat nodes, and ways to look at what it reads and calls.
// Immutable after parse(); no evaluation here. Node 0 need not be the root.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parser/expression/value.h"

namespace drydock::parser::expression {

enum class NodeKind : std::uint8_t {
  literal,   // null, boolean, number, string
  name,      // a context: github
  index,     // children: object, then a literal (from .name), an expression (from [..]) or a star
  star,      // the * of an index
  call,      // children: arguments
  negation,  // !x
  binary,    // == != < <= > >=
  logical,   // && or || over two or more children
};

enum class Operator : std::uint8_t {
  none,
  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
  logical_and,
  logical_or
};

using NodeId = std::uint32_t;

struct Node {
  NodeKind kind = NodeKind::literal;
  Operator op = Operator::none;
  bool dotted = false;       // index: written as .name or .*
  std::uint32_t offset = 0;  // bytes in the text: name, literal, operator, or the whole of an index
  std::uint32_t length = 0;
  std::uint32_t first_child = 0;  // in the list of children
  std::uint32_t child_count = 0;
  std::uint32_t detail = 0;  // literal: its value's position; call: which built-in function, 0 for others
};

class Ast {
 public:
  /// True for an expression of blanks alone, which yields null.
  bool empty() const { return nodes_.empty(); }
  const std::string& text() const { return text_; }
  NodeId root() const { return root_; }
  const Node& node(NodeId id) const { return nodes_[id]; }
  std::span<const NodeId> children(NodeId id) const {
    return {children_.data() + nodes_[id].first_child, nodes_[id].child_count};
  }
  /// The node's own text: a name, a function's name, an operator.
  std::string_view spelling(NodeId id) const {
    return std::string_view(text_).substr(nodes_[id].offset, nodes_[id].length);
  }
  const Value& literal(NodeId id) const { return literals_[nodes_[id].detail]; }

  /// Calls `visit` for the node and all below it, parents first. Returning false leaves out what is below.
  void walk(NodeId id, const std::function<bool(NodeId)>& visit) const;
  void walk(const std::function<bool(NodeId)>& visit) const {
    if (!empty()) walk(root_, visit);
  }

 private:
  friend class Parser;
  std::string text_;
  std::vector<Node> nodes_;
  std::vector<NodeId> children_;
  std::vector<Value> literals_;
  NodeId root_ = 0;
};

/// One reading of a context: `steps.a.outputs.b`, `matrix['x']`, `needs.*.result`, `github[inputs.k]`.
struct Read {
  struct Part {
    enum class Form : std::uint8_t { name, number, star, dynamic } form = Form::name;
    std::string name;  // form name or number: as written
  };
  std::string context;      // as written: "steps"
  std::vector<Part> parts;  // as far as the accesses go
  std::size_t offset = 0;   // bytes in the text
  std::size_t length = 0;   // to the end of the last access

  /// "steps.a.outputs.b"; "*" for stars, "[…]" for dynamic parts.
  std::string path() const;
  /// True when it reads `context.first…` with that spelling, any case; an empty `first` asks for the context
  /// alone.
  bool is(std::string_view context_name, std::string_view first = {}) const;
};

/// Every reading, from left to right, those inside brackets and arguments included.
std::vector<Read> reads_of(const Ast& ast);

/// Every function called, by name as written, left to right.
struct Call {
  std::string name;
  NodeId node = 0;
  std::size_t offset = 0;
};
std::vector<Call> calls_of(const Ast& ast);

/// True when success(), failure(), cancelled() or always() is called anywhere.
bool calls_status_function(const Ast& ast);

}  // namespace drydock::parser::expression
