#pragma once
// Evaluates one expression a line, for comparisons with other implementations.
// In: {"expr": text, "contexts": object} a line. Out: {"kind","value"} or {"error":{"phase","message"}} a
// line.

#include <iosfwd>

namespace drydock::parser::expression {

/// Known names are exactly the keys of `contexts`. A line that is no such JSON gives an error of phase
/// "input". Blank lines are passed over. Returns false when the output could not be written.
bool run_eval_batch(std::istream& in, std::ostream& out);

}  // namespace drydock::parser::expression
