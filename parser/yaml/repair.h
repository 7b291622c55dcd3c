#pragma once
// Texts that GitHub's reader takes and libyaml does not: rewritten character by character, so that every
// place stays what it was, and turned back in the values. Internal to this room; pure.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace drydock::parser::yaml {

/// Control characters, U+FEFF and the like replaced; nothing when there is nothing to replace. `text` is
/// UTF-8.
std::optional<std::string> without_unprintable(std::string_view text);

/// Whether the text has characters of its own that replace others, so that nothing may be replaced in it.
bool has_replacements(std::string_view text);

/// Turns the replaced characters of a value back.
std::string turned_back(std::string_view value);

/// Mends the text where libyaml stopped with `problem`, at the byte `offset`: an anchor or alias with more
/// than letters, digits, '-' and '_'; tabs in a line of blanks; a tab that begins the text of a block scalar,
/// to be turned back. False when it is none of these.
bool repair_at(std::string& text, std::size_t offset, std::string_view problem);

}  // namespace drydock::parser::yaml
