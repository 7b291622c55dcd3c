#pragma once
// UTF-8 walking and character classes as GitHub's reader sees them. Pure; malformed bytes count as one
// character.

#include <cstddef>
#include <string>
#include <string_view>

namespace drydock::parser::expression {

/// The code point at `offset`, which moves behind it; U+FFFD for a malformed byte.
char32_t next_code_point(std::string_view text, std::size_t& offset);
void append_utf8(std::string& out, char32_t code_point);

/// Length in UTF-16 units, in which GitHub counts.
std::size_t utf16_length(std::string_view text);

/// Unicode white space, as in .NET's Char.IsWhiteSpace.
bool is_white_space(char32_t code_point);
std::string_view trim(std::string_view text);

std::string ascii_lower(std::string_view text);

/// A letter or underscore, then letters, digits, underscores and hyphens.
bool is_keyword(std::string_view text);

}  // namespace drydock::parser::expression
