#pragma once
// BuildFacts: the image builds of a workflow (docker/build-push-action) as the build-* rules see them.
// Values stay text; what holds an expression is compared as it is written. Refer to the model.

#include "parser/lint/context.h"

#include <string>
#include <string_view>
#include <vector>

namespace drydock::parser::lint {

struct CacheRef {
  std::string kind;  // "registry", "gha", "local", "s3", …
  std::string name;  // ref, scope or directory, as written; gha: "buildkit" when none is
  bool operator==(const CacheRef&) const = default;
};

struct BuildStep {
  const workflow::Job* job = nullptr;
  const workflow::Step* step = nullptr;
  std::size_t position = 0;            // of the step in its job
  std::vector<std::string> platforms;  // as written; "${{ … }}" stays one
  std::vector<std::string> tags;
  std::vector<CacheRef> cache_from, cache_to;
  bool pushes = false;     // push: true, or an output that pushes
  bool by_digest = false;  // pushes without a tag, to be merged later
  bool loads = false;
  bool inline_cache = false;

  /// An input of the step; null when it is not given.
  const workflow::Token* input(std::string_view name) const;
};

std::vector<BuildStep> builds_of(const workflow::Workflow& workflow);

/// Whether the job runs more than once at a time, as far as its matrix tells.
bool has_legs(const workflow::Job& job);

/// Whether the text hangs on the leg of the matrix.
bool names_matrix(std::string_view text);

/// The values of `${{ matrix.NAME }}`, when the text is just that and the matrix is written out; else the
/// text.
std::vector<std::string> leg_values(const workflow::Job& job, const std::string& text);

/// "amd64", "arm64", or "" when the labels do not tell.
std::string_view architecture_of(std::string_view runner_label);

void check_build_platforms(LintContext& context, const std::vector<BuildStep>& builds);
void check_build_caches(LintContext& context, const std::vector<BuildStep>& builds);
void check_build_tags(LintContext& context, const std::vector<BuildStep>& builds);
void check_build_pushes(LintContext& context, const std::vector<BuildStep>& builds);

}  // namespace drydock::parser::lint
