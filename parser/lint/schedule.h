#pragma once
// Schedule: cron lines as GitHub takes them: five fields, no macros, not more often than every five minutes.
// Pure.

#include <optional>
#include <string>
#include <string_view>

namespace drydock::parser::lint {

/// What is wrong with a cron line, or nothing.
std::optional<std::string> schedule_problem(std::string_view cron);

}  // namespace drydock::parser::lint
