#pragma once
// The texts of the reusable workflows that a workflow calls: files of this repository, and of others that
// --action-source names. What it has read is kept, for messages that show source lines. Used by one thread.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "executors/base/result.h"

namespace drydock::runner {

/// --action-source OWNER/REPO[@REF]=PATH: a directory that stands for a repository.
struct RepositorySource {
  std::string repository, ref, path;  // ref: empty for any
};

/// usage for another form, or a path that is no directory.
Result<RepositorySource> parse_repository_source(const std::string& text);

class CalledWorkflows {
 public:
  CalledWorkflows(std::string root, std::vector<RepositorySource> sources) : root_(std::move(root)), sources_(std::move(sources)) {}

  /// Of "./.github/workflows/x.yml" or "owner/repo/.github/workflows/x.yml@ref"; nothing when it is not here.
  std::optional<std::string> text(std::string_view uses);
  /// By what `uses:` says.
  const std::map<std::string, std::string>& texts() const { return texts_; }

 private:
  std::optional<std::string> path_of(std::string_view uses) const;

  std::string root_;
  std::vector<RepositorySource> sources_;
  std::map<std::string, std::string> texts_;
};

}  // namespace drydock::runner
