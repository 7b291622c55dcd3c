#include "executors/base/result.h"

#include <cerrno>
#include <cstring>

namespace drydock {

std::string_view name_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::usage: return "usage";
    case ErrorCode::invalid_input: return "invalid_input";
    case ErrorCode::invalid_source: return "invalid_source";
    case ErrorCode::not_found: return "not_found";
    case ErrorCode::unsupported: return "unsupported";
    case ErrorCode::permission: return "permission";
    case ErrorCode::io: return "io";
    case ErrorCode::environment: return "environment";
    case ErrorCode::corrupted: return "corrupted";
    case ErrorCode::registry_auth: return "registry_auth";
    case ErrorCode::registry_refused: return "registry_refused";
    case ErrorCode::network: return "network";
    case ErrorCode::failed: return "failed";
    case ErrorCode::cancelled: return "cancelled";
    case ErrorCode::timeout: return "timeout";
    case ErrorCode::internal: return "internal";
  }
  return "internal";
}

std::string Error::to_string() const {
  std::string text = message;
  if (!context.empty()) {
    text += " (";
    for (std::size_t i = 0; i < context.size(); ++i) {
      if (i) text += "; ";
      text += "while " + context[i];
    }
    text += ")";
  }
  if (!mend.empty()) text += (text.ends_with('.') ? " " : ". ") + mend;
  return text;
}

Error errno_error(std::string what, int errno_value) {
  auto code = ErrorCode::io;
  if (errno_value == EACCES || errno_value == EPERM) code = ErrorCode::permission;
  if (errno_value == ENOENT) code = ErrorCode::not_found;
  auto error = make_error(code, std::move(what) + ": " + std::strerror(errno_value));
  if (errno_value == ENOSPC) error.mend = "free disk space (drydock cache prune) and run again";
  return error;
}

}  // namespace drydock
