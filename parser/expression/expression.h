#pragma once
// GitHub's expression language: parse() text against the names known in a place, evaluate() against values.
// Pure: no input or output; hashFiles and the status functions are the caller's. An Ast may be evaluated from
// many threads; a Context belongs to one unless its callbacks are thread-safe.

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parser/expression/ast.h"
#include "parser/expression/error.h"
#include "parser/expression/value.h"

namespace drydock::parser::expression {

inline constexpr std::size_t k_max_length = 21000;  // UTF-16 units, as GitHub counts
inline constexpr int k_max_depth = 50;

struct Arity {
  int least = 0;
  int most = std::numeric_limits<int>::max();
};

/// Names and functions that an expression may use. The built-in functions (contains, startsWith, endsWith,
/// format, join, toJSON, fromJSON, case) are always known.
class Scope {
 public:
  Scope() = default;
  Scope(std::initializer_list<std::string_view> names);
  static Scope any();  // every name and function is accepted: for reading text out of its place

  Scope& add_name(std::string_view name);
  Scope& add_function(std::string_view name, Arity arity);
  /// hashFiles(1 or more).
  Scope& add_hash_files();
  /// success, failure, cancelled, always, without arguments.
  Scope& add_status_functions();

  bool knows_name(std::string_view name) const;
  bool knows_function(std::string_view name) const;
  std::optional<Arity> arity(std::string_view function) const;
  bool accepts_all() const { return accepts_all_; }

 private:
  std::vector<std::string> names_;  // lower case
  std::vector<std::pair<std::string, Arity>> functions_;
  bool accepts_all_ = false;
};

/// Reads the inside of `${{ }}`. Errors carry phase lexing (also for too long a text) or parsing.
Checked<Ast> parse(std::string_view text, const Scope& scope);

/// A function of the caller's; arguments are already evaluated. An error text is reported with its place.
using Function = std::function<Checked<Value>(std::span<const Value> arguments)>;
ExpressionError evaluation_error(std::string message);

class Context {
 public:
  /// A value by name, any case.
  Context& set(std::string_view name, Value value);
  /// Asked, with the name as written, for names that were not set; nothing means null.
  Context& set_lookup(std::function<std::optional<Value>(std::string_view name)> lookup);
  /// Also replaces a built-in of that name.
  Context& set_function(std::string_view name, Function function);
  /// Bytes that one evaluation's results may take, as GitHub counts them; beyond it is an evaluation error.
  Context& set_memory_limit(std::size_t bytes);

  Value value(std::string_view name) const;
  const Function* function(std::string_view name) const;
  std::size_t memory_limit() const { return memory_limit_; }

 private:
  std::vector<std::pair<std::string, Value>> values_;        // names in lower case
  std::vector<std::pair<std::string, Function>> functions_;  // names in lower case
  std::function<std::optional<Value>(std::string_view)> lookup_;
  std::size_t memory_limit_ = 10 * 1024 * 1024;
};

/// Unknown operands give unknown results, save where the result does not hang on them. An empty Ast gives
/// null.
Checked<Value> evaluate(const Ast& ast, const Context& context);

}  // namespace drydock::parser::expression
