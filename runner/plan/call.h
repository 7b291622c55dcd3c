#pragma once
// The inputs that a job gives to the reusable workflow that it calls: evaluated, with defaults, types as declared.
// Pure. In a dry run some are unknown and stay so.

#include "executors/base/json.h"
#include "parser/diagnostics/diagnostic.h"
#include "parser/expression/expression.h"
#include "parser/workflow/model.h"

namespace drydock::runner {

struct CallInputs {
  parser::expression::Value values;  // an object
  parser::Diagnostics problems;      // expressions that fail, values that a type does not take
};

/// `job.called` is there. `context` is that of the calling job (github, inputs, vars, needs, strategy, matrix).
CallInputs call_inputs(const parser::workflow::Job& job, const std::string& caller_file,
                       const parser::expression::Context& context);

}  // namespace drydock::runner
