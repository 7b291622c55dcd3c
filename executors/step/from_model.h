#pragma once
// From the workflow reader's model to the texts of a job message. Pure.

#include <string>
#include <vector>

#include "executors/step/job_request.h"
#include "parser/workflow/model.h"

namespace drydock::step {

Place place_of(const parser::Range& range, const std::string& file);

/// A scalar; a missing one is an empty text.
Text text_of(const parser::workflow::Token& token, const std::string& file);
Text text_of(const std::optional<parser::workflow::Token>& token, const std::string& file);
/// A mapping, an expression that gives one, or nothing.
TextMap map_of(const std::optional<parser::workflow::Token>& token, const std::string& file);

/// With everything below it; a missing one is empty.
TextTree tree_of(const std::optional<parser::workflow::Token>& token, const std::string& file);

/// One step that stands alone.
StepRequest step_of(const parser::workflow::Step& step, const std::string& file);
/// All of a list. `parallel:` becomes background steps and a wait for them; a `wait-all: false` nothing.
std::vector<StepRequest> steps_of(const std::vector<parser::workflow::Step>& steps, const std::string& file);

/// "Wait for server, db", of a step that waits or cancels and has no name.
std::string name_of_control(const StepRequest& step);
/// What a step is called as long as no expression in its name is evaluated.
std::string unevaluated_name(const StepRequest& step);

/// "not supported yet: …" at a place.
parser::Diagnostic refusal(const parser::Range& range, const std::string& file, std::string what,
                           std::string mend = {});
parser::Diagnostic refusal(const Place& place, std::string what, std::string mend = {});

}  // namespace drydock::step
