#pragma once
// KnownAction: what is known of an action a step uses: its inputs and outputs, from the table of popular
// actions or from the metadata of a local one. Internal to this room.

#include "parser/lint/context.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::parser::lint {

struct ActionInputFacts {
  std::string name;  // as written
  bool required = false;
  bool deprecated = false;
};

struct KnownAction {
  std::string name;
  std::vector<ActionInputFacts> inputs;
  std::vector<std::string> outputs;
  bool any_input = false;             // takes inputs that its metadata does not name
  bool any_output = false;            // sets outputs that its metadata does not name
  bool outdated = false;              // needs a runner that GitHub no longer has
  bool is_docker = false;             // takes `args` and `entrypoint` as well
  std::vector<std::string> problems;  // of the metadata

  const ActionInputFacts* find_input(std::string_view id) const;
};

/// "./path", in the checked-out workspace, or "$/path", in the commit.
bool is_in_this_repository(std::string_view uses);

/// Null when nothing is known of it. `uses` as written in the step.
std::shared_ptr<const KnownAction> known_action(const LintContext& context, std::string_view uses);

/// The metadata of a local action, checked. `directory` is relative to the root of the repository.
KnownAction read_local_action(const LintOptions& options, std::string_view text,
                              const std::string& directory);

/// From the generated table of popular actions; null when it has none of that name and version.
std::shared_ptr<const KnownAction> popular_action(std::string_view uses);

}  // namespace drydock::parser::lint
