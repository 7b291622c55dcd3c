#pragma once
// A dry run: which workflows and jobs an event would run and why others not, the matrix, each step's values, where
// the legs of a build would run. What only a run can tell is shown as unknown, with what it depends on.
// Immutable values, made by a pure function; docs/formats/plan.md describes the JSON.

#include <optional>
#include <string>
#include <vector>

#include "executors/base/json.h"
#include "executors/step/engine.h"
#include "executors/worker/placement.h"
#include "parser/diagnostics/diagnostic.h"
#include "parser/workflow/model.h"
#include "runner/plan/event.h"
#include "runner/plan/expand.h"

namespace drydock::runner {

struct PlannedValue {
  std::string name;                      // "run", "with.tags", "env.A", "if"
  std::string text;                      // when known; secrets show as ***
  std::vector<std::string> depends_on;   // when not
  Place place;
  bool known() const { return depends_on.empty(); }
};

struct PlannedBuild {
  std::vector<worker::Placement> legs;   // none while the platforms are unknown
  PlannedValue platforms, tags, cache_from, cache_to, push;
};

/// A step of a composite action, as it is written: "3.1".
struct PlannedNestedStep {
  std::string number, name, action;      // action: empty for run:
  std::vector<PlannedNestedStep> steps;  // of a composite action again
};

struct PlannedStep {
  std::string number, id, name;
  Will will = Will::run;
  std::string reason;                    // why skipped, or what it depends on
  std::string action;                    // "docker/build-push-action@v5"; empty for run:
  std::vector<PlannedValue> values;
  std::optional<PlannedBuild> build;
  std::vector<PlannedNestedStep> steps;  // of a composite action that is at hand
  Place place;
};

/// The job's own, or a service.
struct PlannedContainer {
  std::string service;                   // id; empty for the job's own, "*" when not even the services are known
  PlannedValue image, options, entrypoint, command;
  std::vector<PlannedValue> env, ports, volumes;
  PlannedValue credentials;              // "given" or "none"
  Place place;
};

struct PlannedJob;

/// Of a job with steps, or of one that calls a workflow: its inputs and jobs.
struct PlannedLeg {
  std::string key, name;
  std::vector<std::string> labels;
  std::vector<std::string> labels_depend_on;  // when some are not known
  std::vector<PlannedContainer> containers;   // the job's own first
  std::vector<PlannedStep> steps;
  std::vector<PlannedValue> inputs;
  std::vector<PlannedJob> jobs;
};

struct PlannedJob {
  std::string id;
  std::vector<std::string> needs;
  Will will = Will::run;
  std::string reason;
  std::string calls;                     // "./.github/workflows/x.yml"; empty for a job with steps
  std::vector<std::string> notes;        // why `run` refuses this job, or what is not known here
  std::string matrix_waits_for;
  std::vector<PlannedLeg> legs;
  Place place;
};

struct PlannedWorkflow {
  std::string file, name;
  Will will = Will::run;
  std::string reason;
  std::vector<PlannedJob> jobs;
};

struct Plan {
  static constexpr int k_schema = 1;
  std::string event, ref, sha, repository;
  std::vector<std::string> notes;        // what was assumed of the event
  std::vector<PlannedWorkflow> workflows;
  parser::Diagnostics problems;          // refusals, wrong expressions, undefined secrets (warnings)
};

struct PlanInputs {
  TriggerEvent event;
  RunSettings settings;
  std::vector<worker::Worker> workers;
  const step::NativeActions* actions = nullptr;
  step::NativeForms native_forms = step::NativeForms::preferred;
  step::ActionSource* source = nullptr;  // asked for nothing but what is at hand
  step::Hosts hosts = step::machine_hosts();
  std::set<std::string> jobs;            // -j; all when empty
};

Plan make_plan(const std::vector<parser::workflow::Workflow>& workflows, const PlanInputs& inputs);

/// A tree for people.
std::string to_text(const Plan& plan);
OrderedJson to_json(const Plan& plan);

}  // namespace drydock::runner
