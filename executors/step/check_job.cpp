#include "executors/base/fs.h"
#include "executors/step/engine.h"
#include "executors/step/evaluator.h"
#include "executors/step/from_model.h"
#include "executors/step/go_on.h"
#include "executors/step/load_action.h"
#include "executors/step/shell.h"
#include "parser/expression/template_string.h"

namespace drydock::step {
namespace expression = parser::expression;
namespace {

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

class Checker {
 public:
  Checker(const JobRequest& request, const JobServices& services) : request_(request), services_(services) {}

  parser::Diagnostics run() {
    if (!services_.hosts.contains(request_.runner.isolation)) {
      refuse(request_.place,
             "isolation '" + std::string(name_of(request_.runner.isolation)) + "' is not available here",
             "run with --isolation host");
    }
    if (names_containers(request_) && !services_.hosts.contains(Isolation::container)) {
      const auto& tree = request_.container.empty() ? request_.services : request_.container;
      refuse(tree.scalar.place, "containers (of job '" + request_.job_id + "') are not available here");
    }
    check(request_.container);
    check(request_.services);
    for (const auto& layer : request_.env) check(layer);
    check(request_.outputs);
    check(request_.default_shell);
    check_shell(request_.default_shell);
    for (const auto& step : request_.steps) check(step);
    const auto going_on = check_go_on(request_);
    found_.insert(found_.end(), going_on.begin(), going_on.end());
    return std::move(found_);
  }

 private:
  void refuse(const Place& place, std::string what, std::string mend = {}) {
    found_.push_back(refusal(place, std::move(what), std::move(mend)));
  }

  void check(const StepRequest& step) {
    for (const Text* text : {&step.name, &step.condition, &step.run, &step.shell, &step.working_directory,
                             &step.continue_on_error, &step.timeout_minutes}) {
      check(*text);
    }
    check(step.with);
    check(step.env);
    check_shell(step.shell);
    if (step.is_action()) check_action(step);
  }

  void check(const TextTree& tree) {
    check(tree.scalar);
    for (const auto& item : tree.items) check(item);
    for (const auto& [key, part] : tree.entries) {
      check(key);
      check(part);
    }
  }

  void check(const TextMap& map) {
    for (const auto& [key, text] : map) {
      check(key);
      check(text);
    }
  }

  void check(const Text& text) {
    if (!text.is_expression()) return;
    const auto ast = expression::parse(text.text, job_scope());
    if (!ast) return refuse(text.place, ast.error().message);
  }

  void check_shell(const Text& shell) {
    if (shell.is_expression() || shell.empty()) return;
    const auto resolved = resolve_shell(shell.text, [](std::string_view name) { return std::string(name); });
    if (!resolved) refuse(shell.place, resolved.error().message, resolved.error().mend);
  }

  void check_action(const StepRequest& step, int depth = 0) {
    const std::string& uses = step.uses.text;
    // Local actions are made by the job itself; images are asked for when the job begins, and own files written.
    if (is_image_action(uses) || is_local_action(uses) || is_own_action(uses)) return;
    const auto reference = parse_action_reference(uses);
    if (!reference) {
      return refuse(step.uses.place, "'" + uses + "' does not name an action", "write owner/repository@version");
    }
    if (const NativeAction* action = native_form(services_, *reference)) {
      if (const Status served = action->serves(reference->version); !served) refuse(step.uses.place, Status(served).error());
      return;
    }
    if (!services_.source) {
      return refuse(step.uses.place, "action " + uses + " has no native form, and nothing here fetches actions",
                    services_.actions ? "native: " + joined(services_.actions->names()) : "");
    }
    check_remote(step, *reference, depth);
  }

  /// As far as it is at hand; what has to be fetched is checked when the job begins.
  void check_remote(const StepRequest& step, const ActionReference& reference, int depth) {
    const std::string& uses = step.uses.text;
    if (depth > k_deepest_action) {
      return refuse(step.uses.place, "Composite action depth exceeded max depth " + std::to_string(k_deepest_action));
    }
    const auto tree = services_.source->at_hand(reference);
    if (!tree) return refuse(step.uses.place, tree.error());
    if (!*tree) {
      if (services_.source->offline()) {
        refuse(step.uses.place, "action " + uses + " is not in the store, and --offline forbids fetching it",
               "run once without --offline, or give --action-source " + reference.repository + "=PATH");
      }
      return;
    }
    const auto directory = join_inside((*tree)->root, reference.path);
    if (!directory) return refuse(step.uses.place, directory.error());
    const auto action = read_action_directory(*directory, uses, uses);
    if (!action) return refuse(step.uses.place, action.error());
    for (const auto& nested : (*action)->steps) {
      if (nested.is_action()) check_action(nested, depth + 1);
    }
  }

  void refuse(const Place& place, const Error& error) { refuse(place, error.message, error.mend); }

  const JobRequest& request_;
  const JobServices& services_;
  parser::Diagnostics found_;
};

}  // namespace

parser::Diagnostics check_job(const JobRequest& request, const JobServices& services) {
  return Checker(request, services).run();
}

}  // namespace drydock::step
