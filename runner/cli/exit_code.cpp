#include "runner/cli/exit_code.h"

#include <cstdio>

namespace drydock::runner {

int exit_code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::usage: return k_exit_usage;
    case ErrorCode::invalid_input:
    case ErrorCode::not_found:
    case ErrorCode::unsupported: return k_exit_invalid;
    case ErrorCode::environment: return k_exit_environment;
    case ErrorCode::registry_auth:
    case ErrorCode::registry_refused:
    case ErrorCode::network: return k_exit_registry;
    case ErrorCode::cancelled: return k_exit_cancelled;
    case ErrorCode::permission:
    case ErrorCode::io:
    case ErrorCode::corrupted:
    case ErrorCode::failed:
    case ErrorCode::timeout:
    case ErrorCode::internal: return k_exit_failed;
  }
  return k_exit_failed;
}

int report(const Error& error) {
  std::fprintf(stderr, "drydock: error: %s\n", error.message.c_str());
  for (const auto& context : error.context) std::fprintf(stderr, "  while %s\n", context.c_str());
  if (!error.mend.empty()) std::fprintf(stderr, "  mend: %s\n", error.mend.c_str());
  return exit_code_of(error.code);
}

}  // namespace drydock::runner
