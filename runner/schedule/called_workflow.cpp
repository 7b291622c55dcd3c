#include "runner/schedule/called_workflow.h"

#include <algorithm>
#include <filesystem>

#include "executors/base/masker.h"
#include "executors/step/evaluator.h"
#include "executors/step/from_model.h"
#include "runner/plan/call.h"
#include "runner/schedule/kept_jobs.h"

namespace drydock::runner {
namespace expression = parser::expression;
namespace {

constexpr const char* k_token = "GITHUB_TOKEN";  // goes to every called workflow, asked for or not

using Secrets = std::map<std::string, std::string>;

bool same_name(const std::string& a, const std::string& b) { return expression::equal_ignoring_case(a, b); }

std::optional<std::string> find(const Secrets& secrets, const std::string& name) {
  for (const auto& [known, value] : secrets) {
    if (same_name(known, name)) return value;
  }
  return std::nullopt;
}

/// What `secrets:` of the calling job says, with values. The caller's own are asked for by name.
Result<Secrets> mapped_secrets(const Scope& caller, const JobEntry& entry, const JobLeg& leg, Bus& bus) {
  Secrets out;
  expression::Object known;
  for (const auto& name : caller.settings.secrets) {
    const auto value = caller.services.secret ? caller.services.secret(name) : std::nullopt;
    if (!value) continue;
    known.set(name, *value);
    if (same_name(name, k_token)) out[name] = *value;
  }
  auto context = leg_context(caller.contexts_of(entry), caller.settings, leg.request);
  context.set("secrets", expression::Value(std::move(known)));
  step::Evaluator evaluator(bus, leg.request.key, caller.settings.secrets);
  DRYDOCK_ASSIGN(const auto given, evaluator.map(step::map_of(entry.job->secrets, caller.workflow.file), context));
  for (const auto& [name, value] : given) {
    if (!value.empty()) bus.masker().add(value);
    out[name] = value;
  }
  return out;
}

Status give_secrets(const Scope& caller, const JobEntry& entry, const JobLeg& leg, Bus& bus, Scope& called) {
  if (entry.job->inherit_secrets) return {};  // a copy of the caller's settings and services has them
  DRYDOCK_ASSIGN(auto secrets, mapped_secrets(caller, entry, leg, bus));
  called.settings.secrets.clear();
  for (const auto& [name, value] : secrets) called.settings.secrets.push_back(name);
  called.services.secret = [secrets = std::move(secrets)](const std::string& name) { return find(secrets, name); };
  return {};
}

/// Outputs of the called workflow. One that may hold a secret is left out, as those of jobs are.
std::map<std::string, std::string> outputs_of(const Scope& called, const JobLeg& leg, Bus& bus) {
  std::map<std::string, std::string> out;
  const auto* event = called.workflow.find_event("workflow_call");
  if (!event) return out;
  expression::Context context;
  context.set("github", expression::Value::from_json(called.github));
  context.set("inputs", expression::Value::from_json(called.inputs));
  context.set("vars", expression::Value::from_json(called.settings.vars)).set("jobs", called.table.jobs());
  step::Evaluator evaluator(bus, leg.request.key, {});
  for (const auto& output : event->outputs) {
    auto value = evaluator.string(step::text_of(output.value, called.workflow.file), context);
    if (!value) {
      bus.error("output '" + output.id + "': " + value.error().to_string(), evaluator.place());
    } else if (bus.masker().mask(*value) != *value) {
      bus.warning("Skip output '" + output.id + "' since it may contain secret.", evaluator.place());
    } else {
      out[output.id] = std::move(*value);
    }
  }
  return out;
}

}  // namespace

Call enter_call(const Scope& caller, const JobEntry& entry, const JobLeg& leg, Bus& bus) {
  Call call;
  auto scope = std::make_unique<Scope>(*entry.job->called, std::set<std::string>());
  scope->caller = &caller;
  scope->held_group = leg.group ? leg.group->name : "";
  scope->cancelled = caller.cancelled;  // of a call that runs in spite of it: its jobs ask their own conditions
  scope->github = caller.github;
  scope->settings = caller.settings;
  scope->services = caller.services;
  scope->prefix = {.key = leg.request.key + " / ", .name = leg.request.name + " / ",
                   .directory = std::filesystem::path(job_dir(leg.request)).filename().string() + "+"};
  auto inputs = call_inputs(*entry.job, caller.workflow.file, leg_context(caller.contexts_of(entry), caller.settings, leg.request));
  call.problems = std::move(inputs.problems);
  scope->inputs = inputs.values.to_json();
  if (const Status given = give_secrets(caller, entry, leg, bus, *scope); !given) {
    const Error error = Status(given).error();
    call.problems.push_back(step::refusal(entry.job->secrets ? entry.job->secrets->range : entry.job->range,
                                          caller.workflow.file, error.message, error.mend));
  }
  if (!has_errors(call.problems)) call.scope = std::move(scope);
  return call;
}

step::JobResult leave_call(const Scope& called, const JobLeg& leg, Bus& bus) {
  step::JobResult result{.key = leg.request.key, .conclusion = called.table.conclusion()};
  if (called.cancelled && result.conclusion != Outcome::failure) result.conclusion = Outcome::cancelled;
  result.outputs = outputs_of(called, leg, bus);
  return result;
}

}  // namespace drydock::runner
