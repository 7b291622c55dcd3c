#pragma once
// Evaluates what a workflow wrote (scalars, sequences, mappings) in contexts that are known before a job runs; what
// goes wrong is kept, with its place. Used by one thread; internal to this room.

#include <optional>
#include <string>

#include "parser/diagnostics/diagnostic.h"
#include "parser/expression/expression.h"
#include "parser/workflow/token.h"

namespace drydock::runner {

class TokenValues {
 public:
  /// `problems` outlives this object.
  TokenValues(std::string file, parser::Diagnostics& problems) : file_(std::move(file)), problems_(problems) {}

  /// Nothing when an expression fails, which is a problem then. Unknown values stay unknown.
  std::optional<parser::expression::Value> evaluate(const parser::workflow::Token& token,
                                                    const parser::expression::Context& context);
  void problem(const parser::Range& range, std::string message, std::string mend = {});

 private:
  std::optional<parser::expression::Value> sequence(const parser::workflow::Token& token,
                                                    const parser::expression::Context& context);
  std::optional<parser::expression::Value> mapping(const parser::workflow::Token& token,
                                                   const parser::expression::Context& context);

  std::string file_;
  parser::Diagnostics& problems_;
};

}  // namespace drydock::runner
