#pragma once
// Commands that a step prints: "::name key=value,key=value::data", and the older "##[name key=value;…]data".
// Parsing only, pure; what a command does is the engine's.

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "executors/step/action_context.h"

namespace drydock::step {

struct WorkflowCommand {
  std::string name;  // lower case
  NoCaseMap<std::string> properties;
  std::string data;

  /// "" when absent.
  std::string property(std::string_view key) const;
};

/// Tells whether a name is a command; others stay plain text.
using CommandFilter = std::function<bool(std::string_view lower_case_name)>;

std::optional<WorkflowCommand> parse_workflow_command(std::string_view line, const CommandFilter& known);

/// The commands of GitHub's runner.
bool is_known_command(std::string_view lower_case_name);

}  // namespace drydock::step
