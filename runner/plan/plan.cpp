#include "runner/plan/plan.h"

#include <algorithm>
#include <map>
#include <set>

#include "executors/step/from_model.h"
#include "parser/workflow/event_filter.h"
#include "runner/plan/nested_actions.h"
#include "runner/plan/plan_containers.h"
#include "runner/plan/plan_values.h"

namespace drydock::runner {
namespace model = parser::workflow;
namespace expression = parser::expression;
namespace {

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

const PlannedValue* find(const std::vector<PlannedValue>& values, std::string_view name) {
  const auto found = std::find_if(values.begin(), values.end(), [&](const PlannedValue& value) {
    return expression::equal_ignoring_case(value.name, name);
  });
  return found == values.end() ? nullptr : &*found;
}

PlannedValue take(const std::vector<PlannedValue>& values, const std::string& name) {
  const PlannedValue* found = find(values, "with." + name);
  return found ? *found : PlannedValue{.name = "with." + name};
}

class Planner {
 public:
  Planner(const PlanInputs& inputs, Plan& plan) : inputs_(inputs), plan_(plan) {
    services_.actions = inputs.actions;
    services_.native_forms = inputs.native_forms;
    services_.source = inputs.source;
    services_.hosts = inputs.hosts;
  }

  PlannedWorkflow workflow(const model::Workflow& workflow) {
    PlannedWorkflow out{.file = workflow.file};
    const OrderedJson github = github_for(inputs_.event, workflow);
    out.name = github.value("workflow", workflow.file);
    const auto verdict = model::triggered_by(workflow, inputs_.event.trigger);
    out.reason = verdict.reason;
    if (!verdict.runs) {
      out.will = Will::skip;
      return out;
    }
    auto given = inputs_for(inputs_.event, workflow);
    if (!given) {
      auto problem = step::refusal(Place{workflow.file, 1, 1}, given.error().message, given.error().mend);
      problem.rule = "inputs";
      plan_.problems.push_back(std::move(problem));
      given = OrderedJson::object();
    }
    Scope scope{.workflow = workflow, .github = github, .inputs = expression::Value::from_json(*given)};
    for (const auto& each : workflow.jobs) {
      if (inputs_.jobs.empty() || wanted(workflow, each.id)) scope.wanted.insert(each.id);
    }
    out.jobs = jobs(scope);
    return out;
  }

 private:
  /// What a job gives to those that need it.
  struct Given {
    PlannedJob job;
    expression::Value outputs;
  };

  /// The jobs of one workflow, the event's or a called one.
  struct Scope {
    const model::Workflow& workflow;
    const OrderedJson& github;
    expression::Value inputs;
    std::set<std::string> wanted = {};
    std::string key, name;                      // of the calling job, before those of its jobs: "call/", "call / "
    std::map<std::string, Given> planned = {};  // by id as written
  };

  std::vector<PlannedJob> jobs(Scope& scope) {
    // Needs come first, whatever the order of the file; the reader has refused circles.
    for (std::size_t before = scope.planned.size() + 1; before != scope.planned.size();) {
      before = scope.planned.size();
      for (const auto& each : scope.workflow.jobs) {
        if (scope.wanted.contains(each.id) && !scope.planned.contains(each.id) && ready(scope, each)) {
          scope.planned.emplace(each.id, job(scope, each));
        }
      }
    }
    std::vector<PlannedJob> out;
    for (const auto& each : scope.workflow.jobs) {
      if (const auto found = scope.planned.find(each.id); found != scope.planned.end()) out.push_back(std::move(found->second.job));
    }
    return out;
  }

  static const Given* needed(const Scope& scope, const std::string& id) {
    const model::Job* job = scope.workflow.find_job(id);
    const auto found = job ? scope.planned.find(job->id) : scope.planned.end();
    return found == scope.planned.end() ? nullptr : &found->second;
  }

  static bool ready(const Scope& scope, const model::Job& job) {
    return std::all_of(job.needs.begin(), job.needs.end(), [&](const model::Text& need) {
      return !scope.workflow.find_job(need.value) || needed(scope, need.value);
    });
  }

  /// Jobs before it that are skipped, or that hang on the run, decide success().
  static void look_back(const Scope& scope, const model::Job& job, ExpansionContexts& contexts) {
    for (const auto& need : job.needs) {
      const Given* before = needed(scope, need.value);
      if (!before) continue;
      if (before->job.will == Will::skip) contexts.ancestors = Outcome::skipped;
      if (before->job.will == Will::unknown) contexts.undecided.push_back("needs." + need.value + ".result");
      const model::Job* of = scope.workflow.find_job(need.value);
      if (of) look_back(scope, *of, contexts);
    }
  }

  static expression::Value result_and_outputs(const Given& given, const std::string& name) {
    expression::Object one;
    one.set("result", given.job.will == Will::run    ? expression::Value("success")
                      : given.job.will == Will::skip ? expression::Value("skipped")
                                                     : expression::Value::unknown(name + ".result"));
    one.set("outputs", given.outputs);
    return expression::Value(std::move(one));
  }

  static expression::Value needs_of(const Scope& scope, const model::Job& job) {
    expression::Object all;
    for (const auto& need : job.needs) {
      const Given* before = needed(scope, need.value);
      if (!before) continue;
      all.set(need.value, result_and_outputs(*before, "needs." + need.value));
    }
    return expression::Value(std::move(all));
  }

  /// Named by -j, or needed by one that is.
  bool wanted(const model::Workflow& workflow, const std::string& id) const {
    for (const auto& name : inputs_.jobs) {
      if (expression::equal_ignoring_case(name, id)) return true;
      const model::Job* named = workflow.find_job(name);
      if (named && needs(workflow, *named, id)) return true;
    }
    return false;
  }

  static bool needs(const model::Workflow& workflow, const model::Job& job, const std::string& id) {
    for (const auto& need : job.needs) {
      if (expression::equal_ignoring_case(need.value, id)) return true;
      const model::Job* needed = workflow.find_job(need.value);
      if (needed && needs(workflow, *needed, id)) return true;
    }
    return false;
  }

  Given job(const Scope& scope, const model::Job& job) {
    const model::Workflow& workflow = scope.workflow;
    Given given{.job = {.id = job.id, .place = step::place_of(job.range, workflow.file)}};
    PlannedJob& out = given.job;
    for (const auto& need : job.needs) out.needs.push_back(need.value);
    ExpansionContexts contexts{.github = scope.github, .needs = needs_of(scope, job)};
    contexts.planned_inputs = scope.inputs;
    contexts.refused = Refused::expanded;
    look_back(scope, job, contexts);
    const Expansion expansion = expand_job(workflow, job, contexts, inputs_.settings);
    out.will = expansion.will;
    out.reason = expansion.reason;
    out.matrix_waits_for = expansion.matrix_waits_for;
    add_problems(expansion.problems);
    if (job.is_call()) out.calls = job.uses->to_string();
    out.notes = notes_of(workflow, job);
    expression::Object outputs;
    for (const auto& each : expansion.legs) {
      PlanValues values(each.request, scope.inputs, contexts.needs, plan_.problems);
      if (job.is_call()) {
        out.legs.push_back(call(scope, job, each, values, outputs));
        continue;
      }
      for (const auto& value : values.map("", each.request.outputs)) add_output(job, value, outputs);
      add_problems(step::check_job(each.request, services_));
      out.legs.push_back(leg(scope, each, values));
    }
    given.outputs = out.will != Will::skip && (out.legs.empty() || (job.is_call() && !job.called))
                        ? expression::Value::unknown("needs." + job.id + ".outputs")
                        : expression::Value(std::move(outputs));
    return given;
  }

  /// What `run` refuses is no fault of the file, so a plan goes on and says it beside the job.
  static std::vector<std::string> notes_of(const model::Workflow& workflow, const model::Job& job) {
    std::vector<std::string> notes;
    for (const auto& refusal : unsupported_in(workflow, job)) notes.push_back("drydock run refuses this job: " + refusal.message);
    return notes;
  }

  /// The outputs of all legs together: one that differs between legs is the last one's to end, so not known.
  static void add_output(const model::Job& job, const PlannedValue& value, expression::Object& outputs) {
    const expression::Value* before = outputs.find(value.name);
    const bool same = !before || (!before->is_unknown() && before->to_string() == value.text);
    outputs.set(value.name, value.known() && same
                                ? expression::Value(value.text)
                                : expression::Value::unknown("needs." + job.id + ".outputs." + value.name));
  }

  /// What `jobs` is for the outputs of a called workflow.
  static expression::Value jobs_of(const Scope& scope) {
    expression::Object all;
    for (const auto& [id, given] : scope.planned) all.set(id, result_and_outputs(given, "jobs." + id));
    return expression::Value(std::move(all));
  }

  PlannedLeg call(const Scope& scope, const model::Job& job, const JobLeg& leg, PlanValues& values,
                  expression::Object& outputs) {
    PlannedLeg out{.key = scope.key + leg.request.key, .name = scope.name + leg.request.name};
    out.inputs = values.map("", step::map_of(job.with, scope.workflow.file));
    if (!job.called) return out;
    const model::Event* declared = job.called->find_event("workflow_call");
    if (!declared) return out;
    expression::Object inputs;
    std::vector<PlannedValue> given = std::move(out.inputs);
    for (const auto& input : declared->inputs) {
      const PlannedValue* written = find(given, input.id);
      PlannedValue value = written ? *written
                           : input.default_value
                               ? values.value(input.id, step::text_of(*input.default_value, job.called->file))
                               : PlannedValue{.name = input.id, .text = empty_of(input.type)};
      value.name = input.id;
      inputs.set(input.id, typed(input.type, value));
      out.inputs.push_back(std::move(value));
    }
    Scope inner{.workflow = *job.called, .github = scope.github, .inputs = expression::Value(std::move(inputs)),
                .key = out.key + " / ", .name = out.name + " / "};
    for (const auto& each : job.called->jobs) inner.wanted.insert(each.id);
    out.jobs = jobs(inner);
    PlanValues answers(leg.request, inner.inputs, expression::Value(expression::Object()), plan_.problems);
    answers.set_jobs(jobs_of(inner));
    for (const auto& output : declared->outputs) {
      add_output(job, answers.value(output.id, step::text_of(output.value, job.called->file)), outputs);
    }
    return out;
  }

  static std::string empty_of(model::InputType type) {
    return type == model::InputType::boolean ? "false" : type == model::InputType::number ? "0" : "";
  }

  static expression::Value typed(model::InputType type, const PlannedValue& value) {
    if (!value.known()) {
      std::vector<expression::Value> sources;
      for (const auto& name : value.depends_on) sources.push_back(expression::Value::unknown(name));
      return expression::Value::unknown_from(sources);
    }
    if (type == model::InputType::boolean) return expression::Value(value.text == "true");
    if (type == model::InputType::number) return expression::Value(expression::parse_number(value.text));
    return expression::Value(value.text);
  }

  void add_problems(const parser::Diagnostics& more) {
    plan_.problems.insert(plan_.problems.end(), more.begin(), more.end());
  }

  PlannedLeg leg(const Scope& scope, const JobLeg& leg, PlanValues& values) {
    PlannedLeg out{.key = scope.key + leg.request.key, .name = scope.name + leg.request.name, .labels = leg.labels,
                   .labels_depend_on = leg.labels_depend_on};
    out.containers = planned_containers(leg.request, values);
    for (const auto& each : out.containers) add_problems(refused_of(each));
    int number = 0;
    for (const auto& each : leg.request.steps) out.steps.push_back(step(each, ++number, values));
    return out;
  }

  PlannedStep step(const step::StepRequest& step, int number, PlanValues& values) {
    PlannedStep out{.number = std::to_string(number), .id = step.id.starts_with("__") ? "" : step.id, .place = step.place};
    out.values = values.enter_step(step.env);
    std::vector<std::string> depends_on;
    switch (values.condition(step.condition, depends_on)) {
      case expression::Truth::yes: break;
      case expression::Truth::no: out.will = Will::skip; out.reason = "its condition is false: " + step.condition.text; break;
      case expression::Truth::undecided: out.will = Will::unknown; out.reason = "depends on " + joined(depends_on);
    }
    const PlannedValue name = step.name.empty() ? PlannedValue{} : values.value("name", step.name);
    if (step.is_action()) {
      out.action = step.uses.text;
      out.steps = nested_steps(out.action, out.number, services_, inputs_.settings.source);
      for (auto& value : values.map("with.", step.with)) out.values.push_back(std::move(value));
      const auto reference = step::parse_action_reference(step.uses.text);
      if (reference && expression::equal_ignoring_case(reference->name(), "docker/build-push-action")) {
        out.build = build(step, out.values);
      }
    } else {
      for (const auto& [key, text] : {std::pair{"run", &step.run}, {"shell", &step.shell}, {"working-directory", &step.working_directory}}) {
        if (!text->empty()) out.values.push_back(values.value(key, *text));
      }
    }
    if (step.background) out.values.push_back({.name = "background", .text = "true", .place = step.place});
    const PlannedValue* run = find(out.values, "run");
    const std::string script = run ? (run->known() ? run->text : step.run.shown()) : "";
    out.name = !step.name.empty() && name.known() ? name.text
               : !step.name.empty()               ? step.name.shown()
               : step.control != step::StepControl::none ? step::name_of_control(step)
               : step.is_action()                 ? "Run " + step.uses.text
                                                  : "Run " + script.substr(0, script.find('\n'));
    return out;
  }

  PlannedBuild build(const step::StepRequest& step, const std::vector<PlannedValue>& values) {
    PlannedBuild out{.platforms = take(values, "platforms"), .tags = take(values, "tags"),
                     .cache_from = take(values, "cache-from"), .cache_to = take(values, "cache-to"), .push = take(values, "push")};
    if (!out.platforms.known()) return out;
    std::vector<Platform> platforms{host_platform()};
    if (out.platforms.text.find_first_not_of(" \t\r\n,") != std::string::npos) {
      auto parsed = parse_platforms(out.platforms.text);
      if (!parsed) {
        plan_.problems.push_back(step::refusal(out.platforms.place, parsed.error().message, parsed.error().mend));
        return out;
      }
      platforms = std::move(*parsed);
    }
    std::vector<worker::Leg> legs;
    for (const auto& platform : platforms) legs.push_back({platform.to_string(), platform, {}});
    out.legs = worker::place(legs, inputs_.workers);
    for (const auto& placed : out.legs) {
      if (placed.worker) continue;
      plan_.problems.push_back(step::refusal(out.platforms.place.line ? out.platforms.place : step.place, placed.reason,
                                             "'drydock doctor' says what this machine lacks for it"));
    }
    return out;
  }

  const PlanInputs& inputs_;
  Plan& plan_;
  step::JobServices services_;
};

}  // namespace

Plan make_plan(const std::vector<model::Workflow>& workflows, const PlanInputs& inputs) {
  Plan plan;
  plan.event = inputs.event.name;
  plan.ref = inputs.event.github.value("ref", std::string());
  plan.sha = inputs.event.github.value("sha", std::string());
  plan.repository = inputs.event.github.value("repository", std::string());
  plan.notes = inputs.event.notes;
  Planner planner(inputs, plan);
  for (const auto& each : workflows) plan.workflows.push_back(planner.workflow(each));
  sort_unique(plan.problems);
  return plan;
}

}  // namespace drydock::runner
