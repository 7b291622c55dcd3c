#include "runner/plan/plan.h"

#include <algorithm>

#include "executors/step/from_model.h"
#include "parser/workflow/event_filter.h"
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
      plan_.problems.push_back(step::refusal(Place{workflow.file, 1, 1}, given.error().message, given.error().mend));
      given = OrderedJson::object();
    }
    for (const auto& each : workflow.jobs) {
      if (inputs_.jobs.empty() || wanted(workflow, each.id)) out.jobs.push_back(job(workflow, each, github, *given));
    }
    return out;
  }

 private:
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

  PlannedJob job(const model::Workflow& workflow, const model::Job& job, const OrderedJson& github, const OrderedJson& given) {
    PlannedJob out{.id = job.id, .place = step::place_of(job.range, workflow.file)};
    expression::Object needed;
    for (const auto& need : job.needs) {
      out.needs.push_back(need.value);
      expression::Object one;
      one.set("result", "success");
      one.set("outputs", expression::Value::unknown("needs." + need.value + ".outputs"));
      needed.set(need.value, expression::Value(std::move(one)));
    }
    ExpansionContexts contexts{.github = github, .inputs = given, .needs = expression::Value(std::move(needed))};
    Expansion expansion = expand_job(workflow, job, contexts, inputs_.settings);
    out.will = expansion.will;
    out.reason = expansion.reason;
    out.matrix_waits_for = expansion.matrix_waits_for;
    add_problems(expansion.problems);
    for (const auto& each : expansion.legs) {
      add_problems(step::check_job(each.request, services_));
      out.legs.push_back(leg(each, contexts.needs));
    }
    return out;
  }

  void add_problems(const parser::Diagnostics& more) {
    plan_.problems.insert(plan_.problems.end(), more.begin(), more.end());
  }

  PlannedLeg leg(const JobLeg& leg, const expression::Value& needs) {
    PlannedLeg out{.key = leg.request.key, .name = leg.request.name, .labels = leg.labels};
    PlanValues values(leg.request, needs, plan_.problems);
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
    const PlannedValue* run = find(out.values, "run");
    const std::string script = run ? (run->known() ? run->text : step.run.shown()) : "";
    out.name = !step.name.empty() && name.known() ? name.text
               : !step.name.empty()               ? step.name.shown()
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
