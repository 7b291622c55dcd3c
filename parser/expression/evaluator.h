#pragma once
// One evaluation of an Ast: values of nodes, the built-in functions, and the account of memory.
// Arguments are evaluated only when a function needs them, as on GitHub. Used once, by one thread.

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "parser/expression/expression.h"

namespace drydock::parser::expression {

/// Bytes of the intermediate results alive, as GitHub counts: by level of the tree; a finished primitive
/// result frees what lies deeper.
class MemoryAccount {
 public:
  explicit MemoryAccount(std::size_t limit) : limit_(limit) {}

  enum class Deeper { kept, freed };
  /// False when the limit is passed.
  bool add(int level, std::size_t bytes, Deeper deeper);
  bool would_exceed(std::size_t bytes) const { return bytes > limit_; }

 private:
  std::size_t limit_;
  std::size_t total_ = 0;
  int deepest_ = -1;
  std::array<std::size_t, k_max_depth + 2> levels_{};
};

std::size_t memory_of(std::string_view text);

class Evaluator {
 public:
  Evaluator(const Ast& ast, const Context& context)
      : ast_(ast), context_(context), memory_(context.memory_limit()) {}

  Checked<Value> run();

 private:
  // A node's value. After a failure error_ is set, and what is returned means nothing.
  Value evaluate(NodeId id, int level);
  Value compute(NodeId id, int level);
  Value logical(NodeId id, int level);
  Value binary(NodeId id, int level);
  Value index(NodeId id, int level);
  Value call(NodeId id, int level);
  Value call_given(const Function& function, NodeId id, int level);

  Value case_(NodeId id, int level);
  Value contains(NodeId id, int level);
  Value affix(NodeId id, int level, bool (*has)(std::string_view, std::string_view));
  Value format(NodeId id, int level);
  Value from_json(NodeId id, int level);
  Value join(NodeId id, int level);
  Value to_json(NodeId id, int level);

  Value argument(NodeId id, std::size_t position, int level) {
    return evaluate(ast_.children(id)[position], level + 1);
  }
  bool failed() const { return error_.has_value(); }
  Value fail(NodeId id, std::string message);
  Value exceeded();

  const Ast& ast_;
  const Context& context_;
  MemoryAccount memory_;
  std::optional<ExpressionError> error_;
};

}  // namespace drydock::parser::expression
