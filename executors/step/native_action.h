#pragma once
// Actions that drydock performs itself instead of running their JavaScript: same inputs, outputs, saved state
// and post step as the original. A NativeAction is stateless and shared by parallel jobs; what must live from
// main to post goes through save_state, as in the originals.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "executors/base/result.h"
#include "executors/step/action_context.h"

namespace drydock::step {

struct InputDeclaration {
  std::string name;
  std::string default_value;  // may hold expressions on github, as in action.yml: "${{ github.token }}"
  bool required = false;      // shown in plans; enforcing it is the action's own work, as on GitHub
  std::string deprecation;    // warned with when the input is given
};

/// "owner/repository[/path]@version", taken apart.
struct ActionReference {
  std::string repository;  // "docker/build-push-action"
  std::string path;        // below the repository, "" at its root
  std::string version;     // "v5", a branch, a commit

  std::string name() const { return path.empty() ? repository : repository + "/" + path; }
};

/// Nothing for "./local", "docker://image" and what has no "@".
std::optional<ActionReference> parse_action_reference(std::string_view uses);

/// on_success: only while no step has failed and nothing was cancelled, as `post-if: success()`.
enum class PostStep { none, always, on_success };

class NativeAction {
 public:
  virtual ~NativeAction() = default;
  /// "docker/build-push-action"; compared without case.
  virtual std::string_view name() const = 0;
  /// An error says which versions are served, for a version whose meaning differs too much.
  virtual Status serves(std::string_view version) const;
  virtual const std::vector<InputDeclaration>& inputs() const = 0;
  virtual const std::vector<std::string>& outputs() const = 0;
  virtual PostStep post_step() const { return PostStep::none; }

  /// An error fails the step: its message is shown as the step's error, its code chooses the exit status.
  virtual Status main(ActionContext& context) const = 0;
  virtual Status post(ActionContext& context) const;
};

/// The native actions of this program, by name. Filled once, then only read.
class NativeActions {
 public:
  void add(std::shared_ptr<const NativeAction> action);
  /// Nothing when no native form answers for it.
  const NativeAction* find(const ActionReference& reference) const;
  std::vector<std::string> names() const;

 private:
  std::map<std::string, std::shared_ptr<const NativeAction>> by_name_;  // lower case
};

}  // namespace drydock::step
