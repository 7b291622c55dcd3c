#include "runner/plan/plan_values.h"

#include <algorithm>

#include "executors/step/evaluator.h"
#include "executors/step/from_model.h"
#include "parser/expression/template_string.h"

namespace drydock::runner {
namespace expression = parser::expression;
using expression::Value;
namespace {

/// Steps before may write the files, so only the run can tell: "hashFiles('**/go.sum', '!vendor')".
expression::Checked<Value> unknown_hash(std::span<const Value> arguments) {
  std::string call;
  for (const auto& argument : arguments) call += (call.empty() ? "'" : ", '") + argument.to_string() + "'";
  return Value::unknown("hashFiles(" + call + ")");
}

}  // namespace

PlannedValue shown(std::string name, const Value& value, const Place& place) {
  PlannedValue out{.name = std::move(name), .place = place};
  if (value.has_unknown()) {
    out.depends_on = Value::unknown_from({value}).unknown().depends_on;
    if (out.depends_on.empty()) out.depends_on = {"the run"};
  } else {
    out.text = value.is_primitive() ? value.to_string() : value.to_json_text();
  }
  return out;
}

PlanValues::PlanValues(const step::JobRequest& request, Value inputs, Value needs, parser::Diagnostics& problems)
    : request_(request), problems_(problems) {
  expression::Object github;
  const Value github_value = Value::from_json(request.github);
  for (const auto& member : github_value.object()) github.set(member.name, member.value);
  github.set("job", request.job_id);
  github.set("workspace", request.places.workspace);
  github.set("token", "***");
  expression::Object secrets;
  for (const auto& name : request.secrets) secrets.set(name, "***");
  expression::Object runner;
  runner.set("os", request.runner.os);
  runner.set("arch", request.runner.arch);
  runner.set("name", request.runner.name);
  runner.set("environment", request.runner.environment);
  runner.set("temp", request.places.temp);
  runner.set("tool_cache", request.places.tool_cache);
  base_.set("github", Value(std::move(github))).set("secrets", Value(std::move(secrets)));
  base_.set("runner", Value(std::move(runner))).set("vars", Value::from_json(request.vars));
  base_.set("inputs", std::move(inputs)).set("needs", std::move(needs));
  base_.set("strategy", Value::from_json(request.strategy)).set("matrix", Value::from_json(request.matrix));
  base_.set("steps", Value::unknown("steps")).set("job", Value::unknown("job"));
  // All before a step are taken to succeed.
  const auto says = [](bool answer) {
    return [answer](std::span<const Value>) -> expression::Checked<Value> { return Value(answer); };
  };
  base_.set_function("always", says(true)).set_function("success", says(true));
  base_.set_function("failure", says(false)).set_function("cancelled", says(false));
  base_.set_function("hashFiles", unknown_hash);
  for (const auto& layer : request.env) {
    for (auto& each : map("", layer)) {
      job_env_.set(each.name, each.known() ? Value(each.text) : Value::unknown_from({Value::unknown("env." + each.name)}));
    }
  }
  env_ = job_env_;
}

std::vector<PlannedValue> PlanValues::enter_step(const step::TextMap& env) {
  env_ = job_env_;
  auto values = map("env.", env);
  for (const auto& each : values) {
    const std::string name = each.name.substr(4);
    env_.set(name, each.known() ? Value(each.text) : Value::unknown("env." + name));
  }
  return values;
}

/// A name that no `env:` gives may still be set by an earlier step.
expression::Context PlanValues::context(const expression::Ast& ast) const {
  expression::Object env = env_;
  for (const auto& read : expression::reads_of(ast)) {
    if (!read.is("env") || read.parts.empty() || read.parts.front().form != expression::Read::Part::Form::name) continue;
    env.add(read.parts.front().name, Value::unknown("env." + read.parts.front().name));
  }
  expression::Context context = base_;
  context.set("env", Value(std::move(env)));
  return context;
}

void PlanValues::problem(const Place& place, std::string message, parser::Severity severity) {
  auto found = step::refusal(place, std::move(message));
  found.severity = severity;
  found.rule = severity == parser::Severity::warning ? "undefined-secret" : "expression";
  problems_.push_back(std::move(found));
}

void PlanValues::warn_of_secrets(const expression::Ast& ast, const Place& place) {
  for (const auto& read : expression::reads_of(ast)) {
    if (!read.is("secrets") || read.parts.empty() || read.parts.front().form != expression::Read::Part::Form::name) continue;
    const std::string& name = read.parts.front().name;
    const bool exists = std::any_of(request_.secrets.begin(), request_.secrets.end(), [&](const std::string& known) {
      return expression::equal_ignoring_case(known, name);
    });
    if (!exists) problem(place, "secret '" + name + "' is not defined: it would be empty", parser::Severity::warning);
  }
}

std::optional<Value> PlanValues::evaluate(const step::Text& text) {
  if (!text.is_expression()) return Value(text.text);
  const auto ast = expression::parse(text.text, step::job_scope());
  auto value = ast ? expression::evaluate(*ast, context(*ast)) : expression::Checked<Value>(ast.error());
  if (!value) {
    problem(text.place, value.error().message, parser::Severity::error);
    return std::nullopt;
  }
  warn_of_secrets(*ast, text.place);
  return std::move(*value);
}

Value PlanValues::evaluated(const step::Text& text) {
  auto result = evaluate(text);
  return result ? std::move(*result) : Value::unknown("an expression that fails");
}

PlannedValue PlanValues::value(std::string name, const step::Text& text) {
  return shown(std::move(name), evaluated(text), text.place);
}

std::vector<PlannedValue> PlanValues::map(const std::string& prefix, const step::TextMap& texts) {
  std::vector<PlannedValue> out;
  for (const auto& [key, text] : texts) {
    if (key.kind != step::TextKind::insert) {
      const PlannedValue name = value("", key);
      out.push_back(value(prefix + (name.known() ? name.text : "[…]"), text));
      continue;
    }
    const auto inserted = evaluate(text);
    if (!inserted) continue;
    if (inserted->kind() == expression::Kind::object) {
      for (const auto& member : inserted->object()) out.push_back(shown(prefix + member.name, member.value, text.place));
    } else if (inserted->is_unknown()) {
      out.push_back(shown(prefix + "*", *inserted, text.place));
    }
  }
  return out;
}

expression::Truth PlanValues::condition(const step::Text& text, std::vector<std::string>& depends_on) {
  const auto parsed = expression::parse_condition(text.text, step::job_scope());
  const auto value = parsed ? expression::evaluate(parsed->ast, context(parsed->ast))
                            : expression::Checked<Value>(parsed.error());
  if (!value) {
    problem(text.place, value.error().message, parser::Severity::error);
    return expression::Truth::no;
  }
  warn_of_secrets(parsed->ast, text.place);
  if (value->is_unknown()) depends_on = value->unknown().depends_on;
  return value->truth();
}

}  // namespace drydock::runner
