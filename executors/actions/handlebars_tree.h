#pragma once
// The syntax tree of a Handlebars template. Values; behind handlebars.h.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "executors/actions/handlebars.h"

namespace drydock::actions::handlebars {

struct NamedArgument;

struct Expression {
  enum class Kind { path, literal, call };
  Kind kind = Kind::path;
  int parents = 0;                  // of "../x"
  std::vector<std::string> parts;   // path: "a.b.[0]"; empty for "this"
  bool scoped = false;              // "this.x", "./x": never a helper
  Value literal;
  std::vector<Expression> callee;   // call: one path …
  std::vector<Expression> positional;
  std::vector<NamedArgument> named;

  std::string name() const;  // "a.b"
};

struct NamedArgument {
  std::string name;
  Expression value;
};

struct Node {
  enum class Kind { text, output, block };
  Kind kind = Kind::text;
  std::string text;
  Expression expression;  // of output and block: always a call
  bool escaped = true;
  std::vector<Node> body, otherwise;
};

Result<std::vector<Node>> parse(std::string_view source);

}  // namespace drydock::actions::handlebars
