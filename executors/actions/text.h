#pragma once
// Small text operations as JavaScript has them, for actions that were JavaScript. Pure functions.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::actions {

std::string trimmed(std::string_view text);
std::vector<std::string> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
bool contains_no_case(std::string_view text, std::string_view part);
/// Go's strconv.ParseBool: 1, t, T, true, TRUE, True and their opposites; nothing for any other text.
std::optional<bool> parse_bool(std::string_view text);

}  // namespace drydock::actions
