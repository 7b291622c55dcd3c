#include "executors/step/scope.h"

#include <algorithm>

namespace drydock::step {

using parser::expression::Object;
using parser::expression::Value;

Layer merged(Layer below, const Layer& over) {
  for (const auto& [name, value] : over) {
    const auto same = std::find_if(below.begin(), below.end(), [&name = name](const auto& entry) { return entry.first == name; });
    if (same == below.end()) below.emplace_back(name, value);
    else same->second = value;
  }
  return below;
}

void Scope::set_step(const StepResult& result) {
  if (result.id.empty() || result.id.starts_with("__")) return;
  Object outputs;
  for (const auto& [name, value] : result.outputs) outputs.set(name, value);
  Object step;
  step.set("outputs", Value(std::move(outputs)));
  step.set("outcome", std::string(name_of(result.outcome)));
  step.set("conclusion", std::string(name_of(result.conclusion)));
  steps.set(result.id, Value(std::move(step)));
}

}  // namespace drydock::step
