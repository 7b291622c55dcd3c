#pragma once
// Expands a `strategy.matrix` whose expressions are already evaluated, in GitHub's order and by its rules:
// the product of the vectors, less what `exclude` matches, with `include` merged in or appended. Pure.

#include "parser/expression/value.h"

#include <cstddef>
#include <string>
#include <vector>

namespace drydock::parser::workflow {

inline constexpr std::size_t k_max_matrix_jobs = 256;

struct MatrixExpansion {
  /// One object each, what `matrix` is in that job. Empty with no problem: the matrix gives no job.
  std::vector<expression::Value> combinations;
  /// " (a, b)" for each: what GitHub appends to the job's id to name it.
  std::vector<std::string> suffixes;
  std::string problem;  // empty when all went well; GitHub's text otherwise

  bool ok() const { return problem.empty(); }
};

/// `matrix` is an object of vectors with include and exclude. A value unknown in a dry run is a problem of the
/// caller: it must not be passed here.
MatrixExpansion expand_matrix(const expression::Value& matrix);

}  // namespace drydock::parser::workflow
