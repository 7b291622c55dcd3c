#pragma once
// From the workflow reader's model to the texts of a job message. Pure.
// What this engine does not perform yet is named here, with its place, before anything runs.

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

StepRequest step_of(const parser::workflow::Step& step, const std::string& file);

/// Steps of kinds that are not performed: background, wait, cancel, parallel.
parser::Diagnostics unsupported_in(const parser::workflow::Step& step, const std::string& file);

/// "not supported yet: …" at a place.
parser::Diagnostic refusal(const parser::Range& range, const std::string& file, std::string what,
                           std::string mend = {});
parser::Diagnostic refusal(const Place& place, std::string what, std::string mend = {});

}  // namespace drydock::step
