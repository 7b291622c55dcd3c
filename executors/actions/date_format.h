#pragma once
// Dates in the format of the moment library, English: "YYYYMMDD-HHmmss", "[week] WW". Pure.

#include <cstdint>
#include <string>
#include <string_view>

#include "executors/actions/time_zone.h"

namespace drydock::actions {

/// `milliseconds` since 1970, shown as it is in the zone. An empty format gives ISO 8601.
std::string format_date(std::int64_t milliseconds, const ZoneTime& zone, std::string_view format);

/// "2024-05-01T12:30:00.123Z".
std::string iso_date(std::int64_t milliseconds);

}  // namespace drydock::actions
