#pragma once
// ScriptMemory: findings in scripts, kept on disk by content, for later runs and for other processes. A lost or
// broken record is only asked for again. Thread-safe.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parser/lint/lint.h"

namespace drydock::runner {

class ScriptMemory {
 public:
  /// Keeps nothing when the directory is empty text.
  explicit ScriptMemory(std::string directory) : directory_(std::move(directory)) {}

  bool keeps() const { return !directory_.empty(); }

  /// All that the findings hang on, as one name: the tool and its version, the shell, the script.
  static std::string key(std::string_view version, std::string_view shell, std::string_view script);

  std::optional<std::vector<parser::lint::ScriptFinding>> find(const std::string& key) const;
  void keep(const std::string& key, const std::vector<parser::lint::ScriptFinding>& findings) const;

 private:
  std::string path(const std::string& key) const;

  std::string directory_;
};

}  // namespace drydock::runner
