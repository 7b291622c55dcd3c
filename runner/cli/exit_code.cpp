#include "runner/cli/exit_code.h"

#include "runner/schedule/run_workflow.h"

#include <cstdio>

namespace drydock::runner {

int report(const Error& error) {
  std::fprintf(stderr, "drydock: error: %s\n", error.message.c_str());
  for (const auto& context : error.context) std::fprintf(stderr, "  while %s\n", context.c_str());
  if (!error.mend.empty()) std::fprintf(stderr, "  mend: %s\n", error.mend.c_str());
  return run_exit_code(error.code);
}

}  // namespace drydock::runner
