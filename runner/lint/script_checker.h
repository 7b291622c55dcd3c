#pragma once
// ScriptChecker: what shellcheck and pyflakes say of a script. Each script is checked once, however often it
// stands; what is said is kept on disk, too, when a directory is given. Thread-safe.

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "executors/base/result.h"
#include "parser/lint/lint.h"
#include "runner/lint/script_memory.h"

namespace drydock::runner {

class ScriptChecker {
 public:
  /// Absolute paths of the programs; an empty one is not asked.
  ScriptChecker(std::string shellcheck, std::string pyflakes, std::string directory = {});

  std::vector<parser::lint::ScriptFinding> check(std::string_view shell, std::string_view script);

 private:
  using Findings = std::vector<parser::lint::ScriptFinding>;

  Result<Findings> ask_shellcheck(std::string_view shell, std::string_view script) const;
  Result<Findings> ask_pyflakes(std::string_view script) const;
  Findings check_new(std::string_view shell, std::string_view script);
  /// What the tool says of its version and how it is asked; empty when it will not say.
  const std::string& version(const std::string& program);

  std::string shellcheck_, pyflakes_;
  ScriptMemory memory_;
  std::map<std::string, std::string> versions_;  // by program
  std::mutex mutex_;
  std::map<std::string, Findings> known_;
};

}  // namespace drydock::runner
