#pragma once
// Go's duration texts: "1h30m", "1.5s", "300ms". Pure; thread-safe.

#include <chrono>
#include <optional>
#include <string_view>

namespace drydock::parser::dockerfile {

/// Nothing when the text is no duration or does not fit.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

}  // namespace drydock::parser::dockerfile
