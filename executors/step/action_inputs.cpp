#include "executors/step/action_inputs.h"

#include <algorithm>
#include <cctype>

#include "executors/step/from_model.h"
#include "parser/expression/template_string.h"

namespace drydock::step {
namespace expression = parser::expression;
namespace {

using expression::equal_ignoring_case;

struct Declared {
  std::string name;
  Text default_value;
  bool required = false;
  std::string deprecation;
};

/// A default as text of an action.yml, where it has no place of its own.
Result<Text> native_default(const InputDeclaration& input) {
  if (!expression::has_expression(input.default_value)) return Text{.text = input.default_value};
  const auto parsed = expression::parse_template(input.default_value, job_scope());
  if (!parsed) return make_error(ErrorCode::internal, "default of " + input.name + ": " + parsed.error().message);
  return Text{.text = parsed->to_expression(), .kind = TextKind::expression, .source = input.default_value};
}

Result<std::vector<Declared>> declared_by(const LoadedAction& action) {
  std::vector<Declared> out;
  if (action.native) {
    for (const auto& input : action.native->inputs()) {
      DRYDOCK_ASSIGN(Text fallback, native_default(input));
      out.push_back({input.name, std::move(fallback), false, input.deprecation});  // it asks for what it requires itself
    }
  }
  if (action.has_metadata()) {
    for (const auto& input : action.metadata->inputs) {
      out.push_back({input.id, text_of(input.default_value, action.metadata->file), input.required,
                     input.deprecation ? input.deprecation->value : ""});
    }
  }
  return out;
}

bool given(const Inputs& inputs, const std::string& name) {
  return std::any_of(inputs.begin(), inputs.end(), [&](const auto& input) { return equal_ignoring_case(input.first, name); });
}

std::string quoted(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "'" : ", '") + name + "'";
  return out;
}

void warn_of_inputs(StepFrame& frame, const std::vector<Declared>& declared, const Inputs& inputs) {
  const LoadedAction& action = *frame.use.action;
  const Place& place = frame.step.uses.place;
  std::vector<std::string> unexpected, valid;
  if (action.kind == LoadedAction::Kind::docker) valid = {"entryPoint", "args"};
  for (const auto& each : declared) {
    valid.push_back(each.name);
    const bool is_given = given(inputs, each.name);
    if (is_given && !each.deprecation.empty()) {
      warn(frame, "Input '" + each.name + "' has been deprecated with message: " + each.deprecation, place);
    }
    if (each.required && !is_given && each.default_value.empty()) {
      warn(frame, "Input '" + each.name + "' is required by " + action.uses + " and is not given", place);
    }
  }
  if (!action.native && !action.has_metadata()) return;
  for (const auto& [name, value] : inputs) {
    const bool known = std::any_of(valid.begin(), valid.end(), [&name = name](const auto& each) { return equal_ignoring_case(each, name); });
    if (!known) unexpected.push_back(name);
  }
  if (!unexpected.empty()) {
    warn(frame, "Unexpected input(s) " + quoted(unexpected) + ", valid inputs are [" + quoted(valid) + "]", place);
  }
}

}  // namespace

Result<Inputs> evaluate_inputs(StepFrame& frame) {
  DRYDOCK_ASSIGN(Inputs inputs, frame.evaluator.map(frame.step.with, frame.context()));
  DRYDOCK_ASSIGN(const auto declared, declared_by(*frame.use.action));
  if (frame.stage == ActionStage::main) warn_of_inputs(frame, declared, inputs);
  for (const auto& each : declared) {
    if (given(inputs, each.name)) continue;
    DRYDOCK_ASSIGN(std::string value, frame.evaluator.string(each.default_value, frame.context()));
    inputs.emplace_back(each.name, std::move(value));
  }
  return inputs;
}

std::string input_of(const Inputs& inputs, std::string_view name) {
  for (const auto& [each, value] : inputs) {
    if (equal_ignoring_case(each, name)) return value;
  }
  return {};
}

Value inputs_context(const Inputs& inputs) {
  Object object;
  for (const auto& [name, value] : inputs) object.set(name, value);
  return Value(std::move(object));
}

void add_action_variables(const StepFrame& frame, const Inputs& inputs, Environment& environment) {
  for (const auto& [name, value] : inputs) environment[input_variable(name)] = value;
  for (const auto& [name, value] : frame.use.state) environment["STATE_" + name] = value;
  if (!frame.services.action_environment) return;
  for (auto& [name, value] : frame.services.action_environment(frame.request)) environment[name] = value;
}

std::string input_variable(std::string_view name) {
  std::string out = "INPUT_" + std::string(name);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return c == ' ' ? '_' : std::toupper(c); });
  return out;
}

void show_action(StepFrame& frame, const Inputs& inputs) {
  Bus& bus = *frame.services.bus;
  const std::string &job = frame.request.key, &step = frame.position;
  const auto say = [&](std::string text) {
    if (!text.empty()) bus.publish({.kind = EventKind::log, .job = job, .step = step, .text = std::move(text)});
  };
  if (frame.stage == ActionStage::post) return say("Post job cleanup.\n");
  bus.publish({.kind = EventKind::group_started, .job = job, .step = step, .name = "Run " + frame.step.uses.text});
  const auto section = [](const char* title, const Layer& entries) {
    std::string text;
    for (const auto& [name, value] : entries) {
      if (!value.empty()) text += "  " + name + ": " + value + "\n";
    }
    return text.empty() ? text : std::string(title) + ":\n" + text;
  };
  say(section("with", inputs) + section("env", frame.layer));
  bus.publish({.kind = EventKind::group_finished, .job = job, .step = step});
}

}  // namespace drydock::step
