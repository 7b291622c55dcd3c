#pragma once
// Filter patterns of branches, tags and paths: what cannot match, or not as meant. Pure.

#include <string>
#include <string_view>
#include <vector>

namespace drydock::parser::lint {

enum class PatternKind { ref, path };

struct PatternProblem {
  int column = 0;  // of the pattern, from 1; 0: the whole
  std::string message;
};

std::vector<PatternProblem> pattern_problems(std::string_view pattern, PatternKind kind);

}  // namespace drydock::parser::lint
