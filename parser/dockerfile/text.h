#pragma once
// Small text helpers of this room: UTF-8 that survives wrong bytes, ASCII case, blanks, near-miss names.
// Pure; thread-safe.

#include <string>
#include <string_view>
#include <vector>

namespace drydock::parser::dockerfile {

/// Code points; a byte that is not UTF-8 becomes 0xDC00 + byte, and encode() turns it back.
std::u32string decode(std::string_view text);
std::string encode(std::u32string_view text);
void append(std::string& out, char32_t c);

bool is_space(char32_t c);
bool is_digit(char32_t c);
/// Letters that may stand in a variable's name; beyond ASCII, everything that is no punctuation or symbol.
bool is_letter(char32_t c);

std::string lower(std::string_view text);
std::string upper(std::string_view text);
bool equal_ignoring_case(std::string_view a, std::string_view b);
std::string_view trim(std::string_view text);
std::string_view trim_left(std::string_view text);
std::vector<std::string> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
/// In double quotes, escaped as Go's %q does.
std::string quoted(std::string_view text);

enum class Case { sensitive, ignored };
/// The option at most two edits away from `name`, the nearest first; empty when none is, or when one is equal.
std::string near_miss(std::string_view name, const std::vector<std::string>& options, Case letters);

}  // namespace drydock::parser::dockerfile
