#pragma once
// From `uses:` to an action that can be run: native form, remote tree, directory of the workspace or image; with the
// actions that composite ones use. Internal to this room.

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "executors/step/action_container.h"
#include "executors/step/engine.h"
#include "executors/step/loaded_action.h"

namespace drydock::step {

/// An error at a place of the workflow or of an action's metadata.
struct Problem {
  Error error;
  Place place;
};

/// A composite action may be used by another, this deep, as GitHub counts: the job's own steps are 0.
inline constexpr int k_deepest_action = 9;

/// Reads action.yml, action.yaml or Dockerfile of a directory. `shown` names it in messages: "owner/repo@v1".
/// Refuses what cannot be run, with file, line and column.
Result<std::shared_ptr<const LoadedAction>> read_action_directory(const std::string& directory, const std::string& uses,
                                                                  const std::string& shown);

/// The container of an action, as far as its image goes.
ActionContainer container_of(const LoadedAction& action);

/// Nothing when the original is to run, or there is no native form.
const NativeAction* native_form(const JobServices& services, const ActionReference& reference);

bool is_local_action(std::string_view uses);
/// "$/path": in the repository of the file that it stands in, at that file's commit.
bool is_own_action(std::string_view uses);
bool is_image_action(std::string_view uses);

/// Of one job. Thread-safe.
class ActionLoader {
 public:
  ActionLoader(const JobRequest& request, const JobServices& services, StepHost& host, std::string token);

  /// All that these steps use and that is no local action: fetched, read and checked, images brought.
  std::optional<Problem> load(const std::vector<StepRequest>& steps, std::vector<ActionUse>& uses, std::stop_token stop);
  /// A local action, when its step is reached, with all that it uses. `depth` of the step.
  std::optional<Problem> load_local(const StepRequest& step, ActionUse& use, int depth, std::stop_token stop);

 private:
  using Loaded = std::shared_ptr<const LoadedAction>;
  /// A repository at a ref: that of the workflow, or of the action whose steps these are.
  struct Home {
    std::string repository, ref;
  };
  Home home_of_job() const;
  std::optional<Problem> load_all(const std::vector<StepRequest>& steps, std::vector<ActionUse>& uses, int depth, const Home& home);
  Result<Loaded> one(const std::string& uses, const Home& home);
  Result<Loaded> own(const std::string& uses, const Home& home);
  Result<Loaded> remote(const std::string& uses, const ActionReference& reference);
  Result<std::string> tree_of(const ActionReference& reference);
  Status ready(const LoadedAction& action);
  void say(std::string text);

  const JobRequest& request_;
  const JobServices& services_;
  StepHost& host_;
  std::string token_;
  std::mutex mutex_;
  std::stop_token stop_;  // of the call at hand
  std::map<std::string, Loaded> loaded_;      // by uses
  std::map<std::string, std::string> trees_;  // "owner/repo@ref" to this job's tree
  std::set<std::string> images_;              // that were brought
  std::set<std::string> warned_;
};

}  // namespace drydock::step
