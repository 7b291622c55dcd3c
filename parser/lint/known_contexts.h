#pragma once
// Known contexts: the types of github, runner, job and the others that are the same in every workflow, and
// the functions of the language with the types they take. Constant data.

#include "parser/lint/type.h"

#include <span>
#include <string_view>
#include <vector>

namespace drydock::parser::lint {

const Properties& known_contexts();

struct Signature {
  std::string_view name;
  std::vector<TypePtr> parameters;
  TypePtr result;
  bool variadic = false;  // the last parameter may stand any number of times
};

/// Every form of a function; empty when there is no such function.
std::vector<const Signature*> signatures_of(std::string_view function);

}  // namespace drydock::parser::lint
