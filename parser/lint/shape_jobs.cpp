#include "parser/lint/shape.h"

#include <algorithm>
#include <array>

namespace drydock::parser::lint {

using yaml::NodeKind;

namespace {

constexpr std::array<std::string_view, 11> k_steps_only = {
    "environment",     "runs-on",           "outputs",   "env",      "defaults", "steps",
    "timeout-minutes", "continue-on-error", "container", "services", "snapshot"};

/// Step keys of background work, which have no `run` or `uses` of their own.
constexpr std::array<std::string_view, 4> k_background = {"wait", "wait-all", "cancel", "parallel"};

template <class List>
bool has(const List& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

}  // namespace

void Shape::jobs(Id id) {
  for (const auto& pair : section("jobs", id, Empty::refused, Case::ignored)) job(pair);
}

bool Shape::job_section(const Pair& pair) {
  const auto& key = pair.id;
  const auto value = pair.value;
  if (key == "name") {
    string(value, Empty::allowed);
  } else if (key == "if") {
    string(value, Empty::allowed);
  } else if (key == "needs") {
    string_or_strings("needs", value, Empty::refused, Empty::refused);
  } else if (key == "runs-on") {
    runs_on(value);
  } else if (key == "permissions") {
    permissions(value);
  } else if (key == "environment") {
    environment(pair);
  } else if (key == "concurrency") {
    concurrency(pair);
  } else if (key == "outputs") {
    string_map("outputs", value);
  } else if (key == "env") {
    env(value);
  } else if (key == "defaults") {
    defaults(value);
  } else if (key == "timeout-minutes" || key == "cancel-timeout-minutes") {
    timeout(value);
  } else if (key == "strategy") {
    strategy(value);
  } else if (key == "continue-on-error") {
    boolean(value);
  } else if (key == "container") {
    container("container", pair, false);
  } else if (key == "services") {
    services(value);
  } else if (key == "snapshot") {
    snapshot(pair);
  } else if (key == "uses") {
    string(value, Empty::refused);
  } else if (key == "with") {
    string_map("with", value);
  } else if (key == "secrets") {
    call_secrets(value);
  } else {
    return false;
  }
  return true;
}

void Shape::call_secrets(Id id) {
  const auto& node = at(id);
  if (node.kind != NodeKind::scalar || is_null(node)) return string_map("secrets", id);
  if (node.value != "inherit")
    error(id, "\"secrets\" must be a mapping or inherit, but this is \"" + node.value + "\"");
}

void Shape::job(const Pair& pair) {
  const auto name = "job \"" + at(pair.key).value + "\"";
  bool has_steps = false, has_runs_on = false, is_call = false;
  std::optional<Pair> steps_only, call_only;
  for (const auto& entry : mapping(name, pair.value, Empty::refused)) {
    if (entry.id == "steps") {
      steps(entry.value, has_steps);
    } else if (!job_section(entry)) {
      unexpected_key(entry, "a job", {"concurrency", "container",   "continue-on-error",
                                      "defaults",    "env",         "environment",
                                      "if",          "name",        "needs",
                                      "outputs",     "permissions", "runs-on",
                                      "secrets",     "services",    "snapshot",
                                      "steps",       "strategy",    "timeout-minutes",
                                      "uses",        "with"});
    }
    has_runs_on |= entry.id == "runs-on";
    is_call |= entry.id == "uses";
    if (has(k_steps_only, entry.id)) steps_only = entry;
    if (entry.id == "with" || entry.id == "secrets") call_only = entry;
  }
  if (is_call) {
    if (steps_only) {
      error(steps_only->key, "\"" + steps_only->id + "\" does not go with \"uses\" in " + name +
                                 ", which calls a reusable workflow");
    }
    return;
  }
  if (!has_steps) error(pair.key, name + " has no \"steps\"");
  if (!has_runs_on)
    error(pair.key, name + " has no \"runs-on\"", "name a runner, as in runs-on: ubuntu-latest");
  if (call_only)
    error(call_only->key,
          "\"" + call_only->id + "\" is for calls of reusable workflows, but " + name + " has no \"uses\"");
}

void Shape::steps(Id id, bool& present) {
  present = sequence("steps", id, Empty::refused);
  if (!present) return;
  for (const auto item : at(id).children) step(item);
}

void Shape::step_section(const Pair& pair) {
  const auto& key = pair.id;
  const auto value = pair.value;
  if (key == "id" || key == "uses" || key == "run" || key == "shell" || key == "working-directory") {
    string(value, Empty::refused);
  } else if (key == "if" || key == "name") {
    string(value, Empty::allowed);
  } else if (key == "env") {
    env(value);
  } else if (key == "continue-on-error") {
    boolean(value);
  } else if (key == "timeout-minutes") {
    timeout(value);
  } else if (key == "with") {
    string_map("with", value);
  }
}

void Shape::step(Id id) {
  constexpr std::array<std::string_view, 6> k_common = {
      "id", "if", "name", "env", "continue-on-error", "timeout-minutes"};
  const auto pairs = mapping("a step", id, Empty::refused);
  std::string_view kind;  // the last of run and uses
  for (const auto& pair : pairs) {
    if (has(k_background, pair.id)) return;
    if (pair.id == "run" || pair.id == "uses") kind = pair.id;
  }
  for (const auto& pair : pairs) {
    const auto& key = pair.id;
    if (has(k_common, key) || key == "background") {
      step_section(pair);
    } else if (kind == "run" && key != "run" && key != "shell" && key != "working-directory") {
      unexpected_key(pair, "a step that runs a script",
                     {"continue-on-error", "env", "id", "if", "name", "run", "shell", "timeout-minutes",
                      "working-directory"});
    } else if (kind == "uses" && key != "uses" && key != "with") {
      unexpected_key(pair, "a step that uses an action",
                     {"continue-on-error", "env", "id", "if", "name", "timeout-minutes", "uses", "with"});
    } else if (!kind.empty()) {
      step_section(pair);
    }
  }
  if (kind.empty()) error(id, "a step needs \"run\" or \"uses\"");
}

}  // namespace drydock::parser::lint
