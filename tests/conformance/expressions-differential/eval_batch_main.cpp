// eval-batch as a program of its own, for the comparison.

#include <cstdlib>
#include <iostream>

#include "parser/expression/eval_batch.h"

int main() {
  std::ios::sync_with_stdio(false);
  return drydock::parser::expression::run_eval_batch(std::cin, std::cout) ? EXIT_SUCCESS : EXIT_FAILURE;
}
