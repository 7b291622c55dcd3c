#pragma once
// The arguments that `run` and `plan` share, and what is made from them: the repository's facts, the workflows that
// were read, the event, the settings of the run.

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "executors/base/result.h"
#include "executors/step/job_request.h"
#include "parser/workflow/model.h"
#include "runner/config/config.h"
#include "runner/plan/event.h"
#include "runner/plan/expand.h"

namespace CLI {
class App;
}

namespace drydock::runner {

struct WorkflowArguments {
  std::string workflow;  // a file, or the name of one in .github/workflows
  std::string event, event_path, ref, actor;
  std::vector<std::string> jobs, matrix, secrets, inputs, vars;
  std::string secret_file, env_file, var_file;
  std::string isolation;
  std::vector<std::string> labels, action_sources;
  bool offline = false;
  bool real_actions = false;

  void add_to(CLI::App& command);
};

struct WorkflowText {
  std::string file;  // relative to the repository
  std::string text;
};

/// Everything a run or a plan starts from.
struct PreparedWorkflows {
  Config config;
  GitFacts git;
  TriggerEvent event;
  std::vector<WorkflowText> texts;
  std::vector<parser::workflow::Workflow> workflows;
  std::vector<std::string> warnings;        // called workflows that could not be fetched
  parser::Diagnostics diagnostics;          // of all files
  std::map<std::string, std::string> secrets;
  RunSettings settings;

  bool ok() const { return !parser::has_errors(diagnostics); }
  /// Each diagnostic with its source line, on standard error.
  void print_diagnostics() const;
};

/// Every workflow of the repository whose text is wanted, whichever file the arguments name; into.git is set.
Status read_repository_workflows(const WorkflowArguments& arguments, const std::function<bool(const std::string&)>& wanted,
                                 PreparedWorkflows& into);

/// Called workflows of other repositories: fetched for a run; for a dry run only what is at hand.
enum class Calls { fetched, at_hand };

Result<PreparedWorkflows> prepare_workflows(const WorkflowArguments& arguments, Calls calls);

}  // namespace drydock::runner
