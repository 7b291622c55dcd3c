#include "runner/plan/call.h"

#include "runner/plan/token_values.h"

namespace drydock::runner {
namespace model = parser::workflow;
namespace expression = parser::expression;
using expression::Kind;
using expression::Value;
namespace {

Value empty_of(model::InputType type) {
  if (type == model::InputType::boolean) return Value(false);
  if (type == model::InputType::number) return Value(0.0);
  return Value("");
}

const char* name_of(model::InputType type) {
  return type == model::InputType::boolean ? "boolean" : type == model::InputType::number ? "number" : "string";
}

/// As strict as GitHub: the text 'true' is no boolean, so outputs of jobs need fromJSON().
std::optional<Value> typed(const model::Input& input, const Value& value) {
  if (value.has_unknown()) return value;
  if (input.type == model::InputType::boolean) return value.kind() == Kind::boolean ? std::optional(value) : std::nullopt;
  if (input.type == model::InputType::number) return value.kind() == Kind::number ? std::optional(value) : std::nullopt;
  return value.is_primitive() ? std::optional(Value(value.to_string())) : std::nullopt;
}

}  // namespace

CallInputs call_inputs(const model::Job& job, const std::string& caller_file, const expression::Context& context) {
  CallInputs out;
  TokenValues callers(caller_file, out.problems), calleds(job.called->file, out.problems);
  expression::Object inputs;
  const model::Event* declared = job.called->find_event("workflow_call");
  for (const auto& input : declared ? declared->inputs : std::vector<model::Input>()) {
    const model::Token* given = job.with ? job.with->find(input.id) : nullptr;
    TokenValues& values = given ? callers : calleds;
    const model::Token* written = given ? given : input.default_value ? &*input.default_value : nullptr;
    const auto value = written ? values.evaluate(*written, context) : empty_of(input.type);
    if (!value) continue;
    if (auto fitting = typed(input, *value)) {
      inputs.set(input.id, std::move(*fitting));
    } else {
      const std::string shown = value->is_primitive() ? value->to_string() : value->to_json_text();
      values.problem(written->range, "Unexpected value '" + shown + "'",
                     "input '" + input.id + "' is of type " + name_of(input.type) +
                         (value->kind() == Kind::string ? "; fromJSON() makes one of a text" : ""));
    }
  }
  out.values = Value(std::move(inputs));
  return out;
}

}  // namespace drydock::runner
