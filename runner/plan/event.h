#pragma once
// The event a run answers to: the github context and the payload that GitHub would give, as far as a repository
// on this machine can tell. What had to be assumed is in the notes.

#include <map>
#include <string>
#include <vector>

#include "executors/base/json.h"
#include "executors/base/result.h"
#include "parser/workflow/event_filter.h"
#include "parser/workflow/model.h"
#include "runner/plan/git_facts.h"

namespace drydock::runner {

struct EventOptions {
  std::string name;             // "push", "workflow_dispatch", …
  std::string payload_file;     // --event-path: used as it is, over what the repository says
  std::string ref;              // instead of HEAD
  std::string actor;            // instead of git's github.user, the owner, or the system's user
  std::map<std::string, std::string> inputs;  // workflow_dispatch
  std::string run_id = "1", run_number = "1", run_attempt = "1";
};

struct TriggerEvent {
  std::string name;
  OrderedJson github;           // the context, without what only a job knows (job, token, workspace, …)
  parser::workflow::Trigger trigger;
  std::vector<std::string> notes;

  const OrderedJson& payload() const { return github.at("event"); }
};

Result<TriggerEvent> make_event(const EventOptions& options, const GitFacts& git);

/// The context for one workflow: its name, file and commit added.
OrderedJson github_for(const TriggerEvent& event, const parser::workflow::Workflow& workflow);

/// The `inputs` context: what was given, defaults, types as declared. An Error (usage) names a missing required
/// input, an unknown one, or a value that the type does not take.
Result<OrderedJson> inputs_for(const TriggerEvent& event, const parser::workflow::Workflow& workflow);

/// What `drydock run` answers to when no event is named: push if any workflow knows it, else workflow_dispatch, else
/// the first event of the first one.
std::string default_event(const std::vector<parser::workflow::Workflow>& workflows);

}  // namespace drydock::runner
