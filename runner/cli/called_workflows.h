#pragma once
// The texts of the reusable workflows that a workflow calls: files of this repository, of others that --action-source
// names, and of others that are fetched. What it has read is kept, for messages that show source lines. Used by one
// thread.

#include <functional>
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

/// The directory of a repository at a ref; nothing when it is not at hand and is not to be fetched.
using FetchRepository = std::function<Result<std::optional<std::string>>(const std::string& repository, const std::string& ref)>;

class CalledWorkflows {
 public:
  CalledWorkflows(std::string root, std::vector<RepositorySource> sources, FetchRepository fetch = {})
      : root_(std::move(root)), sources_(std::move(sources)), fetch_(std::move(fetch)) {}

  /// Of "./.github/workflows/x.yml" or "owner/repo/.github/workflows/x.yml@ref"; nothing when it is not here.
  std::optional<std::string> text(std::string_view uses);
  /// By what `uses:` says.
  const std::map<std::string, std::string>& texts() const { return texts_; }
  /// Why repositories could not be fetched: one text for each call that needs one.
  const std::vector<std::string>& failures() const { return failures_; }

 private:
  std::optional<std::string> path_of(std::string_view uses);
  std::optional<std::string> fetched(const std::string& repository, const std::string& ref, std::string_view uses);

  std::string root_;
  std::vector<RepositorySource> sources_;
  FetchRepository fetch_;
  std::map<std::string, std::string> texts_;
  std::vector<std::string> failures_;
};

}  // namespace drydock::runner
