#include "executors/step/step_frame.h"

#include "executors/base/masker.h"
#include "parser/expression/template_string.h"

namespace drydock::step {
namespace {

bool declares(const NativeAction& action, const std::string& input) {
  for (const auto& declared : action.inputs()) {
    if (parser::expression::equal_ignoring_case(declared.name, input)) return true;
  }
  return false;
}

void warn(StepFrame& frame, std::string text) {
  frame.annotations.push_back({Level::warning, text, "", frame.step.uses.place});
  Event event{.kind = EventKind::message, .job = frame.request.key, .step = frame.position};
  event.level = Level::warning;
  event.text = std::move(text);
  event.place = frame.step.uses.place;
  frame.services.bus->publish(std::move(event));
}

void warn_of_inputs(StepFrame& frame, const NativeAction& action, const NoCaseMap<std::string>& given) {
  std::string unknown, valid;
  for (const auto& [name, value] : given) {
    if (!declares(action, name)) unknown += (unknown.empty() ? "'" : ", '") + name + "'";
  }
  for (const auto& declared : action.inputs()) {
    valid += (valid.empty() ? "'" : ", '") + declared.name + "'";
    if (!declared.deprecation.empty() && given.contains(declared.name)) {
      warn(frame, "Input '" + declared.name + "' has been deprecated with message: " + declared.deprecation);
    }
  }
  if (!unknown.empty()) warn(frame, "Unexpected input(s) " + unknown + ", valid inputs are [" + valid + "]");
}

Result<std::string> default_of(StepFrame& frame, const InputDeclaration& declared) {
  if (!parser::expression::has_expression(declared.default_value)) return declared.default_value;
  const auto parsed = parser::expression::parse_template(declared.default_value, job_scope());
  if (!parsed) return make_error(ErrorCode::internal, "default of " + declared.name + ": " + parsed.error().message);
  const auto value = parser::expression::evaluate(*parsed, frame.context());
  if (!value) return make_error(ErrorCode::internal, "default of " + declared.name + ": " + value.error().message);
  return value->to_string();
}

Result<NoCaseMap<std::string>> evaluate_inputs(StepFrame& frame, const NativeAction& action) {
  DRYDOCK_ASSIGN(auto given, frame.evaluator.map(frame.step.with, frame.context()));
  NoCaseMap<std::string> inputs(given.begin(), given.end());
  warn_of_inputs(frame, action, inputs);
  for (const auto& declared : action.inputs()) {
    if (inputs.contains(declared.name)) continue;
    DRYDOCK_ASSIGN(std::string value, default_of(frame, declared));
    if (!value.empty()) inputs.emplace(declared.name, std::move(value));
  }
  return inputs;
}

/// "Run docker/login-action@v3" with its inputs, as GitHub shows a step.
void show(StepFrame& frame, const Layer& given) {
  Bus& bus = *frame.services.bus;
  const std::string &job = frame.request.key, &step = frame.position;
  bus.publish({.kind = EventKind::group_started, .job = job, .step = step, .name = "Run " + frame.step.uses.text});
  const auto section = [](const char* title, const Layer& entries) {
    std::string text = entries.empty() ? "" : std::string(title) + ":\n";
    for (const auto& [name, value] : entries) text += "  " + name + ": " + value + "\n";
    return text;
  };
  std::string text = section("with", given) + section("env", frame.layer);
  if (!text.empty()) bus.publish({.kind = EventKind::log, .job = job, .step = step, .text = std::move(text)});
  bus.publish({.kind = EventKind::group_finished, .job = job, .step = step});
}

ActionContext context_for(StepFrame& frame, const NoCaseMap<std::string>& inputs) {
  ActionSetup setup;
  setup.job = frame.request.key;
  setup.step = frame.position;
  setup.uses = frame.step.uses.text;
  setup.inputs = inputs;
  setup.environment = frame.state.process_environment(frame.layer, frame.extras);
  if (frame.services.action_environment) {
    for (auto& [name, value] : frame.services.action_environment(frame.request)) setup.environment[name] = value;
  }
  setup.in_place = [&host = frame.host](const ProcessSpec& spec, std::stop_token stop) { return host.run(spec, stop); };
  setup.github = frame.context().value("github").to_json();
  setup.places = frame.request.places;
  setup.runner = frame.request.runner;
  setup.annotations = &frame.annotations;
  setup.bus = frame.services.bus;
  setup.builder = frame.services.builder;
  setup.stop = frame.stop;
  return ActionContext(std::move(setup));
}

Handled ended(StepFrame& frame, const Status& status) {
  if (status) return {};
  const Error error = Status(status).error();
  if (frame.stop.stop_requested()) return {.ok = false, .exit_code = 1, .error = ErrorCode::cancelled};
  return fail_step(frame, error, frame.step.uses.place);
}

}  // namespace

Handled run_native(StepFrame& frame, const NativeAction& action, NoCaseMap<std::string>& inputs) {
  auto evaluated = evaluate_inputs(frame, action);
  if (!evaluated) return fail_step(frame, evaluated.error(), frame.evaluator.place());
  inputs = std::move(*evaluated);
  show(frame, Layer(inputs.begin(), inputs.end()));
  ActionContext context = context_for(frame, inputs);
  const Status status = action.main(context);
  frame.effects = context.effects();
  return ended(frame, status);
}

Handled run_native_post(StepFrame& frame, const NativeAction& action, const NoCaseMap<std::string>& inputs,
                        const std::map<std::string, std::string>& state) {
  ActionContext context = context_for(frame, inputs);
  for (const auto& [name, value] : state) context.save_state(name, value);
  const Status status = action.post(context);
  frame.effects = context.effects();
  return ended(frame, status);
}

}  // namespace drydock::step
