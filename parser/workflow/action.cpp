#include "parser/workflow/action.h"

#include "parser/expression/value.h"
#include "parser/workflow/converter.h"
#include "parser/workflow/template_reader.h"

#include <algorithm>
#include <array>

namespace drydock::parser::workflow {

namespace {

constexpr std::array<std::string_view, 4> k_node_versions = {"node12", "node16", "node20", "node24"};

class ActionConverter {
 public:
  ActionConverter(Issues& issues, Action& action) : issues_(issues), action_(action) {}

  void run(const Token& root) {
    set(action_.name, root.find("name"));
    set(action_.author, root.find("author"));
    set(action_.description, root.find("description"));
    if (const auto* inputs = root.find("inputs")) {
      for (const auto& entry : inputs->entries) input(entry);
    }
    if (const auto* outputs = root.find("outputs")) {
      for (const auto& entry : outputs->entries) output(entry);
    }
    if (const auto* runs = root.find("runs"); runs != nullptr && runs->is_mapping()) this->runs(*runs);
  }

 private:
  static void set(std::optional<Text>& member, const Token* found) {
    if (found != nullptr) member = text_of(*found);
  }

  static void set(std::optional<Token>& member, const Token* found) {
    if (found != nullptr) member = *found;
  }

  void input(const Entry& entry) {
    ActionInput input{entry.key.text, entry.key.range, {}, false, {}, {}};
    set(input.description, entry.value.find("description"));
    set(input.default_value, entry.value.find("default"));
    set(input.deprecation, entry.value.find("deprecationMessage"));
    if (const auto* required = entry.value.find("required")) {
      input.required = required->boolean || expression::equal_ignoring_case(required->text, "true");
    }
    action_.inputs.push_back(std::move(input));
  }

  void output(const Entry& entry) {
    ActionOutput output{entry.key.text, entry.key.range, {}, {}};
    set(output.description, entry.value.find("description"));
    set(output.value, entry.value.find("value"));
    action_.outputs.push_back(std::move(output));
  }

  void runs(const Token& runs) {
    const auto* kind = runs.find("using");
    if (kind == nullptr) return;  // the schema has said so
    action_.using_ = text_of(*kind);
    const auto& name = action_.using_.value;
    if (expression::equal_ignoring_case(name, "composite")) {
      action_.kind = ActionKind::composite;
      need(runs, "steps");
      if (const auto* steps = runs.find("steps")) action_.steps = Converter(issues_).steps(*steps, action_schema());
    } else if (expression::equal_ignoring_case(name, "docker")) {
      action_.kind = ActionKind::docker;
      need(runs, "image");
      docker(runs);
    } else if (is_node(name)) {
      action_.kind = ActionKind::javascript;
      need(runs, "main");
      javascript(runs);
    } else {
      std::vector<std::string_view> known(k_node_versions.begin(), k_node_versions.end());
      known.insert(known.end(), {"composite", "docker"});
      error(*kind, "'using: " + name + "' is not supported, use 'docker', 'node20' or 'node24' instead.", did_you_mean(name, known));
    }
  }

  static bool is_node(std::string_view name) {
    return std::any_of(k_node_versions.begin(), k_node_versions.end(),
                       [&](std::string_view version) { return expression::equal_ignoring_case(version, name); });
  }

  void need(const Token& runs, const std::string& key) {
    if (runs.find(key) == nullptr) error(runs, "Required property is missing: " + key);
  }

  void javascript(const Token& runs) {
    set(action_.main, runs.find("main"));
    set(action_.pre, runs.find("pre"));
    set(action_.post, runs.find("post"));
    conditions(runs);
  }

  void docker(const Token& runs) {
    set(action_.image, runs.find("image"));
    set(action_.entrypoint, runs.find("entrypoint"));
    set(action_.pre_entrypoint, runs.find("pre-entrypoint"));
    set(action_.post_entrypoint, runs.find("post-entrypoint"));
    set(action_.args, runs.find("args"));
    set(action_.env, runs.find("env"));
    conditions(runs);
  }

  /// As written: unlike a step's `if`, nothing is added to them.
  void conditions(const Token& runs) {
    for (const auto& [key, member] : {std::pair{"pre-if", &Action::pre_if}, {"post-if", &Action::post_if}}) {
      const auto* value = runs.find(key);
      if (value == nullptr || value->text.empty()) continue;
      const auto scope = scope_for(action_schema().get(action_schema().find("runs-if")).allowed);
      if (const auto ast = expression::parse(value->text, scope); !ast) {
        error(*value, ast.error().message);
        issues_.back().rule = "expression";
      } else {
        action_.*member = value->text;
      }
    }
  }

  void error(const Token& at, std::string message, std::string mend = {}) {
    issues_.push_back({Stage::model, Severity::error, {}, at.range.start, at.range, "schema", std::move(message), std::move(mend), {}});
  }

  Issues& issues_;
  Action& action_;
};

}  // namespace

const ActionInput* Action::find_input(std::string_view id) const {
  const auto found = std::find_if(inputs.begin(), inputs.end(),
                                  [&](const ActionInput& input) { return expression::equal_ignoring_case(input.id, id); });
  return found == inputs.end() ? nullptr : &*found;
}

ActionResult read_action(std::string_view text, std::string file_name) {
  ActionResult result;
  auto tree = read_template(text, action_schema(), TemplateLimits{});
  if (tree.root && tree.root->is_mapping()) {
    result.action.emplace();
    result.action->file = file_name;
    ActionConverter(tree.issues, *result.action).run(*tree.root);
  }
  for (auto& issue : tree.issues) {
    issue.file = file_name;
    result.diagnostics.push_back(to_diagnostic(issue));
  }
  sort_unique(result.diagnostics);
  return result;
}

}  // namespace drydock::parser::workflow
