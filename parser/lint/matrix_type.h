#pragma once
// MatrixType: what `matrix` is in a job, from its strategy as written. Internal to this room.

#include "parser/lint/type.h"
#include "parser/workflow/model.h"

#include <functional>

namespace drydock::parser::lint {

/// The type of an expression token; any when it cannot be told.
using ExpressionType = std::function<TypePtr(const workflow::Token&)>;

TypePtr matrix_type(const workflow::Strategy& strategy, const ExpressionType& type_of);

}  // namespace drydock::parser::lint
