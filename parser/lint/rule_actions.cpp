#include "parser/lint/known_action.h"
#include "parser/lint/rule.h"
#include "parser/lint/walk.h"

#include <algorithm>
#include <set>

namespace drydock::parser::lint {

namespace {

constexpr std::string_view k_rule = "action";

class ActionRule {
 public:
  explicit ActionRule(LintContext& context) : context_(context) {}

  void check(const workflow::Step& step) {
    const auto& uses = step.uses->source;
    if (uses.empty() || has_template(uses)) return;
    if (uses.starts_with("docker://")) return docker(step);
    if (!is_in_this_repository(uses) && !well_formed(step)) return;
    const auto action = known_action(context_, uses);
    if (!action) return;
    const auto at = step.uses->range.start;
    if (!action->problems.empty()) {
      if (!reported_.insert(uses).second) return;
      for (const auto& problem : action->problems) context_.report(k_rule, at, problem);
    }
    if (action->outdated) {
      context_.report(k_rule, at, "\"" + uses + "\" needs a runner that GitHub does not have any more",
                      "use a newer version of the action");
      return;
    }
    inputs(step, *action);
  }

 private:
  bool well_formed(const workflow::Step& step) {
    const auto& uses = step.uses->source;
    const auto at = uses.find('@');
    const auto slash = uses.find('/');
    std::string why;
    if (at == std::string::npos || at + 1 == uses.size()) {
      why = "its version is missing";
    } else if (slash == std::string::npos || slash == 0 || slash > at) {
      why = "its owner is missing";
    } else if (slash + 1 == at) {
      why = "the name of its repository is missing";
    }
    if (why.empty()) return true;
    context_.report(k_rule, step.uses->range.start, "\"" + uses + "\" names no action: " + why,
                    "write {owner}/{repository}@{ref}, {owner}/{repository}/{path}@{ref}, $/{path} or ./{path}");
    return false;
  }

  void docker(const workflow::Step& step) {
    const auto image = std::string_view(step.uses->source).substr(std::string_view("docker://").size());
    if (image.empty() || image.ends_with(':')) {
      context_.report(
          k_rule, step.uses->range.start,
          image.empty() ? "docker:// names no image" : "the tag of \"" + step.uses->source + "\" is empty");
    }
  }

  void inputs(const workflow::Step& step, const KnownAction& action) {
    std::set<std::string> given;
    std::vector<std::string> names;
    for (const auto& input : action.inputs) names.push_back(input.name);
    std::sort(names.begin(), names.end());
    if (step.with && !step.with->is_mapping()) return;
    const auto& uses = step.uses->source;
    if (step.with) {
      for (const auto& entry : step.with->entries) {
        const auto& key = entry.key;
        given.insert(lower(key.source));
        const auto* input = action.find_input(key.source);
        const bool of_container =
            action.is_docker && (lower(key.source) == "args" || lower(key.source) == "entrypoint");
        if (input == nullptr && !action.any_input && !of_container && !has_template(key.source)) {
          context_.report(k_rule, key.range.start,
                          "action \"" + uses + "\" has no input \"" + key.source + "\"",
                          names.empty() ? "it takes no inputs" : "inputs are " + quoted_list(names));
        }
        if (input != nullptr && input->deprecated) {
          context_.report(k_rule, key.range.start,
                          "input \"" + key.source + "\" of action \"" + uses + "\" is deprecated");
        }
      }
    }
    if (action.any_input) return;
    for (const auto& input : action.inputs) {
      if (!input.required || given.contains(lower(input.name))) continue;
      context_.report(k_rule, step.uses->range.start,
                      "action \"" + uses + "\" needs input \"" + input.name + "\"");
    }
  }

  LintContext& context_;
  std::set<std::string> reported_;  // local actions with broken metadata
};

}  // namespace

void check_actions(LintContext& context) {
  ActionRule rule(context);
  for (const auto& job : context.workflow->jobs) {
    each_step(job.steps, [&](const workflow::Step& step) {
      if (step.uses) rule.check(step);
    });
  }
}

}  // namespace drydock::parser::lint
