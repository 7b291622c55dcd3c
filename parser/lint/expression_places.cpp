#include "parser/lint/called_workflow.h"
#include "parser/lint/expression_rule.h"
#include "parser/lint/known_action.h"
#include "parser/lint/known_contexts.h"
#include "parser/lint/matrix_type.h"

#include <algorithm>

namespace drydock::parser::lint {

using workflow::Event;
using workflow::InputType;
using workflow::Job;
using workflow::Step;
using workflow::StepKind;
using workflow::Token;

namespace {

TypePtr type_of_input(InputType type) {
  if (type == InputType::boolean) return boolean_type();
  if (type == InputType::number) return number_type();
  return string_type();
}

TypePtr outputs_of(const std::vector<std::string>& names) {
  Properties properties;
  for (const auto& name : names) properties.emplace(lower(name), string_type());
  return object_type(std::move(properties));
}

/// The schema has made strings of the numbers and booleans below `with`; their plain text tells them.
TypePtr literal_type(const Token& token) {
  const auto& text = token.source;
  if (token.style != workflow::ScalarStyle::plain || text.empty()) return string_type();
  if (text == "null" || text == "~") return null_type();
  if (text == "true" || text == "false") return boolean_type();
  return text.find_first_not_of("0123456789.-") == std::string::npos ? number_type() : string_type();
}

bool is_written(const Event& event, std::string_view key) {
  return event.value.find(key) != nullptr;
}

}  // namespace

void ExpressionRule::run() {
  contexts_of_workflow();
  const auto& workflow = *context_.workflow;
  text(workflow.name, "");
  text(workflow.run_name, "run-name");
  texts(workflow.env, "env");
  defaults(workflow.defaults, "");
  concurrency(workflow.concurrency, "concurrency");
  jobs();
  call_outputs();
}

void ExpressionRule::contexts_of_workflow() {
  if (context_.options.variables) {
    Properties known;
    for (const auto& name : *context_.options.variables) known.emplace(lower(name), string_type());
    contexts_["vars"] = object_type(std::move(known));
  }
  Properties inputs;
  const auto add = [&](std::string_view name, TypePtr type) {
    const auto [place, is_new] = inputs.emplace(lower(name), type);
    if (!is_new) place->second = merge(place->second, type);
  };
  for (const auto& event : context_.workflow->on) {
    if (event.name == "workflow_dispatch") {
      Properties in_payload;
      for (const auto& input : event.inputs) {
        add(input.id, type_of_input(input.type));
        in_payload.emplace(lower(input.id), string_type());
      }
      auto github = contexts_["github"]->properties;
      github["event"] = loose_object({{"inputs", object_type(std::move(in_payload))}});
      contexts_["github"] = object_type(std::move(github));
    }
    if (event.name != "workflow_call") continue;
    call_inputs(event);
    for (const auto& input : event.inputs) {
      const auto* spec = event.value.find("inputs")->find(input.id);
      add(input.id,
          spec != nullptr && spec->find("type") != nullptr ? type_of_input(input.type) : any_type());
    }
    if (!is_written(event, "secrets")) continue;
    Properties secrets = {{"github_token", string_type()},
                          {"actions_step_debug", string_type()},
                          {"actions_runner_debug", string_type()}};
    for (const auto& secret : event.secrets) secrets.emplace(lower(secret.id), string_type());
    contexts_["secrets"] = object_type(std::move(secrets));
  }
  contexts_["inputs"] = object_type(std::move(inputs));
}

/// A default may use the inputs above it.
void ExpressionRule::call_inputs(const Event& event) {
  Properties earlier;
  for (const auto& input : event.inputs) {
    contexts_["inputs"] = object_type(earlier);
    const auto type = type_of_input(input.type);
    earlier.emplace(lower(input.id), type);
    const auto& given = input.default_value;
    if (!given || given->source.find("${{") == std::string::npos) continue;
    const auto found = whole(*given, "on.workflow_call.inputs.<inputs_id>.default");
    if (is_assignable(*type, *found) &&
        !(type->kind == Kind::boolean && found->kind != Kind::boolean && found->kind != Kind::any))
      continue;
    context_.report("expression", given->range.start,
                    "the default of input \"" + input.id + "\" must be of type " + to_text(*type) +
                        ", but this expression is of type " + to_text(*found));
  }
}

void ExpressionRule::call_outputs() {
  Properties jobs;
  for (const auto& job : context_.workflow->jobs) {
    jobs.emplace(lower(job.id), object_type({{"outputs", job_outputs(job)}, {"result", string_type()}}));
  }
  contexts_["jobs"] = object_type(std::move(jobs));
  for (const auto& event : context_.workflow->on) {
    for (const auto& output : event.outputs) text(output.value, "on.workflow_call.outputs.<output_id>.value");
  }
}

TypePtr ExpressionRule::job_outputs(const Job& job) {
  if (job.is_call()) {
    const auto called = called_workflow(context_, job.uses->text);
    return called.found && called.problem.empty() ? outputs_of(called.outputs) : map_type(string_type());
  }
  if (job.outputs && !job.outputs->is_mapping()) return map_type(string_type());
  Properties properties;
  if (job.outputs) {
    for (const auto& entry : job.outputs->entries) properties.emplace(lower(entry.key.text), string_type());
  }
  return object_type(std::move(properties));
}

TypePtr ExpressionRule::needs_type(const Job& job) {
  Properties needs;
  for (const auto& need : job.needs) {
    const auto* other = context_.workflow->find_job(need.value);
    if (other == nullptr) continue;
    needs.emplace(lower(need.value),
                  object_type({{"outputs", job_outputs(*other)}, {"result", string_type()}}));
  }
  return object_type(std::move(needs));
}

void ExpressionRule::defaults(const std::optional<workflow::Defaults>& defaults, std::string_view key) {
  if (!defaults) return;
  text(defaults->shell, key);
  text(defaults->working_directory, key);
}

void ExpressionRule::concurrency(const std::optional<workflow::Concurrency>& concurrency,
                                 std::string_view key) {
  if (!concurrency) return;
  text(concurrency->group, key);
  typed(concurrency->cancel_in_progress, key, Kind::boolean, "cancel-in-progress");
}

void ExpressionRule::jobs() {
  const auto before = contexts_;
  for (const auto& each : context_.workflow->jobs) {
    job(each);
    contexts_ = before;
  }
}

void ExpressionRule::container(const workflow::Container& container, std::string_view key) {
  if (container.value.is_expression()) return text(container.value, key);
  const std::string base(key);
  text(container.image, key == "jobs.<job_id>.container" ? "jobs.<job_id>.container.image" : key);
  const auto credentials_key =
      base + (base.ends_with("services") ? ".<service_id>.credentials" : ".credentials");
  if (const auto* credentials = container.value.find("credentials")) {
    if (!credentials->is_mapping()) typed(*credentials, credentials_key, Kind::object, "credentials");
  }
  if (container.credentials) {
    text(container.credentials->username, credentials_key);
    text(container.credentials->password, credentials_key);
  }
  texts(container.env, base + (base.ends_with("services") ? ".<service_id>.env.<env_id>" : ".env.<env_id>"));
  for (const auto& list : {container.ports, container.volumes}) {
    if (!list) continue;
    if (!list->is_sequence()) typed(list, key, Kind::array, "ports and volumes");
    for (const auto& item : list->items) text(item, key);
  }
  text(container.options, key);
  text(container.entrypoint, key);
  text(container.command, key);
}

void ExpressionRule::called(const Job& job) {
  const auto facts = called_workflow(context_, job.uses->text);
  if (job.with) {
    for (const auto& [name, value] : job.with->entries) {
      const bool is_expression = value.source.find("${{") != std::string::npos;
      const auto* input = CalledWorkflow::find(facts.inputs, name.text);
      const auto type = is_expression ? whole(value, "jobs.<job_id>.with.<with_id>") : literal_type(value);
      if (input == nullptr || is_assignable(*input->type, *type)) continue;
      context_.report("expression", value.range.start,
                      "input \"" + input->name + "\" of " + job.uses->text + " is of type " +
                          to_text(*input->type) + ", but this is of type " + to_text(*type));
    }
  }
  if (!job.secrets) return;
  for (const auto& entry : job.secrets->entries) text(entry.value, "jobs.<job_id>.secrets.<secrets_id>");
}

void ExpressionRule::job(const Job& job) {
  contexts_["needs"] = needs_type(job);
  if (job.strategy) {
    const std::string_view key = "jobs.<job_id>.strategy";
    if (!job.strategy->value.is_mapping()) typed(job.strategy->value, key, Kind::object, "strategy");
    if (job.strategy->matrix && !job.strategy->matrix->is_mapping())
      typed(job.strategy->matrix, key, Kind::object, "matrix");
    contexts_["matrix"] = matrix_type(*job.strategy, [&](const Token& token) { return whole(token, key); });
    if (job.strategy->matrix) {
      for (const auto& [name, value] : job.strategy->matrix->entries) {
        if (name.text == "exclude") tree(value, key);
        if (name.text == "include" && value.source.find("${{") != std::string::npos)
          typed(value, key, Kind::array, "include");
      }
    }
    typed(job.strategy->fail_fast, key, Kind::boolean, "fail-fast");
    typed(job.strategy->max_parallel, key, Kind::number, "max-parallel");
  }
  text(job.name, "jobs.<job_id>.name");
  if (job.runs_on) {
    const bool alone = job.runs_on->value.is_expression();
    if (alone) (void)expressions(job.runs_on->value, "jobs.<job_id>.runs-on");
    for (const auto& label : job.runs_on->labels) {
      if (!alone) text(label, "jobs.<job_id>.runs-on");
    }
    text(job.runs_on->group, "jobs.<job_id>.runs-on");
  }
  concurrency(job.concurrency, "jobs.<job_id>.concurrency");
  texts(job.env, "jobs.<job_id>.env");
  defaults(job.defaults, "jobs.<job_id>.defaults.run");
  condition(job.if_, "jobs.<job_id>.if");
  typed(job.continue_on_error, "jobs.<job_id>.continue-on-error", Kind::boolean, "continue-on-error");
  typed(job.timeout_minutes, "jobs.<job_id>.timeout-minutes", Kind::number, "timeout-minutes");
  if (job.container) container(*job.container, "jobs.<job_id>.container");
  if (job.services_value && !job.services_value->is_mapping())
    typed(job.services_value, "jobs.<job_id>.services", Kind::object, "services");
  for (const auto& service : job.services) container(service.container, "jobs.<job_id>.services");
  if (job.is_call()) {
    text(*job.uses, "");
    called(job);
  }
  steps(job.steps);
  after_steps(job);
}

void ExpressionRule::after_steps(const Job& job) {
  if (job.environment) {
    text(job.environment->name, "jobs.<job_id>.environment");
    text(job.environment->url, "jobs.<job_id>.environment.url");
    typed(job.environment->deployment, "jobs.<job_id>.environment", Kind::boolean, "deployment");
  }
  if (job.outputs) {
    for (const auto& entry : job.outputs->entries) text(entry.value, "jobs.<job_id>.outputs.<output_id>");
  }
  if (!job.snapshot) return;
  condition(job.snapshot->if_, "jobs.<job_id>.snapshot.if");
  text(job.snapshot->image_name, "jobs.<job_id>.snapshot");
  text(job.snapshot->version, "jobs.<job_id>.snapshot");
}

void ExpressionRule::steps(const std::vector<Step>& list) {
  for (const auto& each : list) {
    step(each);
    steps(each.parallel);
    remember(each);
  }
}

void ExpressionRule::step(const Step& step) {
  texts(step.env, "jobs.<job_id>.steps.env");
  condition(step.if_, "jobs.<job_id>.steps.if");
  text(step.name, "jobs.<job_id>.steps.name");
  text(step.run, "jobs.<job_id>.steps.run", Script::yes);
  text(step.shell, "");
  text(step.working_directory, "jobs.<job_id>.steps.working-directory");
  text(step.uses, "");
  if (step.with) {
    const bool is_script = step.uses && step.uses->text.starts_with("actions/github-script@");
    for (const auto& [name, value] : step.with->entries) {
      text(value, "jobs.<job_id>.steps.with", is_script && name.text == "script" ? Script::yes : Script::no);
    }
  }
  typed(step.continue_on_error, "jobs.<job_id>.steps.continue-on-error", Kind::boolean, "continue-on-error");
  typed(step.timeout_minutes, "jobs.<job_id>.steps.timeout-minutes", Kind::number, "timeout-minutes");
}

void ExpressionRule::remember(const Step& step) {
  if (step.id_generated || step.id.empty()) return;
  TypePtr outputs = map_type(string_type());
  if (step.uses) {
    const auto action = known_action(context_, step.uses->text);
    if (action && !action->any_output) outputs = outputs_of(action->outputs);
  }
  auto known = contexts_["steps"]->properties;
  known[lower(step.id)] =
      object_type({{"outputs", outputs}, {"conclusion", string_type()}, {"outcome", string_type()}});
  contexts_["steps"] = object_type(std::move(known));
}

}  // namespace drydock::parser::lint
