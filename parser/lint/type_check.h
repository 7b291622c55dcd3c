#pragma once
// TypeCheck: finds the type of an expression and everything in it that cannot work: unknown names, properties
// that do not exist, comparisons that are never true, arguments of the wrong type. Internal to this room.

#include "parser/expression/availability.h"
#include "parser/expression/expression.h"
#include "parser/lint/type.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::parser::lint {

struct TypeProblem {
  std::size_t offset = 0;  // bytes in the expression
  std::string message;
  std::string mend;
};

class TypeCheck {
 public:
  /// `place` is the entry of the table of availability; null: no context may be used there.
  TypeCheck(const expression::Ast& ast, const Properties& contexts, const expression::Availability* place)
      : ast_(ast), contexts_(contexts), place_(place) {}

  TypePtr run();
  const std::vector<TypeProblem>& problems() const { return problems_; }

  /// Where the text of a node begins: that of its leftmost part.
  static std::size_t begin_of(const expression::Ast& ast, expression::NodeId id);

 private:
  using NodeId = expression::NodeId;

  void problem(NodeId at, std::string message, std::string mend = {});
  TypePtr check(NodeId id);
  TypePtr literal(NodeId id) const;
  TypePtr name(NodeId id);
  TypePtr index(NodeId id);
  TypePtr property(NodeId id, const TypePtr& object, std::string_view name);
  TypePtr star(NodeId id, const TypePtr& object);
  TypePtr indexed(NodeId id, const TypePtr& object, NodeId key);
  TypePtr call(NodeId id);
  void check_call_allowed(NodeId id, std::string_view function);
  bool check_arguments(NodeId id, const struct Signature& signature, const std::vector<TypePtr>& types,
                       std::vector<TypeProblem>& out) const;
  void check_format(NodeId id);
  TypePtr from_json(NodeId id);
  TypePtr compare(NodeId id);
  static bool is_comparable(const Type& a, const Type& b);

  const expression::Ast& ast_;
  const Properties& contexts_;
  const expression::Availability* place_;
  std::vector<TypeProblem> problems_;
};

}  // namespace drydock::parser::lint
