#pragma once
// Which stages a target needs, and in what order. Takes base names already expanded, since they may differ from
// one platform to the next. Pure; thread-safe.

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "parser/dockerfile/instructions.h"

namespace drydock::parser::dockerfile {

/// One thing a stage takes from outside itself.
struct StageInput {
  enum class Through { from, copy, mount };
  Through through = Through::from;
  std::optional<std::size_t> stage;  // a stage of this Dockerfile
  std::string image;                 // otherwise: image reference or named context; "scratch" too
  std::string near_miss;             // a stage whose name is close to `image`, for the message when it is not found
  std::optional<std::size_t> command;  // index in triggers, then in the stage's own commands; none for FROM
  std::size_t mount = 0;             // index in Run::mounts
  Range range;
};

struct StageNode {
  std::vector<StageInput> inputs;     // FROM first
  std::vector<Command> triggers;      // ONBUILD commands inherited from a base stage, run before the stage's own
};

struct StageGraph {
  std::vector<StageNode> nodes;       // one for each stage
  std::size_t target = 0;
  std::vector<std::size_t> order;     // stages that the target needs, dependencies first, the target last
  Diagnostics diagnostics;
  bool ok() const { return !has_errors(diagnostics); }
};

struct GraphRequest {
  std::string target;                          // stage name or number; the last stage when empty
  std::vector<std::string> base_names;         // expanded, one for each stage
  std::set<std::string, std::less<>> named_contexts;  // lower case; a stage of such a name is replaced by it
};

/// Unknown target, number out of range, use of a later stage, and cycles are errors with their place.
StageGraph build_stage_graph(const Dockerfile& dockerfile, const GraphRequest& request);

}  // namespace drydock::parser::dockerfile
