#pragma once
// Where the checks put what they find: applies skip, experimental and error. Internal to this room.

#include <string>
#include <string_view>
#include <vector>

#include "parser/dockerfile/checks.h"

namespace drydock::parser::dockerfile {

class CheckReport {
 public:
  CheckReport(const Ast& ast, CheckConfig config) : ast_(ast), config_(std::move(config)) {}

  /// `comments` are those above the instruction: one of them may say "check=skip=…".
  void find(std::string_view rule, Range range, const std::vector<std::string>& comments, std::string message,
            std::string mend);
  void find_experimental(std::string_view rule, Range range, const std::vector<std::string>& comments,
                         std::string message, std::string mend);
  /// What is wrong rather than doubtful; no configuration silences it.
  void add(Diagnostics errors);

  Diagnostics take() &&;

 private:
  void push(std::string_view rule, Range range, std::string message, std::string mend);
  CheckConfig merged(const std::vector<std::string>& comments) const;

  const Ast& ast_;
  CheckConfig config_;
  Diagnostics found_;
};

}  // namespace drydock::parser::dockerfile
