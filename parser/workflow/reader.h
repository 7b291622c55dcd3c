#pragma once
// Reads a workflow file as GitHub's own reader does: YAML, template tokens, schema, typed model.
// Pure (no file access: called workflows come through Options::resolve); never throws; collects every problem.

#include "parser/workflow/model.h"
#include "parser/yaml/document.h"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace drydock::parser::workflow {

/// What a called workflow may be granted where neither job nor workflow says `permissions:`.
enum class PermissionsPolicy { limited_read, write };

/// GitHub's service takes unknown keys below workflow_dispatch; its editor refuses them.
enum class UnknownDispatchKeys { warned, refused };

struct Options {
  /// The text of "./.github/workflows/x.yml" or "owner/repo/.github/workflows/x.yml@ref", or nullopt when it
  /// cannot be had. Without the callback calls are left unresolved, which is no error.
  std::function<std::optional<std::string>(std::string_view uses)> resolve;
  const yaml::Document* document = nullptr;  // of the text itself, when it is parsed already
  UnknownDispatchKeys unknown_dispatch_keys = UnknownDispatchKeys::warned;
  PermissionsPolicy permissions_policy = PermissionsPolicy::write;
  int max_call_depth = 9;                        // reusable workflows below this one
  std::size_t max_file_size = 1024 * 1024;       // bytes
  std::size_t max_result_size = 10 * 1024 * 1024;  // of the whole token tree, aliases expanded
  int max_depth = 50;                              // of sequences and mappings
  int max_jobs = 0;                                // over all files; 0: no limit
};

struct ReadResult {
  /// Present whenever the file was YAML with a mapping at its root; trustworthy when there are no errors.
  std::optional<Workflow> workflow;
  Diagnostics diagnostics;

  bool ok() const { return workflow.has_value() && !has_errors(diagnostics); }
};

ReadResult read_workflow(std::string_view text, std::string file_name, const Options& options = {});

}  // namespace drydock::parser::workflow
