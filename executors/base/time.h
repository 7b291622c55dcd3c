#pragma once
// RFC 3339 times, always written in UTC. Pure functions.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "executors/base/result.h"

namespace drydock {

using Time = std::chrono::system_clock::time_point;

/// Since 1970, in milliseconds, rounded down.
inline std::int64_t unix_milliseconds(Time time) {
  return std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

enum class TimePrecision { seconds, milliseconds, nanoseconds };

/// "2024-05-01T12:30:00Z", "….123Z"; nanoseconds as Go writes them: trailing zeros (and the point) left out.
std::string format_rfc3339(Time time, TimePrecision precision = TimePrecision::seconds);
/// Any offset, any number of fraction digits (below a nanosecond cut off), "t" and "z" too.
Result<Time> parse_rfc3339(std::string_view text);

}  // namespace drydock
