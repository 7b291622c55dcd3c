#pragma once
// Offsets of the IANA time zones, from the machine's own tables (TZif files, RFC 8536). Pure but for reading them.

#include <cstdint>
#include <string>

#include "executors/base/result.h"

namespace drydock::actions {

struct ZoneTime {
  std::int64_t offset = 0;   // seconds east of UTC
  std::string abbreviation;  // "CEST"
};

/// What the zone says for a time in seconds since 1970. not_found: there is no such zone, or no table of it here.
Result<ZoneTime> zone_time(const std::string& zone, std::int64_t seconds);

}  // namespace drydock::actions
