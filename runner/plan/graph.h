#pragma once
// The jobs of a plan and what they wait for, as text by stages and as a Mermaid flowchart. Pure: the plan holds all.

#include <optional>
#include <string>
#include <string_view>

#include "runner/plan/plan.h"

namespace drydock::runner {

enum class GraphForm { text, mermaid };

/// "text" or "mermaid"; nothing for other names.
std::optional<GraphForm> parse_graph_form(std::string_view name);

std::string to_graph(const Plan& plan, GraphForm form);

}  // namespace drydock::runner
