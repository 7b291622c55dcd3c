#pragma once
// ScriptChecker: what shellcheck and pyflakes say of a script. Each script is checked once, however often it
// stands. Thread-safe.

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "parser/lint/lint.h"

namespace drydock::runner {

class ScriptChecker {
 public:
  /// Absolute paths of the programs; an empty one is not asked.
  ScriptChecker(std::string shellcheck, std::string pyflakes);

  std::vector<parser::lint::ScriptFinding> check(std::string_view shell, std::string_view script);

 private:
  using Findings = std::vector<parser::lint::ScriptFinding>;

  Findings ask_shellcheck(std::string_view shell, std::string_view script) const;
  Findings ask_pyflakes(std::string_view script) const;

  std::string shellcheck_, pyflakes_;
  std::mutex mutex_;
  std::map<std::string, Findings> known_;
};

}  // namespace drydock::runner
