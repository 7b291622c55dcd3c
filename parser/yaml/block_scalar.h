#pragma once
// Block scalars (`|` and `>`) read from the text itself: yaml-cpp 0.7 loses line breaks of `>+` and whatever
// follows a tag in a list. Internal to this room; pure.

#include <cstddef>
#include <string>
#include <string_view>

namespace drydock::parser::yaml {

/// The value of the scalar whose `|` or `>` stands at `offset`, inside a collection indented by `parent_indent`
/// spaces (-1 at the root).
std::string read_block_scalar(std::string_view text, std::size_t offset, int parent_indent);

}  // namespace drydock::parser::yaml
