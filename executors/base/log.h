#pragma once
// drydock's own diagnostics for whoever debugs it, on standard error; what a user must see is an Event
// instead. The level comes from DRYDOCK_LOG (trace, debug, info, warn, error, off; warn when unset).
// Thread-safe. Nothing secret may be given to it: it does not mask.

#include <string_view>

namespace drydock {

enum class LogLevel { trace, debug, info, warn, error };

void log(LogLevel level, std::string_view text);
/// For texts that are dear to make.
bool log_enabled(LogLevel level);

inline void log_trace(std::string_view text) {
  log(LogLevel::trace, text);
}
inline void log_debug(std::string_view text) {
  log(LogLevel::debug, text);
}
inline void log_info(std::string_view text) {
  log(LogLevel::info, text);
}
inline void log_warn(std::string_view text) {
  log(LogLevel::warn, text);
}
inline void log_error(std::string_view text) {
  log(LogLevel::error, text);
}

}  // namespace drydock
