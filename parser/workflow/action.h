#pragma once
// Action metadata (action.yml) of every kind, as a typed model. Pure; never throws; collects every problem.

#include "parser/workflow/model.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::parser::workflow {

enum class ActionKind { javascript, composite, docker };

struct ActionInput {
  std::string id;
  Range range;
  std::optional<Text> description;
  bool required = false;
  std::optional<Token> default_value;  // may be an expression over github, …
  std::optional<Text> deprecation;
};

struct ActionOutput {
  std::string id;
  Range range;
  std::optional<Text> description;
  std::optional<Token> value;  // composite only
};

struct Action {
  std::string file;
  std::optional<Text> name, author, description;
  std::vector<ActionInput> inputs;
  std::vector<ActionOutput> outputs;
  ActionKind kind = ActionKind::javascript;
  Text using_;  // "node20", "composite", "docker", …

  // javascript
  std::optional<Text> main, pre, post;
  // docker
  std::optional<Text> image, entrypoint, pre_entrypoint, post_entrypoint;
  std::optional<Token> args;  // sequence; items may be expressions
  std::optional<Token> env;
  // javascript and docker: expressions, "always()" when not written
  std::string pre_if = "always()";
  std::string post_if = "always()";
  // composite
  std::vector<Step> steps;

  const ActionInput* find_input(std::string_view id) const;  // ignoring ASCII case
};

struct ActionResult {
  std::optional<Action> action;
  Diagnostics diagnostics;

  bool ok() const { return action.has_value() && !has_errors(diagnostics); }
};

ActionResult read_action(std::string_view text, std::string file_name);

}  // namespace drydock::parser::workflow
