#pragma once
// The inputs of an action: as the step gives them, then the defaults of the others; with the warnings that GitHub has.
// Internal to this room.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "executors/step/step_frame.h"

namespace drydock::step {

/// In order of the step, then of the action. Names as they were written.
using Inputs = std::vector<std::pair<std::string, std::string>>;

/// Warns in the main stage alone: the others evaluate the same again.
Result<Inputs> evaluate_inputs(StepFrame& frame);

/// An input by name, any case; "" when there is none.
std::string input_of(const Inputs& inputs, std::string_view name);

/// As the `inputs` context of what the action itself evaluates.
Value inputs_context(const Inputs& inputs);

/// Puts over `environment` what an action gets and a script does not: INPUT_*, STATE_*, the runner's services.
void add_action_variables(const StepFrame& frame, const Inputs& inputs, Environment& environment);

/// "INPUT_WHO_TO-GREET".
std::string input_variable(std::string_view name);

/// "Run docker/login-action@v3" with its inputs, as GitHub shows an action; in its post stage "Post job cleanup.".
void show_action(StepFrame& frame, const Inputs& inputs);

}  // namespace drydock::step
