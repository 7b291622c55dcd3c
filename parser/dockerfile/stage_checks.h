#pragma once
// The checks that follow a stage's environment from command to command. Internal to checks.cpp.

#include <vector>

#include "parser/dockerfile/check_report.h"
#include "parser/dockerfile/checks.h"
#include "parser/dockerfile/stage_graph.h"

namespace drydock::parser::dockerfile {

/// `wanted` says which stages to report on; the others are still followed, for those built upon them.
void check_stages(const Dockerfile& dockerfile, const CheckRequest& request, const Scope& globals,
                  const StageGraph& graph, const std::vector<char>& wanted, CheckReport& report);

}  // namespace drydock::parser::dockerfile
