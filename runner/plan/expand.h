#pragma once
// From one job of a workflow to the jobs that run: its condition, its matrix, names, labels, and a JobRequest for
// each. Pure. The same function serves a dry run, where `needs` of jobs to come are unknown, and the schedule,
// which expands a job when its needs have ended.

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "executors/step/job_request.h"
#include "parser/diagnostics/diagnostic.h"
#include "parser/expression/value.h"
#include "parser/workflow/model.h"
#include "runner/plan/concurrency_group.h"

namespace drydock::runner {

/// What holds for every job of a run.
struct RunSettings {
  OrderedJson vars = OrderedJson::object();
  std::vector<std::string> secrets;     // names that may be asked for
  step::RunnerInfo runner;              // of this machine
  std::set<std::string> labels;         // labels of this machine beyond the usual ones, lower case
  std::string work_dir;                 // jobs get <work_dir>/<job>[.<index>]/ for workspace, temp, credentials
  std::string tool_cache;
  std::string source;                   // the repository that a checkout takes from
  std::multimap<std::string, std::string> matrix_filter;  // --matrix key:value; any of the values of a key
};

/// What the jobs of a called workflow have before their own: "call / ", its name, "call+"; empty for the event's own.
struct CallerPrefix {
  std::string key, name, directory;
};

/// A job that uses what a run refuses: its expansion stops there, or goes on without the refusals.
enum class Refused { stopped, expanded };

/// Contexts of the workflow: github, inputs, and needs of this job (unknown values where a run must tell).
struct ExpansionContexts {
  OrderedJson github = OrderedJson::object();
  OrderedJson inputs = OrderedJson::object();
  parser::expression::Value needs;
  /// Of all jobs before this one; nothing in a dry run, where all are taken to succeed.
  std::optional<Outcome> ancestors;     // success, failure, skipped, cancelled
  bool cancelled = false;               // the run
  CallerPrefix caller;
  /// Only in a dry run: inputs of a called workflow, some of them unknown (instead of `inputs`), results of jobs
  /// before this one that hang on the run, and what to do with a job that a run refuses.
  std::optional<parser::expression::Value> planned_inputs;
  std::vector<std::string> undecided;
  Refused refused = Refused::stopped;
};

enum class Will { run, skip, unknown };
std::string_view name_of(Will will);

struct JobLeg {
  step::JobRequest request;
  bool continue_on_error = false;
  std::vector<std::string> labels;      // runs-on, evaluated
  std::vector<std::string> labels_depend_on;  // of a dry run: what labels that are not known hang on
  std::string runner_group;             // runs-on: group; empty without one
  std::optional<GroupSettings> group;   // concurrency
};

struct Expansion {
  Will will = Will::run;
  std::string reason;                   // why it is skipped, or what the answer depends on
  std::string matrix_waits_for;         // "needs.plan.outputs.matrix": there are no legs before it is known
  std::vector<JobLeg> legs;
  bool fail_fast = true;
  int max_parallel = 0;                 // 0: no limit of its own
  parser::Diagnostics problems;         // refusals and wrong expressions, with their places
};

Expansion expand_job(const parser::workflow::Workflow& workflow, const parser::workflow::Job& job,
                     const ExpansionContexts& contexts, const RunSettings& settings);

/// What the keys of one leg may read before it runs: github, inputs, vars, needs, strategy, matrix.
parser::expression::Context leg_context(const ExpansionContexts& contexts, const RunSettings& settings,
                                        const step::JobRequest& leg);

/// What no job of this workflow may use yet, whatever the event: named with its place.
parser::Diagnostics unsupported_in(const parser::workflow::Workflow& workflow, const parser::workflow::Job& job);

/// Why a job with these labels cannot run on this machine; empty when it can.
std::string refuse_labels(const std::vector<std::string>& labels, const RunSettings& settings);

}  // namespace drydock::runner
