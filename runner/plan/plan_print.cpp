#include "runner/plan/plan.h"

namespace drydock::runner {
namespace {

std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

std::string mark(Will will) {
  return will == Will::run ? "" : will == Will::skip ? " (skipped)" : " (unknown)";
}

/// Several lines under their name, indented; one line beside it.
void print_value(std::string& out, const std::string& indent, const PlannedValue& value) {
  out += indent + value.name + ": ";
  if (!value.known()) {
    out += "unknown until the run: " + listed(value.depends_on) + "\n";
    return;
  }
  std::string text = value.text;
  while (text.ends_with('\n')) text.pop_back();
  if (text.find('\n') == std::string::npos) {
    out += text + "\n";
    return;
  }
  out += "\n";
  for (std::size_t start = 0; start <= text.size();) {
    const auto end = std::min(text.find('\n', start), text.size());
    out += indent + "  " + text.substr(start, end - start) + "\n";
    start = end + 1;
  }
}

/// In one line what is known all together.
void print_list(std::string& out, const std::string& indent, const std::string& name, const std::vector<PlannedValue>& values) {
  PlannedValue all{.name = name};
  for (const auto& value : values) {
    all.text += (all.text.empty() ? "" : ", ") + value.text;
    all.depends_on.insert(all.depends_on.end(), value.depends_on.begin(), value.depends_on.end());
  }
  if (all.known() && !values.empty()) print_value(out, indent, all);
  if (all.known()) return;
  for (PlannedValue value : values) {
    value.name = name;
    print_value(out, indent, value);
  }
}

void print_container(std::string& out, const std::string& indent, const PlannedContainer& container) {
  PlannedValue image = container.image;
  image.name = container.service.empty() ? "container" : container.service == "*" ? "services" : "service " + container.service;
  print_value(out, indent, image);
  for (const auto& value : container.env) print_value(out, indent + "    ", value);
  print_list(out, indent + "    ", "ports", container.ports);
  print_list(out, indent + "    ", "volumes", container.volumes);
  for (const auto* value : {&container.options, &container.entrypoint, &container.command, &container.credentials}) {
    const bool usual = value->known() && (value->text.empty() || value->text == "none");
    if (!usual) print_value(out, indent + "    ", *value);
  }
}

void print_nested(std::string& out, const std::string& indent, const std::vector<PlannedNestedStep>& steps) {
  for (const auto& step : steps) {
    out += indent + step.number + " " + step.name + "\n";
    print_nested(out, indent + "  ", step.steps);
  }
}

void print_step(std::string& out, const std::string& indent, const PlannedStep& step) {
  out += indent + step.number + " " + step.name + mark(step.will) + (step.reason.empty() ? "" : ": " + step.reason) + "\n";
  if (step.will == Will::skip) return;
  for (const auto& value : step.values) print_value(out, indent + "    ", value);
  print_nested(out, indent + "    ", step.steps);
  if (!step.build) return;
  for (const auto& leg : step.build->legs) {
    const std::string where = leg.worker ? leg.worker_name + ", " + std::string(name_of(leg.execution)) : "nowhere";
    out += indent + "    build " + leg.leg + " on " + where + ": " + leg.reason + "\n";
  }
}

std::string labels_of(const PlannedLeg& leg) {
  std::string out = listed(leg.labels);
  if (leg.labels_depend_on.empty()) return out;
  return out + (out.empty() ? "" : ", ") + "a runner unknown until the run: " + listed(leg.labels_depend_on);
}

void print_job(std::string& out, const std::string& indent, const PlannedJob& job) {
  out += indent + "job " + job.id + (job.needs.empty() ? "" : " after " + listed(job.needs)) +
         (job.calls.empty() ? "" : " calls " + job.calls) + mark(job.will) + (job.reason.empty() ? "" : ": " + job.reason) + "\n";
  for (const auto& note : job.notes) out += indent + "  note: " + note + "\n";
  if (!job.matrix_waits_for.empty()) out += indent + "  matrix unknown until the run: " + job.matrix_waits_for + "\n";
  for (const auto& leg : job.legs) {
    out += indent + "  " + leg.name + (job.calls.empty() ? " on " + labels_of(leg) : "") + "\n";
    for (const auto& container : leg.containers) print_container(out, indent + "    ", container);
    for (const auto& step : leg.steps) print_step(out, indent + "    ", step);
    for (PlannedValue input : leg.inputs) {
      input.name = "input " + input.name;
      print_value(out, indent + "    ", input);
    }
    for (const auto& called : leg.jobs) print_job(out, indent + "    ", called);
  }
}

OrderedJson place_json(const Place& place) {
  return {{"file", place.file}, {"line", place.line}, {"column", place.column}};
}

OrderedJson value_json(const PlannedValue& value) {
  OrderedJson out{{"name", value.name}};
  if (value.known()) out["value"] = value.text;
  else out["unknown"] = value.depends_on;
  if (value.place.line > 0) out["place"] = place_json(value.place);
  return out;
}

OrderedJson build_json(const PlannedBuild& build) {
  OrderedJson legs = OrderedJson::array();
  for (const auto& leg : build.legs) {
    legs.push_back({{"platform", leg.platform.to_string()},
                    {"worker", leg.worker ? OrderedJson(leg.worker_name) : OrderedJson()},
                    {"execution", name_of(leg.execution)},
                    {"reason", leg.reason}});
  }
  return {{"platforms", value_json(build.platforms)},
          {"legs", std::move(legs)},
          {"tags", value_json(build.tags)},
          {"push", value_json(build.push)},
          {"cache_from", value_json(build.cache_from)},
          {"cache_to", value_json(build.cache_to)}};
}

OrderedJson nested_json(const std::vector<PlannedNestedStep>& steps) {
  OrderedJson out = OrderedJson::array();
  for (const auto& step : steps) {
    OrderedJson one{{"number", step.number}, {"name", step.name}, {"action", step.action}};
    if (!step.steps.empty()) one["steps"] = nested_json(step.steps);
    out.push_back(std::move(one));
  }
  return out;
}

OrderedJson step_json(const PlannedStep& step) {
  OrderedJson values = OrderedJson::array();
  for (const auto& value : step.values) values.push_back(value_json(value));
  OrderedJson out{{"number", step.number}, {"id", step.id},         {"name", step.name},
                  {"will", name_of(step.will)}, {"reason", step.reason}, {"action", step.action},
                  {"place", place_json(step.place)}, {"values", std::move(values)}};
  if (step.build) out["build"] = build_json(*step.build);
  if (!step.steps.empty()) out["steps"] = nested_json(step.steps);
  return out;
}

OrderedJson values_json(const std::vector<PlannedValue>& values) {
  OrderedJson list = OrderedJson::array();
  for (const auto& value : values) list.push_back(value_json(value));
  return list;
}

OrderedJson containers_json(const std::vector<PlannedContainer>& containers) {
  OrderedJson list = OrderedJson::array();
  for (const auto& each : containers) {
    list.push_back({{"service", each.service},
                    {"image", value_json(each.image)},
                    {"env", values_json(each.env)},
                    {"ports", values_json(each.ports)},
                    {"volumes", values_json(each.volumes)},
                    {"options", value_json(each.options)},
                    {"entrypoint", value_json(each.entrypoint)},
                    {"command", value_json(each.command)},
                    {"credentials", value_json(each.credentials)},
                    {"place", place_json(each.place)}});
  }
  return list;
}

OrderedJson job_json(const PlannedJob& job) {
  OrderedJson legs = OrderedJson::array();
  for (const auto& leg : job.legs) {
    OrderedJson steps = OrderedJson::array();
    for (const auto& step : leg.steps) steps.push_back(step_json(step));
    OrderedJson one{{"key", leg.key}, {"name", leg.name}, {"labels", leg.labels}, {"labels_unknown", leg.labels_depend_on},
                    {"containers", containers_json(leg.containers)}, {"steps", std::move(steps)}};
    if (!job.calls.empty()) {
      one["inputs"] = one["jobs"] = OrderedJson::array();
      for (const auto& input : leg.inputs) one["inputs"].push_back(value_json(input));
      for (const auto& called : leg.jobs) one["jobs"].push_back(job_json(called));
    }
    legs.push_back(std::move(one));
  }
  return {{"id", job.id}, {"needs", job.needs}, {"will", name_of(job.will)}, {"reason", job.reason},
          {"calls", job.calls}, {"notes", job.notes}, {"matrix_waits_for", job.matrix_waits_for}, {"place", place_json(job.place)}, {"legs", std::move(legs)}};
}

OrderedJson problem_json(const parser::Diagnostic& problem) {
  constexpr const char* k_severities[] = {"error", "warning", "note"};
  return {{"file", problem.file},
          {"line", problem.range.start.line},
          {"column", problem.range.start.column},
          {"rule", problem.rule},
          {"severity", k_severities[static_cast<std::size_t>(problem.severity)]},
          {"message", problem.message},
          {"mend", problem.mend}};
}

}  // namespace

std::string to_text(const Plan& plan) {
  std::string out = plan.event + " of " + plan.ref + " (" + plan.sha.substr(0, 12) + ") in " + plan.repository + "\n";
  for (const auto& note : plan.notes) out += "  note: " + note + "\n";
  for (const auto& workflow : plan.workflows) {
    out += "workflow " + workflow.name + " (" + workflow.file + ")" + mark(workflow.will) +
           (workflow.reason.empty() ? "" : ": " + workflow.reason) + "\n";
    for (const auto& job : workflow.jobs) print_job(out, "  ", job);
  }
  if (!plan.problems.empty()) out += "problems\n";
  for (const auto& problem : plan.problems) {
    out += "  " + format_line(problem) + (problem.mend.empty() ? "" : ". " + problem.mend) + "\n";
  }
  return out;
}

OrderedJson to_json(const Plan& plan) {
  OrderedJson workflows = OrderedJson::array(), problems = OrderedJson::array();
  for (const auto& workflow : plan.workflows) {
    OrderedJson jobs = OrderedJson::array();
    for (const auto& job : workflow.jobs) jobs.push_back(job_json(job));
    workflows.push_back({{"file", workflow.file}, {"name", workflow.name}, {"will", name_of(workflow.will)},
                         {"reason", workflow.reason}, {"jobs", std::move(jobs)}});
  }
  for (const auto& problem : plan.problems) problems.push_back(problem_json(problem));
  return {{"schema", Plan::k_schema}, {"event", plan.event},   {"ref", plan.ref},
          {"sha", plan.sha},          {"repository", plan.repository}, {"notes", plan.notes},
          {"workflows", std::move(workflows)}, {"problems", std::move(problems)}};
}

}  // namespace drydock::runner
