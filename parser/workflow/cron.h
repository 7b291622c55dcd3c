#pragma once
// Cron lines of `on.schedule` as GitHub takes them: five fields, no macros, not more often than every five minutes.
// Pure.

#include <optional>
#include <string>
#include <string_view>

namespace drydock::parser::workflow {

/// Why a cron line cannot be read, which GitHub refuses; nothing when it can.
std::optional<std::string> cron_problem(std::string_view cron);

/// That, or that it asks for more runs than GitHub starts.
std::optional<std::string> schedule_problem(std::string_view cron);

}  // namespace drydock::parser::workflow
